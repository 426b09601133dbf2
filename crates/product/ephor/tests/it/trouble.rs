//! `kill -9` in the middle of the work: nothing acknowledged is missing, nothing runs for ever.

use std::{process::Command, time::Duration};

use ephor_store::embedded::Urls;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::support::{Server, api::Person, data_folder, ephor, within};

/// Enough rows that an analysis of them is still at work when the blow comes.
pub fn many_rows() -> Vec<u8> {
    let mut csv = String::from("y,p,score,sex,place\n");
    for i in 0_u64..400_000 {
        let mixed = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        csv.push_str(&format!(
            "{},{},0.{:06},{},p{}\n",
            mixed % 2,
            mixed / 2 % 2,
            mixed % 1_000_000,
            if mixed % 3 == 0 { "f" } else { "m" },
            mixed % 500
        ));
    }
    csv.into_bytes()
}

pub fn parameters() -> serde_json::Value {
    json!({ "target": "y", "prediction": "p", "score": "score", "protected": ["sex", "place"] })
}

pub fn verifies(data: &std::path::Path) {
    let output = ephor().args(["audit", "verify", "--data"]).arg(data).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn the_server_is_killed_and_the_analysis_still_ends() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("many", many_rows()).await;
    let analysis = ada.analyse(&dataset, parameters()).await;
    server.kill();

    let server = Server::serve(data.path());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    let kept = ada.json(&format!("/v1/datasets/{}", dataset["id"].as_str().unwrap())).await;
    assert_eq!(kept["row_count"], 400_000, "what was acknowledged is there");
    let ended = ada.ended(&analysis).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    verifies(data.path());
}

#[tokio::test]
async fn postgresql_is_killed_and_comes_back() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("many", many_rows()).await;
    let analysis = ada.analyse(&dataset, parameters()).await;
    kill(postmaster(&server), Signal::SIGKILL).unwrap();

    let path = format!("/v1/bias_analyses/{}", analysis["id"].as_str().unwrap());
    let ended = crate::support::within_async("the analysis ends", async || {
        // While the database is away the answer is 503, with a time to try again.
        let answer = ada.get(&path).send().await.unwrap();
        if !answer.status().is_success() {
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
            return None;
        }
        let now: serde_json::Value = answer.json().await.unwrap();
        ["completed", "failed"].contains(&now["status"].as_str().unwrap()).then_some(now)
    })
    .await;
    assert_eq!(ended["status"], "completed", "{ended}");
    verifies(data.path());
}

#[tokio::test]
async fn postgresql_is_stopped_and_comes_back_and_sessions_stay() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("few", b"y,p,sex\n1,1,f\n0,1,m\n".to_vec()).await;
    let old = postmaster(&server);
    // The fast shutdown: sessions are ended, nothing is lost.
    kill(old, Signal::SIGINT).unwrap();
    within(Duration::from_secs(30), "the old server is gone", || {
        kill(old, None).is_err().then_some(())
    });

    let path = format!("/v1/datasets/{}", dataset["id"].as_str().unwrap());
    let kept: serde_json::Value = crate::support::within_async("it is served again", async || {
        let alive = ada.get("/healthz").send().await.unwrap();
        assert_eq!(alive.status(), 200, "the process is alive all the while");
        let answer = ada.get(&path).send().await.unwrap();
        if answer.status().is_success() {
            return Some(answer.json().await.unwrap());
        }
        // Never «log in again»: that the session cannot be looked up does not end it.
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.headers().contains_key("retry-after"));
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "unavailable", "{problem}");
        None
    })
    .await;
    assert_eq!(kept["row_count"], 2, "what was acknowledged is there");
    assert_eq!(ada.get("/readyz").send().await.unwrap().status(), 200);
    ada.upload("more", b"y,p,sex\n1,1,f\n0,1,m\n".to_vec()).await;
    verifies(data.path());
}

/// A database that takes no connections, as while it is restored or moved: the server runs on.
#[tokio::test]
async fn while_the_database_takes_nobody_the_server_says_so() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let url = Urls::of_folder(data.path()).unwrap().superuser();
    let mut admin =
        PgConnection::connect_with(&url.parse::<PgConnectOptions>().unwrap().database("postgres"))
            .await
            .unwrap();
    admin.execute("alter database ephor allow_connections false").await.unwrap();
    let end_all = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'ephor'";
    admin.execute(end_all).await.unwrap();

    assert_eq!(ada.get("/healthz").send().await.unwrap().status(), 200, "the process is alive");
    let ready = ada.get("/readyz").send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let told: serde_json::Value = ready.json().await.unwrap();
    assert_eq!(told["reason"], "the database does not answer", "{told}");
    let answer = ada.get("/v1/datasets").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "unavailable", "{problem}");
    assert!(
        !problem.to_string().contains("postgres"),
        "what is behind is not the caller's: {problem}"
    );
    // A person gets a page, and is not asked to log in again.
    let page = ada.get("/datasets").header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 503);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));

    admin.execute("alter database ephor allow_connections true").await.unwrap();
    crate::support::within_async("it is served again", async || {
        ada.get("/v1/datasets").send().await.unwrap().status().is_success().then_some(())
    })
    .await;
    assert_eq!(ada.get("/readyz").send().await.unwrap().status(), 200);
}

