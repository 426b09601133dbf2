//! What newer versions of Ephor offer beside built-in data that was changed here: looked at, accepted,
//! declined, over HTTP, on pages and by command.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    billing::operator,
    support::{
        Server,
        api::{Person, answered},
        data_folder, ephor, within_async,
    },
};

/// An organization with its built-in data, and the operator's way to the database.
struct World {
    server: Server,
    ada: Person,
    organization: String,
    operator: PgConnection,
    _data: tempfile::TempDir,
}

async fn world() -> World {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    within_async("the built-in data", async || {
        let found = ada.json("/v1/personas?count=exact&limit=1").await;
        (found["count"] == 45).then_some(())
    })
    .await;
    let me = ada.json("/v1/me").await;
    let organization = me["organization_id"].as_str().unwrap().to_owned();
    let operator = operator(data.path()).await;
    World { server, ada, organization, operator, _data: data }
}

impl World {
    async fn change(&self, path: &str, patch: Value) -> Value {
        let row = self.ada.json(path).await;
        let request = self.ada.client.patch(format!("{}{path}", self.server.url));
        let request = request.header("if-match", row["version"].to_string()).json(&patch);
        answered(request).await
    }

    /// What the next start of a newer Ephor does: its entry of a table is followed.
    async fn upgrade(&mut self, entity: &str, code: &str, version: i32, values: Value) {
        let mut tx = sqlx::Connection::begin(&mut self.operator).await.unwrap();
        for (name, value) in [
            ("ephor.organization_id", self.organization.as_str()),
            ("ephor.actor_id", "00000000-0000-7000-8000-000000000001"),
            ("ephor.actor_type", "system"),
        ] {
            sqlx::query("select set_config($1, $2, true)")
                .bind(name)
                .bind(value)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        let entries =
            json!([{ "code": code, "version": version, "values": values, "references": {} }]);
        sqlx::query("select ops.builtins_follow($1, '{}', '{}', $2)")
            .bind(entity)
            .bind(entries)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// A control that was changed here, of which version 2 is offered: its path, code and wording.
    async fn offered(&mut self) -> (String, String, Value) {
        let found = self.ada.json("/v1/controls?limit=1&sort=code").await;
        let control = found["data"][0].clone();
        let path = format!("/v1/controls/{}", control["id"].as_str().unwrap());
        let code = control["builtin_code"].as_str().unwrap().to_owned();
        let mut values = json!({});
        for field in ["code", "title", "text", "expected_evidence"] {
            values[field] = control[field].clone();
        }
        self.change(&path, json!({ "title": "Our own <words>" })).await;
        values["title"] = json!("The second wording");
        self.upgrade("compliance.controls", &code, 2, values.clone()).await;
        (path, code, values)
    }
}

async fn refused(request: reqwest::RequestBuilder) -> (StatusCode, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

fn problem(status: StatusCode, code: &str) -> (StatusCode, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn what_is_offered_is_accepted_and_the_copy_follows_again() {
    let mut world = world().await;
    let (path, code, mut values) = world.offered().await;
    let eve = Person::sign_up(&world.server.url, "eve@example.org").await;
    let ada = &world.ada;

    let open = ada.json("/v1/builtin_copies?offer_status=eq.open").await;
    assert_eq!(open["data"].as_array().unwrap().len(), 1, "{open}");
    assert_eq!(open["data"][0]["builtin_code"], code.as_str());
    let offer = ada.json(&format!("{path}/offer")).await;
    let difference = json!({
        "field": "title", "copied": offer["differences"][0]["copied"], "here": "Our own <words>",
        "offered": "The second wording",
    });
    assert_eq!(
        offer,
        json!({ "held_version": 1, "offered_version": 2, "status": "open", "differences": [difference] })
    );
    assert!(difference["copied"].as_str().is_some_and(|copied| !copied.is_empty()));

    // Another's row is not there; who may only read does not answer; an answer says what it means.
    let accept = format!("{path}/accept-offer");
    let hidden = problem(StatusCode::NOT_FOUND, "not_found");
    for action in ["accept-offer", "decline-offer"] {
        let request = eve.post(&format!("{path}/{action}")).header("if-match", "*");
        assert_eq!(refused(request).await, hidden);
        let nobody = Person::nobody(&world.server.url).post(&format!("{path}/{action}"));
        assert_eq!(refused(nobody).await, problem(StatusCode::UNAUTHORIZED, "unauthenticated"));
    }
    assert_eq!(refused(eve.get(&format!("{path}/offer"))).await, hidden);
    let key = json!({ "name": "k", "permissions": ["controls:read", "personas:update"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let key = key["key"].as_str().unwrap();
    for action in ["accept-offer", "decline-offer"] {
        let request = Person::nobody(&world.server.url).post(&format!("{path}/{action}"));
        let told = refused(request.bearer_auth(key).header("if-match", "*")).await;
        assert_eq!(told, problem(StatusCode::FORBIDDEN, "forbidden"));
    }
    let looks = Person::nobody(&world.server.url).get(&format!("{path}/offer")).bearer_auth(key);
    assert_eq!(answered(looks).await["offered_version"], 2);
    for (request, status, code) in [
        (ada.post(&accept), StatusCode::PRECONDITION_REQUIRED, "precondition_required"),
        (ada.post(&accept).header("if-match", "\"1\""), StatusCode::PRECONDITION_FAILED, "stale"),
        (
            ada.post(&format!("{accept}?offered_version=3")).header("if-match", "*"),
            StatusCode::PRECONDITION_FAILED,
            "stale",
        ),
        (
            ada.post(&format!("{path}/decline-offer")).header("if-match", "\"1\""),
            StatusCode::PRECONDITION_FAILED,
            "stale",
        ),
        (
            ada.post(&format!("{accept}?offered_version=two")).header("if-match", "*"),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
        ),
    ] {
        assert_eq!(refused(request).await, problem(status, code));
    }
    assert_eq!(ada.json(&path).await["title"], "Our own <words>");

    let row = ada.json(&path).await;
    let request = ada.post(&format!("{accept}?offered_version=2"));
    let answer = request.header("if-match", row["version"].to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let taken: Value = answer.json().await.unwrap();
    assert_eq!(taken["title"], "The second wording");
    assert_eq!((&taken["builtin_version"], format!("\"{}\"", taken["version"])), (&json!(2), etag));
    let again = refused(ada.post(&accept).header("if-match", "*")).await;
    assert_eq!(again, problem(StatusCode::CONFLICT, "no_offer"));
    assert_eq!(refused(ada.get(&format!("{path}/offer"))).await, hidden);

    // It is in the trail, as hers.
    let id = row["id"].as_str().unwrap();
    let trail = ada.json(&format!("/v1/audit/entries?entity_id={id}&limit=1")).await;
    let entry = &trail["data"][0];
    assert_eq!(entry["actor_type"], "user", "{entry}");
    assert!(entry["changes"].to_string().contains("Our own <words>"), "{entry}");

    values["title"] = json!("The third wording");
    world.upgrade("compliance.controls", &code, 3, values).await;
    let followed = world.ada.json(&path).await;
    assert_eq!(
        (&followed["title"], &followed["builtin_version"]),
        (&json!("The third wording"), &json!(3))
    );
}

/// Whoever may change a thing may answer what is offered beside it; everybody else is refused.
#[tokio::test]
async fn each_role_answers_for_what_it_may_change() {
    let world = world().await;
    for path in ["controls", "frameworks", "personas", "assistant_templates"] {
        let row = world.ada.json(&format!("/v1/{path}?limit=1&fields=id")).await;
        let id = row["data"][0]["id"].as_str().unwrap().to_owned();
        for role in ephor_identity::BUILTIN_ROLES {
            let key = json!({ "name": role.code, "permissions": role.permissions });
            let key = answered(world.ada.post("/v1/api-keys").json(&key)).await;
            let key = key["key"].as_str().unwrap();
            let expected = if role.permission_set().allows(path, "update") {
                problem(StatusCode::CONFLICT, "no_offer")
            } else {
                problem(StatusCode::FORBIDDEN, "forbidden")
            };
            for action in ["accept-offer", "decline-offer"] {
                let request = Person::nobody(&world.server.url)
                    .post(&format!("/v1/{path}/{id}/{action}"))
                    .bearer_auth(key)
                    .header("if-match", "*");
                assert_eq!(refused(request).await, expected, "{} {path} {action}", role.code);
            }
        }
    }
}

#[tokio::test]
async fn what_is_declined_is_silent_until_the_next_version() {
    let mut world = world().await;
    let (path, code, mut values) = world.offered().await;
    let before = world.ada.json(&path).await;
    let decline = format!("{path}/decline-offer");
    let declined = answered(world.ada.post(&decline)).await;
    assert_eq!(declined, before, "the row stays as it is");
    let again = refused(world.ada.post(&decline)).await;
    assert_eq!(again, problem(StatusCode::CONFLICT, "no_offer"));
    let open = async |ada: &Person| -> usize {
        let found = ada.json("/v1/builtin_copies?offer_status=eq.open").await;
        found["data"].as_array().unwrap().len()
    };
    assert_eq!(open(&world.ada).await, 0);

    // Every start follows again.
    world.upgrade("compliance.controls", &code, 2, values.clone()).await;
    assert_eq!(open(&world.ada).await, 0);
    values["title"] = json!("The third wording");
    world.upgrade("compliance.controls", &code, 3, values).await;
    assert_eq!(open(&world.ada).await, 1);
    let offer = world.ada.json(&format!("{path}/offer")).await;
    assert_eq!((&offer["status"], &offer["offered_version"]), (&json!("open"), &json!(3)));

    // A changed mind.
    answered(world.ada.post(&decline)).await;
    assert_eq!(world.ada.json(&format!("{path}/offer")).await["status"], "declined");
    let taken =
        answered(world.ada.post(&format!("{path}/accept-offer")).header("if-match", "*")).await;
    assert_eq!(taken["title"], "The third wording");

    // What never was a copy, or was never changed, is offered nothing.
    let own = json!({ "code": "own-1", "title": "Ours" });
    let own = answered(world.ada.post("/v1/controls").json(&own)).await;
    let own = format!("/v1/controls/{}/decline-offer", own["id"].as_str().unwrap());
    assert_eq!(refused(world.ada.post(&own)).await, problem(StatusCode::CONFLICT, "no_offer"));
}

#[tokio::test]
async fn an_offer_is_seen_and_answered_on_pages_and_by_command() {
    let mut world = world().await;
    let (path, _, _) = world.offered().await;
    let place = path.replace("/v1/", "/resources/");
    let ada = &world.ada;

    let list = ada.page("/resources/controls?sort=code").await;
    list.shows("version 2 is offered");
    list.shows("1 newer version offered");
    let copies = "/resources/builtin_copies?entity=eq.compliance.controls&offer_status=open";
    list.shows(&copies.replace('&', "&#38;"));
    ada.page(copies).await.shows(&format!("href=\"{place}\""));
    let page = ada.page(&place).await;
    for text in
        ["version 2 is offered", "The second wording", "Our own &lt;words&gt;", "Accept version 2"]
    {
        page.shows(text);
    }
    let declined = ada.press(&page, &format!("{place}/decline-offer")).await;
    declined.shows("Declined.");
    declined.shows("version 2 was declined");
    declined.hides("Decline version 2");
    ada.page("/resources/controls?sort=code").await.hides("version 2 is offered");

    let key = json!({ "name": "k", "permissions": ["*"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let key = key["key"].as_str().unwrap().to_owned();
    let (url, id) = (world.server.url.clone(), path.rsplit('/').next().unwrap().to_owned());
    let told = tokio::task::spawn_blocking(move || {
        let run = |arguments: &[&str]| {
            let mut command = ephor();
            command.env("EPHOR_SERVER", &url).env("EPHOR_API_KEY", &key).arg("resource");
            let output = command.args(arguments).output().unwrap();
            let told = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8(told).unwrap())
        };
        [
            run(&["offer", "controls", &id]),
            run(&["accept-offer", "controls", &id]),
            run(&["accept-offer", "controls", &id, "--yes"]),
            run(&["decline-offer", "controls", &id]),
        ]
    })
    .await
    .unwrap();
    let [shown, unasked, taken, none] = told;
    assert!(shown.0 == Some(0) && shown.1.contains("The second wording"), "{shown:?}");
    assert!(unasked.0 == Some(2) && unasked.1.contains("--yes"), "{unasked:?}");
    assert!(taken.0 == Some(0) && taken.1.contains("The second wording"), "{taken:?}");
    assert!(none.0 == Some(2) && none.1.contains("no such offer"), "{none:?}");
    let page = ada.page(&place).await;
    page.shows("The second wording");
    page.hides("Accept version 2");

    // Of what was not changed here, nothing is told.
    let page = ada.page("/resources/personas").await;
    page.hides("is offered");
}

/// Whatever is copied into organizations can be answered for, and nothing else.
#[test]
fn every_built_in_table_has_its_operations() {
    let mut copied: Vec<&str> = ephor_compliance::builtin::builtins(&[])
        .unwrap()
        .iter()
        .chain([&ephor_deliberation::builtin::builtins().unwrap()])
        .chain([&ephor_workforce::builtin::builtins().unwrap()])
        .chain([&ephor_guard::builtin::builtins().unwrap()])
        .map(|table| table.entity)
        .collect();
    let mut answered: Vec<&str> = [
        ephor_compliance::RESOURCES,
        ephor_deliberation::RESOURCES,
        ephor_workforce::RESOURCES,
        ephor_guard::RESOURCES,
    ]
    .into_iter()
    .flatten()
    .filter(|spec| spec.is_builtin())
    .map(ephor_rest::ResourceSpec::table)
    .collect();
    copied.sort_unstable();
    answered.sort_unstable();
    assert_eq!(copied, answered);
}
