//! Tiers and what they allow, metering, and who pays: over a real server.

use std::path::Path;

use ephor_store::embedded::Urls;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor, within_async,
};

const ADA: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";

/// A server whose organizations are on the free tier unless they have another.
fn with_free_tier(data: &Path) -> Server {
    Server::start(
        ephor()
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("EPHOR_BILLING_DEFAULT_TIER", "free"),
    )
}

/// The operator's own way to the database.
pub async fn operator(data: &Path) -> PgConnection {
    PgConnection::connect(&Urls::of_folder(data).unwrap().superuser()).await.unwrap()
}

async fn problem(answer: reqwest::Response, status: StatusCode) -> Value {
    let found = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn used(usage: &Value, name: &str) -> (Value, Value) {
    let limits = usage["limits"].as_array().unwrap();
    let limit = limits.iter().find(|limit| limit["name"] == name).unwrap();
    (limit["used"].clone(), limit["limit"].clone())
}

#[tokio::test]
async fn what_is_everybody_s_is_read_by_all_and_written_by_none() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, ADA).await;
    let mut operator = operator(data.path()).await;
    operator
        .execute(
            "insert into registry.frontier_models (model_id, name, provider) values ('owl-1', 'Owl One', 'Aviary');
             insert into billing.products (title, subscription_tier_id)
             select 'Ephor Pro', id from billing.subscription_tiers where code = 'pro';",
        )
        .await
        .unwrap();

    let tiers = ada.json("/v1/subscription_tiers?include=products&count=exact&code=eq.pro").await;
    assert_eq!(tiers["count"], 1, "{tiers}");
    assert_eq!(tiers["data"][0]["products"][0]["title"], "Ephor Pro", "{tiers}");
    assert!(tiers["data"][0].get("organization_id").is_none());
    let pro = tiers["data"][0]["id"].as_str().unwrap();
    assert_eq!(ada.json(&format!("/v1/subscription_tiers/{pro}")).await["name"], "Pro");
    let pages = ada.json("/v1/subscription_tiers?limit=1&sort=name").await;
    let next = pages["next"].as_str().unwrap();
    let page = ada.json(&format!("/v1/subscription_tiers?limit=1&sort=name&cursor={next}")).await;
    assert_eq!(page["data"][0]["name"], "Free");
    let export = ada.get("/v1/subscription_tiers").header("accept", "text/csv").send().await;
    assert!(export.unwrap().text().await.unwrap().contains("Enterprise"));

    // No permission is needed, but a log-in.
    let key = answered(
        ada.post("/v1/api-keys").json(&json!({ "name": "k", "permissions": ["models:read"] })),
    )
    .await;
    let key = key["key"].as_str().unwrap();
    let nobody = Person::nobody(&server.url);
    for path in ["subscription_tiers", "products", "prices", "frontier_models"] {
        let path = format!("/v1/{path}");
        assert_eq!(nobody.get(&path).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let answer = nobody.get(&path).bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let answer = ada.post(&path).json(&json!({ "name": "x" })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let all = format!("{path}?organizations=all");
        problem(ada.get(&all).send().await.unwrap(), StatusCode::UNPROCESSABLE_ENTITY).await;
    }

    // A form offers them by name, and a page shows them by name.
    let form = ada.get("/resources/frontier_alert_configs/new").send().await.unwrap();
    assert!(form.text().await.unwrap().contains("Owl One"));
    let owl = ada.json("/v1/frontier_models?q=owl").await["data"][0]["id"].clone();
    let config = json!({ "frontier_model_id": owl, "category": "security" });
    let config = answered(ada.post("/v1/frontier_alert_configs").json(&config)).await;
    let path = format!("/resources/frontier_alert_configs/{}", config["id"].as_str().unwrap());
    let page = ada.get(&path).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Owl One"), "{page}");
}

#[tokio::test]
async fn requests_are_metered_and_none_is_lost_when_the_server_stops() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, ADA).await;
    for _ in 0..25 {
        ada.json("/v1/models").await;
    }
    let missing = "/v1/models/01930b2e-7c1a-7def-8000-1b2c3d4e5f60";
    assert_eq!(ada.get(missing).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let usage = ada.json("/v1/usage").await;
    assert_eq!(used(&usage, "requests_per_month"), (json!(26.0), Value::Null), "{usage}");
    assert_eq!(usage["tier_name"], Value::Null);
    assert!(server.interrupt().success());

    let server = Server::serve(data.path());
    let ada = Person::log_in(&server.url, ADA, PASSWORD).await;
    let usage = ada.json("/v1/usage").await;
    assert_eq!(used(&usage, "requests_per_month").0, 26.0, "{usage}");
    assert_eq!(usage["days"].as_array().unwrap().len(), 1, "{usage}");
    assert_eq!(
        (&usage["days"][0]["requests"], &usage["days"][0]["failed"]),
        (&json!(26), &json!(1))
    );
    assert_eq!(usage["endpoints"][0]["endpoint"], "GET /v1/models");
    assert_eq!(usage["endpoints"][0]["requests"], 25);
    let records = ada.json("/v1/usage_records?endpoint=eq.GET%20/v1/models").await;
    let me = ada.json("/v1/me").await;
    assert_eq!(records["data"][0]["user_id"], me["user"]["id"], "{records}");
    let page = ada.get("/usage").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("API requests this month") && page.contains("GET /v1/models"), "{page}");
}

