//! Every operation of `/openapi.json`, asked by those who may not: by nobody, by a stranger, a sibling and the
//! holding with the id of a row that is not theirs, by who names such a row in a body, and by each built-in role.
//!
//! Operations are read from the document, so that a new one is covered by being there. One whose `{id}` is of
//! nothing known here makes the test fail.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

use ephor_rest::ResourceSpec;
use ephor_store::embedded::Urls;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::{
    resource_isolation::{
        catalog::{Table, tenant_tables},
        specs, world,
    },
    support::{
        Server,
        api::{Person, answered},
        data_folder, within_async,
    },
};

/// The list may only shrink: what is on it answers without a log-in.
const PUBLIC: [&str; 11] = [
    "GET /v1/auth/providers",
    // Rows are pushed with a token of the feed.
    "POST /in/rows",
    "POST /v1/auth/accept-invitation",
    "POST /v1/auth/forgot-password",
    "POST /v1/auth/invitation-offer",
    "POST /v1/auth/join",
    "POST /v1/auth/join-offer",
    "POST /v1/auth/log-in",
    "POST /v1/auth/log-in/code",
    "POST /v1/auth/reset-password",
    "POST /v1/auth/sign-up",
];

/// What is everybody's own, whatever the role, and ends sessions or changes passwords when asked for.
const OWN: [&str; 3] = ["/v1/auth/", "/v1/me/", "/v1/session/"];

/// Where people are looked up who are named: a resource's specification says which columns name them, and no
/// foreign key, as people leave and stay named.
const MEMBERS: (&str, &str) = ("identity.organization_members", "user_id");

/// What a trigger looks up: conversations are kept by month, so no foreign key leads there.
const BY_TRIGGER: [(&str, (&str, &str)); 1] =
    [("conversation_log_id", ("gateway.conversation_logs", "id"))];

/// The list may only shrink: before the reference is looked at, the row's own state or another field refuses.
const REFUSED_BEFORE: [&str; 3] = [
    "POST /v1/mitigation_artifacts/{id}/apply dataset_id",
    "POST /v1/model_explanations background_dataset_id",
    "POST /v1/model_explanations dataset_id",
];

/// What the owner's own row need not have: an offer that waits, and a file behind the made-up row.
const NOTHING_THERE: [&str; 2] = ["/offer", "/archives/{id}/content"];

const ROLES: [&str; 6] = ["owner", "admin", "manager", "operator", "member", "viewer"];
const PASSWORD: &str = "correct horse battery";

/// An operation of the document.
struct Route {
    method: Method,
    path: String,
    described: Value,
}

impl Route {
    fn all(document: &Value) -> Vec<Self> {
        let paths = document["paths"].as_object().unwrap();
        let routes = paths.iter().flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(|(method, described)| Self {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                described: described.clone(),
            })
        });
        routes.collect()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn is_public(&self) -> bool {
        self.described["security"].as_array().is_some_and(Vec::is_empty)
    }

    fn is_own(&self) -> bool {
        self.path == "/v1/me" || OWN.iter().any(|start| self.path.starts_with(start))
    }

    fn has_id(&self) -> bool {
        self.path.contains('{')
    }

    /// With an id in its place, and what else the query requires.
    fn address(&self, document: &Value, id: Uuid) -> String {
        let mut address = self.path.replace("{id}", &id.to_string()).replace("{version}", "1.0.0");
        assert!(!address.contains('{'), "{address}: say here what else stands in paths");
        let parameters = self.described["parameters"].as_array().into_iter().flatten();
        let required = parameters.filter(|it| it["in"] == "query" && it["required"] == true);
        for (place, parameter) in required.enumerate() {
            let name = parameter["name"].as_str().unwrap();
            let value = match &parameter["schema"]["format"] {
                // Another of the same kind: the row itself will do.
                format if format == "uuid" => json!(id),
                _ => sample(document, name, &parameter["schema"]),
            };
            let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let sign = if place == 0 { '?' } else { '&' };
            write!(address, "{sign}{name}={value}").unwrap();
        }
        address
    }

    fn takes(&self, parameter: &str) -> bool {
        let parameters = self.described["parameters"].as_array();
        parameters.into_iter().flatten().any(|it| it["name"] == parameter)
    }

    /// The schema of its body, if that is JSON.
    fn schema(&self) -> Option<&Value> {
        let content = self.described["requestBody"]["content"].as_object()?;
        content.iter().find(|(kind, _)| kind.contains("json")).map(|(_, body)| &body["schema"])
    }

    fn takes_bytes(&self) -> bool {
        self.described["requestBody"].is_object() && self.schema().is_none()
    }
}

