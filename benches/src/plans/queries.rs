//! The ten statements that a server runs most, as it sends them, and how PostgreSQL runs them.

use anyhow::{Context as _, Result};
use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, UserId};
use ephor_rest::{
    Actions, Bound, Cursors, Engine, Include, ListRequest, MAX_ROWS, PAGE_ROWS, ResourceSpec,
    Statement, count_statement, list_statement, plan,
};
use ephor_store::Store;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _, postgres::PgArguments, query::Query};
use uuid::Uuid;

/// The resource that the lists are of; its columns are the database's.
pub const MODELS: ResourceSpec = ResourceSpec::new("models", "registry.models")
    .labels("model", "models")
    .actions(Actions::READ)
    .search(&["name", "description"])
    .words_index()
    .include(&[Include::many("versions", "model_versions", "model_id")])
    .reach();

/// Its parts.
pub const VERSIONS: ResourceSpec = ResourceSpec::new("model_versions", "registry.model_versions")
    .labels("version", "versions")
    .actions(Actions::READ)
    .parent("models", "model_id", "versions")
    .reach();

/// One of the ten.
#[derive(Debug)]
pub struct Explained {
    /// What it is.
    pub name: &'static str,
    /// What its plan says.
    pub about: &'static str,
    /// Its text.
    pub sql: String,
    /// `EXPLAIN (ANALYZE, BUFFERS)` of it, under the role and the policies that it runs under.
    pub plan: String,
}

/// Explains all ten in the largest of the organizations; `superuser` takes the roles that no pool has.
pub async fn explain(
    store: &Store,
    superuser: &mut PgConnection,
    engine: &Engine,
    organizations: &[Uuid],
) -> Result<Vec<Explained>> {
    let own = *organizations.first().context("organizations")?;
    let subsidiaries = organizations.iter().rev().take(5).map(|id| OrganizationId::from(*id));
    let scope = Scope::new(
        Principal::User(UserId::new()),
        OrganizationId::from(own),
        PermissionSet::all(),
        RequestContext::default(),
    )
    .reading(subsidiaries);
    let (model, created_at): (Uuid, String) = sqlx::query_as(
        "select v.model_id, m.created_at::text from registry.model_versions v join registry.models m using (organization_id)
         where organization_id = $1 and m.id = v.model_id limit 1",
    )
    .bind(own)
    .fetch_one(&mut *superuser)
    .await?;
    let list = |path: &str, request: &ListRequest| -> Result<_> {
        let resource = engine.resource(path).context("the resource")?;
        let planned =
            plan(resource, request, &scope, &Cursors::new([7; 32]), (PAGE_ROWS, MAX_ROWS))
                .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
        Ok((resource, planned))
    };
    let listed = |path: &str, query: &str| -> Result<Statement> {
        let (resource, planned) = list(path, &ListRequest::from_query(query))?;
        Ok(list_statement(resource, &planned))
    };
    let counted = |path: &str, query: &str| -> Result<Statement> {
        let (resource, planned) = list(path, &ListRequest::from_query(query))?;
        Ok(count_statement(resource, &planned))
    };

    let (models, mut behind) = list("models", &ListRequest::new())?;
    behind.after = Some(vec![Some(created_at), Some(model.to_string())]);
    let words = "'batch777':*";
    let (_, found) = list("models", &ListRequest::new().search("batch777"))?;

    let mut app = Vec::new();
    for (name, about, statement) in [
        (
            "The first page of a list",
            "The index of the list's order hands on 51 rows, one more than the page, and the scan ends. The organization is compared once, in the one-time filter that the policy became.",
            listed("models", "")?,
        ),
        (
            "The page behind a cursor",
            "The same index, entered at the cursor's row: a page costs as much wherever it lies.",
            list_statement(models, &behind),
        ),
        (
            "A filtered list",
            "The index begins with the filtered column and goes on in the list's order, so that nothing is read that is not shown.",
            listed("models", "status=eq.active")?,
        ),
        (
            "One row",
            "The primary key, which begins with the organization.",
            listed("models", &format!("id=eq.{model}"))?,
        ),
        (
            "The count of a list",
            "Asked for only when the page does not show all there is. Each row of the organization that passes the filter is met once, in the index alone; the organization is compared before.",
            counted("models", "status=eq.active")?,
        ),
        (
            "The parts of a row",
            "The index of the foreign key finds the few versions of one model.",
            listed("model_versions", &format!("model_id=eq.{model}"))?,
        ),
        (
            "The history of a thing",
            "Each month's partition is asked by the index of the entity, from the newest on.",
            statement(
                "select id, created_at, actor_type, actor_id, action, entity_type, entity_id, body from audit.audit_logs\nwhere organization_id = $1 and entity_id = $2\norder by id desc limit 51",
                vec![Bound::Uuid(own), Bound::Uuid(model)],
            ),
        ),
    ] {
        app.push((name, about, statement));
    }
    let mut explained = Vec::new();
    let mut tx = store.begin(&scope).await?;
    for (name, about, statement) in app {
        explained.push(one(tx.conn(), name, about, statement).await?);
    }

    // The search takes two steps, as the engine does: the index of words, then those rows.
    let ids: Option<Vec<Uuid>> = sqlx::query_scalar("select search.ids($1, $2, $3)")
        .bind("registry.models")
        .bind(words)
        .bind(2000)
        .fetch_one(tx.conn())
        .await?;
    let ids = ids.context("the index of words knows the batch")?;
    let about = "The ids came from `search.ids` (the next plan); the primary key finds their rows, under row-level security, and the words are compared once more.";
    let statement_of = list_statement(models, &found.among(&ids));
    explained.push(one(tx.conn(), "A search", about, statement_of).await?);
    drop(tx);

    let about = "What `search.ids` does within: the index holds each word behind its organization's mark, and gives the rows of this organization alone.";
    let within = statement(
        "select t.id from registry.models as t where t.organization_id is not distinct from $1\n  and search.document(t.organization_id, coalesce(t.name, '') || ' ' || coalesce(t.description, '')) @@ $2::text::tsquery\nlimit 2001",
        vec![Bound::Uuid(own), Bound::Text(format!("'{}:batch777':*", mark(own)))],
    );
    explained.push(as_role(superuser, "ephor_search", "The rows of a word", about, within).await?);

    let about = "Who asks: the session by its token's hash, before there is an organization. Two unique indexes, whichever of the two tokens it is.";
    let session = statement(
        "select s.id, s.user_id, s.current_organization_id, s.csrf_secret, s.expires_at, a.last_seen_at\nfrom identity.sessions s\njoin identity.session_activity a on a.id = s.id and a.idle_expires_at > now()\nwhere (s.token_hash = sha256($1::text::bytea)\n       or (s.previous_token_hash = sha256($1::text::bytea) and s.rotated_at > now() - interval '1 minute'))\n  and s.is_active and s.expires_at > now()",
        vec![Bound::Text("7 7".into())],
    );
    explained.push(as_role(superuser, "ephor_door", "A session's look-up", about, session).await?);

    Ok(explained)
}