#[tokio::test]
async fn what_a_plan_lacks_is_402_and_what_it_has_used_up_is_429() {
    let data = data_folder();
    let server = with_free_tier(data.path());
    let ada = Person::sign_up(&server.url, ADA).await;
    let mut operator = operator(data.path()).await;

    // A feature.
    let refused = ada.post("/v1/risk_items").json(&json!({})).send().await.unwrap();
    let refused = problem(refused, StatusCode::PAYMENT_REQUIRED).await;
    assert_eq!(refused["code"], "feature_not_in_plan");
    assert_eq!(refused["quota"], json!({ "name": "risk", "plan": "Free", "upgrade": "Pro" }));
    assert_eq!(ada.get("/v1/risk_items").send().await.unwrap().status(), StatusCode::OK);

    // How many there are: two at once do not pass the limit together.
    let add = |number: u32| {
        ada.post("/v1/members").json(&json!({
            "email": format!("p{number}@example.org"), "full_name": "P", "role": "member",
        }))
    };
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..8 {
        asked.spawn(add(number).send());
    }
    let mut refusals = Vec::new();
    for answer in asked.join_all().await {
        let answer = answer.unwrap();
        if !answer.status().is_success() {
            refusals.push(problem(answer, StatusCode::PAYMENT_REQUIRED).await);
        }
    }
    assert_eq!(refusals.len(), 4, "four beside the owner are five: {refusals:?}");
    assert_eq!(refusals[0]["code"], "limit_reached");
    let quota =
        json!({ "name": "members", "limit": 5, "used": 5, "plan": "Free", "upgrade": "Pro" });
    assert_eq!(refusals[0]["quota"], quota);
    for word in ["members", "5", "Free", "Pro"] {
        assert!(refusals[0]["detail"].as_str().unwrap().contains(word), "{}", refusals[0]);
    }
    let usage = ada.json("/v1/usage").await;
    assert_eq!(used(&usage, "members"), (json!(5.0), json!(5.0)), "{usage}");

    // How many there are in a month.
    operator
        .execute(
            r#"update billing.subscription_tiers set limits = limits || '{"bias_analyses_per_month": 1}' where code = 'free'"#,
        )
        .await
        .unwrap();
    let rows: String = (0..200)
        .map(|n| format!("{},{},{}", n % 2, n / 2 % 2, if n % 3 == 0 { "f" } else { "m" }))
        .collect::<Vec<_>>()
        .join("\n");
    let dataset = ada.upload("small", format!("y,p,sex\n{rows}").into_bytes()).await;
    let parameters = json!({ "target": "y", "prediction": "p", "protected": ["sex"] });
    ada.analyse(&dataset, parameters.clone()).await;
    let body = json!({ "dataset_id": dataset["id"], "parameters": parameters });
    let answer = ada.post("/v1/bias_analyses").json(&body).send().await.unwrap();
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let refused = problem(answer, StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(refused["code"], "quota_exceeded", "{refused}");
    assert_eq!(refused["quota"]["limit"], 1);
    assert!(wait > 0 && wait <= 31 * 86_400, "{wait}");
    // What was deleted was used.
    operator
        .execute(
            r#"update billing.subscription_tiers set limits = limits || '{"deliberations_per_month": 1}',
                   features = features || '["deliberations"]' where code = 'free'"#,
        )
        .await
        .unwrap();
    let question = json!({ "problem_statement": "Shall we?" });
    let asked = within_async("the feature is in force", async || {
        let answer = ada.post("/v1/deliberations").json(&question).send().await.unwrap();
        if answer.status() == StatusCode::PAYMENT_REQUIRED {
            return None;
        }
        Some(problem(answer, StatusCode::CREATED).await)
    })
    .await;
    let path = format!("{}/v1/deliberations/{}", server.url, asked["id"].as_str().unwrap());
    let gone = ada.client.delete(&path).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let again = ada.post("/v1/deliberations").json(&question).send().await.unwrap();
    let again = problem(again, StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(again["quota"]["used"], 1, "{again}");
    let usage = ada.json("/v1/usage").await;
    assert_eq!(used(&usage, "deliberations_per_month"), (json!(1.0), json!(1.0)), "{usage}");
    assert_eq!(used(&usage, "bias_analyses_per_month"), (json!(1.0), json!(1.0)), "{usage}");

    // How many requests there are in a minute.
    operator
        .execute(
            r#"update billing.subscription_tiers set limits = limits || '{"requests_per_minute": 3}' where code = 'free'"#,
        )
        .await
        .unwrap();
    let refused = within_async("the minute's requests are used up", async || {
        let answer = ada.get("/v1/models").send().await.unwrap();
        (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(answer)
    })
    .await;
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let refused = problem(refused, StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(refused["quota"]["name"], "requests_per_minute");
    // What is used can be seen nevertheless.
    assert_eq!(ada.json("/v1/usage").await["tier_code"], "free");

    // The way up.
    operator
        .execute(
            "update identity.organizations set subscription_tier_id =
                 (select id from billing.subscription_tiers where code = 'enterprise')",
        )
        .await
        .unwrap();
    within_async("the new tier is in force", async || {
        let answer = ada.post("/v1/risk_items").json(&json!({})).send().await.unwrap();
        (answer.status() == StatusCode::UNPROCESSABLE_ENTITY).then_some(())
    })
    .await;
    assert!(add(9).send().await.unwrap().status().is_success());
    let usage = ada.json("/v1/usage").await;
    assert_eq!(usage["tier_name"], "Enterprise");
    assert!(usage["features"].as_array().unwrap().iter().all(|it| it["included"] == true));

    // A subscription that lives goes before what was given; one that ended does not.
    operator
        .execute(
            "insert into billing.subscriptions (organization_id, subscription_tier_id)
             select o.id, t.id from identity.organizations o, billing.subscription_tiers t
             where t.code = 'pro' and o.name like 'Organization of ada%'",
        )
        .await
        .unwrap();
    let tier = async |name: &str| {
        within_async("the tier changes", async || {
            (ada.json("/v1/usage").await["tier_name"] == name).then_some(())
        })
        .await;
    };
    tier("Pro").await;
    operator.execute("update billing.subscriptions set status = 'canceled'").await.unwrap();
    tier("Enterprise").await;
}

#[test]
fn a_default_tier_that_is_not_there_is_said_at_the_start() {
    let data = data_folder();
    let output = ephor()
        .args(["serve", "--bind", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .env("EPHOR_BILLING_DEFAULT_TIER", "gratis")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("billing.default_tier"), "{told}");
}

#[tokio::test]
async fn one_payment_method_is_the_default_and_states_follow_their_machines() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, ADA).await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let mut operator = operator(data.path()).await;
    operator
        .execute(
            "insert into billing.payment_methods (organization_id, stripe_payment_method_id, type, is_default)
             select o.id, 'pm_' || n, 'card', n = 1 from identity.organizations o, generate_series(1, 3) as n
             where o.name like 'Organization of ada%';
             insert into billing.subscriptions (organization_id) select id from identity.organizations
             where name like 'Organization of ada%';
             insert into billing.invoices (organization_id, invoice_number, amount_due, amount_remaining)
             select id, 'A-1', 10, 10 from identity.organizations where name like 'Organization of ada%';",
        )
        .await
        .unwrap();
    let methods = ada.json("/v1/payment_methods?sort=stripe_payment_method_id").await;
    let ids: Vec<String> = methods["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    let path = |id: &str| format!("/v1/payment_methods/{id}/default");
    let row = answered(ada.post(&path(&ids[1]))).await;
    assert_eq!(
        (&row["is_default"], &row["stripe_payment_method_id"]),
        (&json!(true), &json!("pm_2"))
    );
    assert_eq!(answered(ada.post(&path(&ids[1]))).await["is_default"], true, "twice is as once");

    // However many choose at once, one is the default.
    let mut asked = tokio::task::JoinSet::new();
    for turn in 0..12 {
        asked.spawn(ada.post(&path(&ids[turn % 3])).send());
    }
    for answer in asked.join_all().await {
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
        let defaults = ada.json("/v1/payment_methods?is_default=is.true").await;
        assert_eq!(defaults["data"].as_array().unwrap().len(), 1, "{defaults}");
    }
    let foreign = eve.post(&path(&ids[0])).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    let key = json!({ "name": "k", "permissions": ["payment_methods:read"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let reader = Person::nobody(&server.url);
    let refused =
        reader.post(&path(&ids[0])).bearer_auth(key["key"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);

    // Nobody writes them through the API, and the database knows the steps.
    for table in ["payment_methods", "subscriptions", "invoices"] {
        let id = ada.json(&format!("/v1/{table}")).await["data"][0]["id"].clone();
        let url = format!("{}/v1/{table}/{}", server.url, id.as_str().unwrap());
        for method in [Method::PATCH, Method::DELETE] {
            let answer = ada.client.request(method, &url).json(&json!({})).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{table}");
        }
    }
    let steps: [(&str, &str, &str, bool); 8] = [
        ("invoices", "open", "", true),
        ("invoices", "draft", "invoices_status_step", false),
        ("invoices", "paid", "", true),
        ("invoices", "void", "invoices_status_step", false),
        ("subscriptions", "past_due", "", true),
        ("subscriptions", "trialing", "subscriptions_status_step", false),
        ("subscriptions", "canceled", "", true),
        ("subscriptions", "active", "subscriptions_status_step", false),
    ];
    for (table, status, constraint, allowed) in steps {
        let sql = format!("update billing.{table} set status = '{status}'");
        match operator.execute(AssertSqlSafe(sql)).await {
            Ok(_) => {
                assert!(allowed, "{table} became {status}");
                let row = ada.json(&format!("/v1/{table}")).await["data"][0].clone();
                assert_eq!(row["status"], status);
                assert_eq!(row["paid_at"].is_string(), status == "paid", "{row}");
            }
            Err(sqlx::Error::Database(error)) => {
                assert!(!allowed, "{error}");
                assert_eq!(error.constraint(), Some(constraint));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn every_resource_that_is_written_belongs_to_a_feature_or_to_all() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, ADA).await;
    let document = ada.json("/openapi.json").await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(name) = path.strip_prefix("/v1/").filter(|name| !name.contains('/')) else {
            continue;
        };
        let listed = operations["get"]["parameters"].to_string().contains("cursor");
        let written = ["post", "patch", "put"].iter().any(|method| {
            !operations[method].is_null()
                || !document["paths"][format!("{path}/{{id}}")][method].is_null()
        });
        // Who belongs to the organization is no feature: its number is limited instead.
        let own = ["members", "roles", "api-keys"].contains(&name);
        if listed && written && !own && !ephor_billing::UNGATED.contains(&name) {
            assert!(
                ephor_billing::feature_of(name).is_some(),
                "{name} belongs to no feature: give it one in feature.rs"
            );
        }
    }
}