/// What a schema comes to, through references and the first of several.
fn resolved<'a>(document: &'a Value, mut schema: &'a Value) -> &'a Value {
    loop {
        schema = if schema["oneOf"].is_array() {
            &schema["oneOf"][0]
        } else if let Some(reference) = schema["$ref"].as_str() {
            document.pointer(reference.trim_start_matches('#')).unwrap()
        } else {
            return schema;
        }
    }
}

/// A value that fits; of an object, what is required.
fn sample(document: &Value, name: &str, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    if let Some(word) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return word.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match (kind, schema["format"].as_str()) {
        (_, Some("uuid")) => json!(Uuid::now_v7()),
        (_, Some("email")) => json!("somebody@example.org"),
        (_, Some("date-time")) if name.starts_with("start") => json!("2040-01-01T00:00:00Z"),
        (_, Some("date-time")) => json!("2040-01-02T00:00:00Z"),
        (Some("object"), _) => {
            let required = schema["required"].as_array().into_iter().flatten();
            let fields = required.map(|name| {
                let name = name.as_str().unwrap();
                (name.to_owned(), sample(document, name, &schema["properties"][name]))
            });
            Value::Object(fields.collect())
        }
        (Some("array"), _) => json!([]),
        (Some("integer" | "number"), _) => {
            schema.get("minimum").cloned().unwrap_or_else(|| json!(1))
        }
        (Some("boolean"), _) => json!(false),
        // Names are there once.
        _ => {
            let mut text = format!("x{}", Uuid::new_v4().simple());
            text.truncate(12);
            json!(text)
        }
    }
}

/// A row of the organization that is asked for.
struct Sample {
    table: String,
    id: Uuid,
}

/// What is asked, and what was found.
struct Suite {
    url: String,
    document: Value,
    database: PgConnection,
    tables: Vec<Table>,
    cases: usize,
    wrong: Vec<String>,
}

/// What was answered.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Without what differs from request to request, and with a word for the id that was asked for. Of a
    /// success only that it is one: its rows have ids and times of their own.
    fn told(&self, id: &str) -> String {
        let mut body = self.body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("request_id");
        }
        let body = if self.status < 300 { String::new() } else { body.to_string() };
        format!("{} {}", self.status, body.replace(id, "ID"))
    }

    fn names(&self, field: &str) -> bool {
        let place = format!("/{field}");
        let faults = self.body["faults"].as_array().into_iter().flatten();
        faults.filter_map(|fault| fault["pointer"].as_str()).any(|pointer| {
            pointer == place || pointer.strip_prefix(&place).is_some_and(|it| it.starts_with('/'))
        })
    }
}

impl Suite {
    fn check(&mut self, right: bool, what: impl FnOnce() -> String) {
        self.cases += 1;
        if !right {
            self.wrong.push(what());
        }
    }

    async fn ask(&self, who: &Person, route: &Route, id: Uuid, body: Option<Value>) -> Answer {
        let address = route.address(&self.document, id);
        let mut request =
            who.client.request(route.method.clone(), format!("{}{address}", self.url));
        // Some refuse a change that names no version, before they look for the row.
        if route.method != Method::GET {
            request = request.header("if-match", "*");
        }
        if let Some(body) = body {
            request = request.json(&body);
        } else if route.takes_bytes() {
            request = request.header("content-type", "application/octet-stream").body("x");
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, body }
    }

