//! Old months by the command line, and their archives by the API and on pages.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Executor as _};

use super::billing::operator;
use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor,
};

const COSTS: &str = "gateway.cost_transactions";

struct Told {
    code: i32,
    out: String,
    err: String,
}

impl Told {
    fn json(&self) -> Vec<Value> {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

/// `ephor db archive`, beside the running server.
async fn archive(data: &Path, arguments: &[&str]) -> Told {
    let mut command = ephor();
    command.args(["db", "archive"]).args(arguments).arg("--data").arg(data);
    command.stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `count` costs of three months ago, of the organization that somebody opened; answers the month.
async fn costs(data: &Path, of: &str, count: i32) -> String {
    let mut operator = operator(data).await;
    let sql = format!(
        "insert into {COSTS} (organization_id, provider, model, input_tokens, output_tokens, cost_amount, created_at)
         select o.id, 'openai', 'm', 1, 1, i, date_trunc('month', now()) - interval '3 months' + i * interval '1 hour'
         from identity.organizations as o, generate_series(1, {count}) as i where o.name like 'Organization of {of}%';
         select ops.months_ahead(0)"
    );
    operator.execute(AssertSqlSafe(sql)).await.unwrap();
    sqlx::query_scalar(
        "select to_char(date_trunc('month', now()) - interval '3 months', 'YYYY-MM')",
    )
    .fetch_one(&mut operator)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_month_is_archived_and_taken_along_by_those_who_may() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let month = costs(data.path(), "ada", 4).await;
    costs(data.path(), "eve", 1).await;

    for wrong in [
        vec!["--month", &month],
        vec!["--table", "audit.audit_logs", "--month", &month],
        vec!["--table", "registry.models", "--keep", "1"],
        vec!["--table", COSTS, "--month", "2999-01"],
        vec!["--table", COSTS, "--month", "last"],
    ] {
        assert_eq!(archive(data.path(), &wrong).await.code, 2, "{wrong:?}");
    }
    let looked = archive(data.path(), &["--keep", "1", "--dry-run", "--json"]).await;
    let planned = looked.json();
    assert_eq!(planned, [json!({ "table": COSTS, "month": month, "rows": 5, "organizations": 2 })]);
    assert_eq!(ada.json("/v1/archives").await["data"], json!([]));
    assert_eq!(ada.json("/v1/cost_transactions").await["data"].as_array().unwrap().len(), 4);

    let done = archive(data.path(), &["--table", COSTS, "--month", &month, "--json"]).await;
    assert_eq!((done.code, done.json().len()), (0, 2), "{}", done.err);
    assert_eq!(ada.json("/v1/cost_transactions").await["data"], json!([]));
    let sound = archive(data.path(), &["--check"]).await;
    assert!(sound.code == 0 && sound.out.contains("as archived"), "{}{}", sound.out, sound.err);

    let mine = ada.json("/v1/archives").await;
    let one = &mine["data"][0];
    assert_eq!(
        (mine["data"].as_array().unwrap().len(), &one["row_count"]),
        (1, &json!(4)),
        "{mine}"
    );
    assert!(one["dropped_at"].is_string() && one.get("row_digest").is_none(), "{one}");
    let path = format!("/v1/archives/{}/content", one["id"].as_str().unwrap());
    let answer = ada.get(&path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/vnd.apache.parquet");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(one["sha256"], hex::encode(Sha256::digest(&bytes)));
    let trail = ada.json("/v1/audit/entries?action=archive").await;
    assert_eq!(trail["data"].as_array().unwrap().len(), 1, "{trail}");
    let taken = ada.json("/v1/audit/entries?action=archive_download").await;
    assert_eq!(taken["data"].as_array().unwrap().len(), 1);

    // Another organization's is not there; and who may not read costs may not read old ones.
    assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(
        Person::nobody(&server.url).get(&path).send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    for (permissions, status) in [
        (json!(["archives:read", "audit:export"]), StatusCode::FORBIDDEN),
        (json!(["archives:read", "cost_transactions:read"]), StatusCode::FORBIDDEN),
        (json!(["audit:export", "cost_transactions:read"]), StatusCode::OK),
    ] {
        let body = json!({ "name": "Auditors", "permissions": permissions });
        let key = answered(ada.post("/v1/api-keys").json(&body)).await;
        let with_key = Person::nobody(&server.url).get(&path);
        let answer = with_key.bearer_auth(key["key"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{permissions}");
    }

    let page = async |path: &str| {
        let answer = ada.get(path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };
    let sha256 = one["sha256"].as_str().unwrap();
    let archives = page("/archives").await;
    assert!(archives.contains(sha256) && archives.contains(&path), "{archives}");
    let mut command = ephor();
    command.args(["admin", "user", "grant", "ada@example.org", "--yes", "--data"]).arg(data.path());
    let granted = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(granted.status.success());
    let partitions = page("/health/partitions").await;
    assert!(partitions.contains("Archived months") && partitions.contains(sha256));

    // A file that is not as it was is told, and is not handed out as a whole.
    let file = data.path().join("objects").join(one["object"].as_str().unwrap());
    let mut damaged = bytes.to_vec();
    damaged[20] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let found = archive(data.path(), &["--check", "--json"]).await;
    let faults = found.json().iter().filter(|line| line["fault"].is_string()).count();
    assert_eq!((found.code, faults), (1, 1), "{}", found.out);
    let answer = ada.get(&path).send().await;
    assert!(match answer {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    });
}