/// A newer version migrates while this one runs: whoever balances the load is to send requests there.
#[tokio::test]
async fn a_server_beside_a_newer_schema_is_not_ready() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    assert_eq!(ada.get("/readyz").send().await.unwrap().status(), 200);
    let url = Urls::of_folder(data.path()).unwrap().superuser();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin
        .execute("insert into kernel.migrations (name, sha256) values ('9999_newer.sql', 'f00')")
        .await
        .unwrap();
    let ready = ada.get("/readyz").send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let told: serde_json::Value = ready.json().await.unwrap();
    assert!(told["reason"].as_str().unwrap().contains("schema is not the one"), "{told}");
    admin.execute("delete from kernel.migrations where name = '9999_newer.sql'").await.unwrap();
    assert_eq!(ada.get("/readyz").send().await.unwrap().status(), 200);
}

/// A limit on the size of files stands for a full disk: it works for every user, and PostgreSQL's own
/// files, of 16 MB at most, stay below it.
#[tokio::test]
async fn a_disk_that_is_full_refuses_an_upload_and_takes_the_next_one() {
    let data = data_folder();
    let limited = "trap '' XFSZ; ulimit -f 40960; exec \"$0\" \"$@\"";
    let server = Server::start(
        Command::new("sh")
            .args([
                "-c",
                limited,
                env!("CARGO_BIN_EXE_ephor"),
                "serve",
                "--bind",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data.path())
            .env_remove("DATABASE_URL"),
    );
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let path = "/v1/datasets/upload?name=large&file_name=large.csv";
    let answer = ada.post(path).body(incompressible()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 507, "{}", answer.text().await.unwrap());
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "storage_full", "{problem}");

    let left = ada.json("/v1/datasets").await;
    assert_eq!(left["data"], json!([]), "no row is left");
    assert_eq!(files_below(&data.path().join("objects")), 0, "no part of the file is left");
    let dataset = ada.upload("small", b"y,p,sex\n1,1,f\n0,1,m\n".to_vec()).await;
    assert_eq!(dataset["row_count"], 2);
    assert_eq!(ada.get("/readyz").send().await.unwrap().status(), 200);
}

/// A table that stays larger than 20 MB however it is written.
fn incompressible() -> Vec<u8> {
    let mut csv = String::from("a,b\n");
    for i in 1_u64..1_500_000 {
        let a = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        csv.push_str(&format!("0.{a},0.{}\n", a.rotate_left(29).wrapping_mul(a)));
    }
    csv.into_bytes()
}

fn files_below(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// The private server's first process: the child of Ephor's that runs `postgres`.
fn postmaster(server: &Server) -> Pid {
    within(Duration::from_secs(5), "PostgreSQL runs", || {
        let output = Command::new("pgrep")
            .args(["-P", &server.pid().to_string(), "postgres"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
    })
}

/// The sealing key is replaced between two runs of the server.
#[tokio::test]
async fn a_rotated_key_goes_on_with_the_trail() {
    let data = data_folder();
    let audit = |arguments: &[&str]| {
        let output =
            ephor().arg("audit").args(arguments).arg("--data").arg(data.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let server = Server::serve(data.path());
    Person::sign_up(&server.url, "ada@example.org").await;
    server.interrupt();
    let old = audit(&["public-key"]);
    let said = audit(&["rotate-key"]);
    let new = audit(&["public-key"]);
    assert_ne!(old, new);
    assert!(said.contains(old.trim()) && said.contains(new.trim()), "{said}");
    verifies(data.path());

    let server = Server::serve(data.path());
    let grace = Person::sign_up(&server.url, "grace@example.org").await;
    let organization = grace.json("/v1/me").await["organization_id"].as_str().unwrap().to_owned();
    server.interrupt();
    verifies(data.path());
    // Whoever noted the first key, years ago, still verifies what the second one sealed.
    let trail = data.path().join("trail.ephor");
    audit(&["export", &organization, "--out", trail.to_str().unwrap()]);
    audit(&["verify", "--file", trail.to_str().unwrap(), "--key", old.trim()]);
}