    /// A body that is looked at no further than for what is required.
    fn body(&self, route: &Route) -> Option<Value> {
        let schema = route.schema()?;
        let body = match route.path.as_str() {
            "/v1/members/{id}" => json!({ "role": "viewer" }),
            _ if route.method == Method::PATCH => json!({}),
            _ => sample(&self.document, "", schema),
        };
        Some(body)
    }

    /// Each tenant's table that is served has a row of the organization; where there is none, one is made up.
    async fn fill(&mut self, served: &BTreeSet<String>, organization: Uuid, person: Uuid) {
        for table in self.tables.iter().filter(|table| served.contains(&table.name)) {
            if any(&mut self.database, &table.name, "id", organization).await.is_some() {
                continue;
            }
            let statement = world::insert(table, organization, Uuid::now_v7(), Some(person));
            let mut tx = self.database.begin().await.unwrap();
            tx.execute("set local session_replication_role = replica").await.unwrap();
            tx.execute(AssertSqlSafe(statement)).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    /// The whole row as text.
    async fn row(&mut self, sample: &Sample) -> Option<String> {
        let sql = format!("select t::text from {} t where id = $1", sample.table);
        let row = sqlx::query_scalar(AssertSqlSafe(sql)).bind(sample.id);
        row.fetch_optional(&mut self.database).await.unwrap()
    }

    /// Nobody gets further than 401, but where the list says so.
    async fn nobody(&mut self, routes: &[Route]) {
        let nobody = Person::with(client(), &self.url);
        let mut open = Vec::new();
        for route in routes {
            if route.is_public() {
                open.push(route.name());
                self.cases += 1;
                continue;
            }
            let body = self.body(route);
            let answer = self.ask(&nobody, route, Uuid::now_v7(), body).await;
            let refused = (answer.status, answer.code()) == (401, "unauthenticated");
            self.check(refused, || format!("{}: {} to nobody", route.name(), answer.status));
        }
        open.sort();
        assert_eq!(open, PUBLIC, "a route needs a log-in, or a reason to stand on the list");
    }

    /// What is another's is answered as what is not there, and stays as it is.
    async fn strangers(
        &mut self,
        route: &Route,
        sample: &Sample,
        owner: &Person,
        strangers: &[(&str, &Person)],
    ) {
        let body = self.body(route);
        // The id is one of a row: whoever it belongs to gets further.
        if route.method == Method::GET && !NOTHING_THERE.iter().any(|end| route.path.ends_with(end))
        {
            let answer = self.ask(owner, route, sample.id, None).await;
            self.check(answer.status != 404, || {
                format!("{}: its owner does not find it either: {}", route.name(), answer.body)
            });
        }
        let before = self.row(sample).await;
        assert!(before.is_some(), "{}: there is no row", route.name());
        for (name, person) in strangers {
            let missing = Uuid::now_v7();
            let theirs = self.ask(person, route, sample.id, body.clone()).await;
            let nobodys = self.ask(person, route, missing, body.clone()).await;
            let told = theirs.told(&sample.id.to_string());
            self.check(theirs.status == 404, || format!("{} to {name}: {told}", route.name()));
            let same = told == nobodys.told(&missing.to_string());
            self.check(same, || {
                format!("{} tells {name} that there is a row: {told}", route.name())
            });
        }
        let kept = self.row(sample).await == before;
        self.check(kept, || format!("{}: somebody else changed the row", route.name()));
    }

    /// Nobody's list holds what is another's, but a holding's that names the organization, where the document says that
    /// it may.
    async fn lists(&mut self, route: &Route, first: Uuid, strangers: &[(&str, &Person)]) {
        let reaching = route.takes("organizations");
        for (name, person) in strangers {
            for query in ["limit=500".to_owned(), format!("limit=500&organizations={first}")] {
                let address = format!("{}?{query}", route.path);
                let answer = person.get(&address).send().await.unwrap();
                let status = answer.status().as_u16();
                let body: Value = answer.json().await.unwrap_or_default();
                let rows = body["data"].as_array().into_iter().flatten();
                let theirs = rows.filter(|row| row["organization_id"] == first.to_string()).count();
                let named = query.contains("organizations");
                let right = match (*name, named, reaching) {
                    (_, false, _) => status == 200 && theirs == 0,
                    ("the holding", true, true) => status == 200 && theirs > 0,
                    // Another's organization is refused, and so is a parameter that is none here.
                    (_, true, _) => (400..500).contains(&status) && theirs == 0,
                };
                self.check(right, || format!("{address} to {name}: {status}, {theirs} rows"));
            }
        }
    }

    /// Whoever names another's row in a body learns as little as who names none, and it is not taken.
    async fn references(&mut self, route: &Route, asked: &Asked<'_>) {
        let Some(schema) = route.schema().cloned() else { return };
        let schema = resolved(&self.document, &schema).clone();
        let table = asked.table(route);
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if !property.to_string().contains("\"uuid\"") {
                continue;
            }
            let name = format!("{} {field}", route.name());
            let theirs = match asked.target(&table, field) {
                Some((target, column)) if self.tables.iter().any(|it| it.name == target) => {
                    any(&mut self.database, target, column, asked.theirs).await
                }
                // It belongs to nobody.
                Some(_) => continue,
                None => {
                    panic!("{name}: nothing says what it refers to, so anything would be taken")
                }
            };
            let theirs = theirs.unwrap_or_else(|| panic!("{name}: there is no row to name"));
            let mine = asked.ids.get(&table).copied().unwrap_or_else(Uuid::now_v7);
            let mut told = Vec::new();
            for id in [theirs, Uuid::now_v7()] {
                let mut body = self.naming(route, &schema, field, asked).await;
                let several =
                    resolved(&self.document, property)["type"].to_string().contains("array");
                body[field] = if several { json!([id]) } else { json!(id) };
                let answer = self.ask(asked.by, route, mine, Some(body)).await;
                let looked = answer.names(field) || answer.status == 404;
                let listed = REFUSED_BEFORE.contains(&name.as_str()) && answer.status < 500;
                let taken = answer.status < 300;
                let said = answer.told(&id.to_string());
                self.check((looked || listed) && !taken, || format!("{name}: {said}"));
                told.push(said);
            }
            // Made-up names differ from one to the other.
            let same = told[0] == told[1];
            self.check(same, || format!("{name} tells others' rows: {}\n    {}", told[0], told[1]));
        }
    }

    /// A body that is good but for one field: what else it names is one's own.
    async fn naming(
        &mut self,
        route: &Route,
        schema: &Value,
        field: &str,
        asked: &Asked<'_>,
    ) -> Value {
        let mut body = if route.method == Method::PATCH {
            json!({})
        } else {
            sample(&self.document, "", schema)
        };
        let own = ["dataset_id", "model_id", "control_id"];
        let subject = field.strip_suffix("_id").unwrap_or_default();
        match route.path.rsplit('/').next().unwrap_or_default() {
            "assessments" | "compliance_reports" if ["ai_system", "model"].contains(&subject) => {
                body["subject_type"] = json!(subject);
            }
            "evidence" if route.method == Method::POST => {
                body["kind"] = json!("document");
                body["location"] = json!("https://example.org/document");
            }
            "bias_analyses" => {
                body["parameters"] =
                    json!({ "target": "y", "prediction": "p", "protected": ["sex"] });
            }
            "team_invitations" if field != "role_id" => body["role"] = json!("member"),
            _ => {}
        }
        let required: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        for name in required {
            let table = asked.table(route);
            let target = asked.references.get(&(table, name.clone())).cloned().or_else(|| {
                let mut all = asked.references.iter().filter(|((_, column), _)| *column == name);
                all.next().map(|(_, target)| target.clone()).filter(|_| own.contains(&&*name))
            });
            let Some((target, column)) = target else { continue };
            if self.tables.iter().any(|it| it.name == target)
                && let Some(id) = any(&mut self.database, &target, &column, asked.mine).await
            {
                body[&name] = json!(id);
            }
        }
        body
    }

    /// Is it refused for want of the permission? It is asked for what is not there, and with an empty body.
    async fn refuses(&mut self, who: &Person, route: &Route) -> bool {
        let body = route.schema().map(|_| json!({}));
        let answer = self.ask(who, route, Uuid::now_v7(), body).await;
        let (status, name) = (answer.status, route.name());
        self.check(status < 500 && status != 401, || format!("{name}: {status} {}", answer.body));
        status == 403
    }
}

/// Whose rows are named, by whom, and what refers to what.
struct Asked<'a> {
    by: &'a Person,
    /// The organization that asks, and the one whose rows are named.
    mine: Uuid,
    theirs: Uuid,
    /// By path: the table.
    paths: &'a HashMap<&'static str, ResourceSpec>,
    /// By table: the id of a row of one's own.
    ids: &'a HashMap<String, Uuid>,
    /// By table and column: the table and the column that it refers to.
    references: &'a HashMap<(String, String), (String, String)>,
}