/// Does the plan read all of a table that has rows? An empty partition is read in no time.
pub fn reads_a_whole_table(plan: &str) -> bool {
    let lines: Vec<&str> = plan.lines().collect();
    lines.iter().enumerate().any(|(place, line)| {
        let removed = lines[place + 1..]
            .iter()
            .take_while(|line| !line.contains("->"))
            .any(|line| line.contains("Rows Removed by Filter"));
        line.contains("Seq Scan on") && (removed || !line.contains("rows=0 loops="))
    })
}

/// What stands before each word of an organization's rows.
pub fn mark(organization: Uuid) -> String {
    let text = organization.to_string();
    text[text.len() - 8..].to_owned()
}

/// A statement of the engine's or of the bench's own, with its values.
pub fn bound(sql: String, values: Vec<Bound>) -> Query<'static, Postgres, PgArguments> {
    values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
        Bound::Uuid(id) => query.bind(id),
        Bound::Uuids(ids) => query.bind(ids),
        Bound::Text(text) => query.bind(text),
        Bound::Texts(texts) => query.bind(texts),
        Bound::Number(number) => query.bind(number),
    })
}

fn statement(sql: &str, values: Vec<Bound>) -> Statement {
    Statement { sql: sql.to_owned(), values }
}

async fn as_role(
    superuser: &mut PgConnection,
    role: &str,
    name: &'static str,
    about: &'static str,
    statement: Statement,
) -> Result<Explained> {
    let set = format!("set role {role}");
    sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *superuser).await?;
    let explained = one(superuser, name, about, statement).await;
    sqlx::raw_sql("reset role").execute(&mut *superuser).await?;
    explained
}

/// Run twice: the second time what it reads is in memory.
async fn one(
    connection: &mut PgConnection,
    name: &'static str,
    about: &'static str,
    Statement { sql, values }: Statement,
) -> Result<Explained> {
    let mut plan = String::new();
    for _ in 0..2 {
        let explained = format!("explain (analyze, buffers) {sql}");
        let query = bound(explained, values.clone()).persistent(false);
        let rows = query.fetch_all(&mut *connection).await.with_context(|| sql.clone())?;
        let lines: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        plan = lines.join("\n");
    }
    Ok(Explained { name, about, sql, plan })
}