impl Asked<'_> {
    /// The table and column that a field refers to: by a foreign key, as people are named, by a trigger, or, of a
    /// part and of a request of its own, as the column of that name elsewhere.
    fn target(&self, table: &str, field: &str) -> Option<(&str, &str)> {
        let by_key = self.references.get(&(table.to_owned(), field.to_owned()));
        if let Some((table, column)) = by_key {
            return Some((table.as_str(), column.as_str()));
        }
        if self.paths.values().any(|spec| spec.names_people(field)) {
            return Some(MEMBERS);
        }
        let by_trigger = BY_TRIGGER.into_iter().find(|(column, _)| *column == field);
        by_trigger.map(|(_, target)| target).or_else(|| {
            let mut all = self.references.iter().filter(|((_, column), _)| column == field);
            all.next().map(|(_, (table, column))| (table.as_str(), column.as_str()))
        })
    }

    /// The table of the first part of a path; empty if there is none.
    fn table(&self, route: &Route) -> String {
        let first = route.path.split('/').nth(2).unwrap_or_default();
        self.paths.get(first).map(|spec| spec.table().to_owned()).unwrap_or_default()
    }
}

/// A client that uses no connection twice: one that was refused before its body was read may be closed.
fn client() -> Client {
    Client::builder().cookie_store(true).pool_max_idle_per_host(0).build().unwrap()
}

/// Somebody who signed up, with the answer.
async fn signed_up(url: &str, email: &str, kind: &str) -> (Person, Value) {
    let person = Person::with(client(), url);
    let body = json!({
        "email": email, "password": PASSWORD, "full_name": "Ada Lovelace", "kind": kind,
        "organization_name": format!("Organization of {email}"),
    });
    let answer = answered(person.post("/v1/auth/sign-up").json(&body)).await;
    (person, answer)
}

/// Somebody who joins the organization where `by` is.
async fn joined(by: &Person, url: &str, name: &str, role: &str) -> Person {
    let body = json!({
        "email": format!("{name}@example.org"), "full_name": format!("Name of {name}"), "role": role,
    });
    let added = answered(by.post("/v1/members").json(&body)).await;
    let person = Person::with(client(), url);
    let body = json!({ "token": added["join"]["token"], "password": PASSWORD, "consent": true });
    let answer = person.post("/v1/auth/join").json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    person
}

async fn goes_to(person: &Person, organization: Uuid) {
    let body = json!({ "organization_id": organization });
    let answer = person.post("/v1/session/organization").json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

/// A value of the column in some row of the organization.
async fn any(
    database: &mut PgConnection,
    table: &str,
    column: &str,
    organization: Uuid,
) -> Option<Uuid> {
    let sql = format!("select {column} from {table} where organization_id = $1 limit 1");
    let row = sqlx::query_scalar(AssertSqlSafe(sql)).bind(organization);
    row.fetch_optional(database).await.unwrap()
}

/// By table and column: what a foreign key says that it refers to.
async fn references(database: &mut PgConnection) -> HashMap<(String, String), (String, String)> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "select c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text, b.attname::text
           from pg_constraint c
          cross join lateral unnest(c.conkey, c.confkey) as k (here, there)
           join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.here
           join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.there
          where c.contype = 'f' and c.conparentid = 0 and a.attname <> 'organization_id'
          order by 1, 2",
    )
    .fetch_all(database)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(table, column, other, there)| ((table, column), (other, there)))
        .collect()
}

/// An organization with a file and its analysis, so that what is read is there.
async fn analysed(person: &Person) {
    let dataset = person.upload("loans", b"sex,y,p\nf,1,1\nm,0,1\nf,1,0\nm,1,1\n".to_vec()).await;
    let parameters =
        json!({ "target": "y", "prediction": "p", "protected": ["sex"], "min_group_size": 0 });
    let analysis = person.analyse(&dataset, parameters).await;
    person.ended(&analysis).await;
}

/// Waits until what is made in the background is there.
async fn found(what: &str, person: &Person, path: &str) {
    within_async(what, async || {
        let answer = person.get(path).send().await.unwrap();
        answer.status().is_success().then_some(())
    })
    .await;
}

/// What belongs to a person and not to an organization, or has no resource: by the beginning of its path.
async fn apart(
    database: &mut PgConnection,
    person: &Person,
    user: Uuid,
    organization: Uuid,
) -> HashMap<&'static str, Sample> {
    let export = answered(person.post("/v1/me/exports")).await;
    let path = format!("/v1/me/exports/{}/content", export["id"].as_str().unwrap());
    found("the export is made", person, &path).await;
    let session = sqlx::query_scalar("select id from identity.sessions where user_id = $1 limit 1")
        .bind(user)
        .fetch_one(&mut *database)
        .await
        .unwrap();
    let identity = sqlx::query_scalar(
        "insert into identity.user_identities (user_id, provider, subject)
         values ($1, 'elsewhere', 'somebody') returning id",
    )
    .bind(user)
    .fetch_one(&mut *database)
    .await
    .unwrap();
    let entry = any(database, "audit.audit_logs", "id", organization).await.unwrap();
    found("the entry is sealed", person, &format!("/v1/audit/entries/{entry}/proof")).await;
    let archive = any(database, "ops.archives", "id", organization).await.unwrap();
    [
        ("/v1/me/exports/", "identity.data_exports", id(&export["id"])),
        ("/v1/me/identities/", "identity.user_identities", identity),
        ("/v1/sessions/", "identity.sessions", session),
        ("/v1/audit/entries/", "audit.audit_logs", entry),
        ("/v1/archives/", "ops.archives", archive),
    ]
    .into_iter()
    .map(|(path, table, id)| (path, Sample { table: table.to_owned(), id }))
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "how much was tried is told to whoever looks")]
async fn no_operation_answers_whom_it_does_not_concern() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = server.url.clone();
    let urls = Urls::of_folder(data.path()).unwrap();
    let mut database = PgConnection::connect(&urls.superuser()).await.unwrap();
    let pool = sqlx::PgPool::connect(&urls.superuser()).await.unwrap();
    let tables = tenant_tables(&pool).await;
    pool.close().await;

    // Ada owns a holding and its subsidiaries; Hal the holding alone, Ben one subsidiary, Eve what is far away.
    let (ada, her) = signed_up(&url, "ada@example.org", "holding").await;
    let open = async |name: &str| {
        let body = json!({ "name": name });
        id(&answered(ada.post("/v1/organizations").json(&body)).await["id"])
    };
    let (first, second) = (open("First").await, open("Second").await);
    let hal = joined(&ada, &url, "hal", "owner").await;
    goes_to(&ada, second).await;
    let ben = joined(&ada, &url, "ben", "owner").await;
    goes_to(&ada, first).await;
    let (eve, far) = signed_up(&url, "eve@example.org", "standalone").await;
    let far_away = id(&far["organization_id"]);
    let (user, eves) = (id(&her["user_id"]), id(&far["user_id"]));
    analysed(&ada).await;
    analysed(&eve).await;

    within_async("the jobs are done", async || {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from ops.jobs where organization_id = $1 and finished_at is null",
        )
        .bind(first)
        .fetch_one(&mut database)
        .await
        .unwrap();
        (open == 0).then_some(())
    })
    .await;

    let paths: HashMap<&'static str, ResourceSpec> =
        specs().map(|spec| (spec.path(), spec)).collect();
    let mut served: BTreeSet<String> = paths.values().map(|spec| spec.table().to_owned()).collect();
    served.insert("ops.archives".to_owned());
    let references = references(&mut database).await;
    let document = ada.json("/openapi.json").await;
    let routes = Route::all(&document);
    let mut suite =
        Suite { url: url.clone(), document, database, tables, cases: 0, wrong: Vec::new() };
    suite.fill(&served, first, user).await;
    suite.fill(&served, far_away, eves).await;
    let apart = apart(&mut suite.database, &ada, user, first).await;

    suite.nobody(&routes).await;

    let strangers = [("a stranger", &eve), ("a sibling", &ben), ("the holding", &hal)];
    for route in routes.iter().filter(|route| route.has_id()) {
        let word = route.path.split('/').nth(2).unwrap_or_default();
        if let Some((_, sample)) = apart.iter().find(|(start, _)| route.path.starts_with(**start)) {
            suite.strangers(route, sample, &ada, &strangers).await;
            continue;
        }
        let spec = paths.get(word).unwrap_or_else(|| {
            panic!("{}: say here which row it is of, so that others' are asked for", route.name())
        });
        // What belongs to nobody is everybody's to read.
        if spec.is_global() {
            continue;
        }
        let row = any(&mut suite.database, spec.table(), "id", first).await;
        let row = row.unwrap_or_else(|| panic!("{}: there is no row", route.name()));
        let sample = Sample { table: spec.table().to_owned(), id: row };
        suite.strangers(route, &sample, &ada, &strangers).await;
    }
    for route in routes.iter().filter(|route| route.method == Method::GET && !route.has_id()) {
        let spec = route.path.strip_prefix("/v1/").and_then(|path| paths.get(path));
        if spec.is_some_and(|spec| !spec.is_global()) {
            suite.lists(route, first, &strangers).await;
        }
    }
    let concerned = suite.cases;

    let mut ids = HashMap::new();
    for spec in paths.values().filter(|spec| !spec.is_global()) {
        if let Some(row) = any(&mut suite.database, spec.table(), "id", far_away).await {
            ids.insert(spec.table().to_owned(), row);
        }
    }
    let asked = Asked {
        by: &eve,
        mine: far_away,
        theirs: first,
        paths: &paths,
        ids: &ids,
        references: &references,
    };
    for route in routes.iter().filter(|route| !route.is_own()) {
        suite.references(route, &asked).await;
    }
    let named = suite.cases - concerned;

    let mut people = vec![ada];
    for role in &ROLES[1..] {
        people.push(joined(&people[0], &url, role, role).await);
    }
    let mut matrix = format!("{:60}", "");
    for role in ROLES {
        write!(matrix, "{role:>10}").unwrap();
    }
    for route in routes.iter().filter(|route| !route.is_own() && !route.is_public()) {
        write!(matrix, "\n{:60}", route.name()).unwrap();
        for person in &people {
            let word = if suite.refuses(person, route).await { "-" } else { "may" };
            write!(matrix, "{word:>10}").unwrap();
        }
    }
    let cases = suite.cases;
    println!(
        "{} operations, {cases} cases: {concerned} of whom they do not concern, {named} of others' rows in bodies, \
         {} of roles",
        routes.len(),
        cases - concerned - named,
    );
    assert!(suite.wrong.is_empty(), "{} cases:\n  {}", cases, suite.wrong.join("\n  "));
    assert!(cases > 4_500, "only {cases} cases");
    insta::assert_snapshot!(matrix);
}
