//! The attempts that must fail, and the few that must succeed lest the others prove nothing.

use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::{
    attempts::{Attempter, Outcome, ROLES, count, write},
    catalog::Table,
    world::{World, insert},
};

/// From where something is attempted at the subsidiary's rows.
fn attempters(world: &World) -> Vec<(&'static str, Attempter)> {
    let scopes = [
        ("another tenant", Some(world.other), vec![world.other]),
        ("a sibling subsidiary", Some(world.sibling), vec![world.sibling]),
        ("the holding", Some(world.holding), vec![world.holding, world.subsidiary, world.sibling]),
        ("no scope", None, vec![]),
    ];
    let mut all = Vec::new();
    for role in ROLES {
        for (from, organization, readable) in &scopes {
            let attempter = Attempter {
                role,
                organization: *organization,
                readable: readable.clone(),
                actor: world.actor,
            };
            all.push((*from, attempter));
        }
    }
    all
}

/// Everything that a role reached and must not have, and whatever kept an attempt from proving anything.
pub async fn violations(admin: &PgPool, world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for table in &world.tables {
        for (from, who) in attempters(world) {
            let case = |operation: &str| {
                format!("{}: {operation} as {} from {from}", table.name, who.role)
            };
            let may_read_down = who.role == "ephor_reach" && from == "the holding";
            let target = world.subsidiary;

            let seen = count(admin, &who, &select(table, target)).await;
            if may_read_down {
                if seen != Outcome::Rows(1) && is_granted(admin, &who, table).await {
                    found.push(format!(
                        "{}: {seen:?}, though a holding reads its subsidiaries",
                        case("select")
                    ));
                }
            } else if seen.reached_something() {
                found.push(format!("{}: {seen:?}", case("select")));
            }
            let others = count(admin, &who, &select_others(table, &who)).await;
            if others.reached_something() {
                found.push(format!(
                    "{}: {others:?} of organizations beyond its reach",
                    case("select")
                ));
            }

            for (operation, statement) in [
                ("update", update(admin, &who, table, target).await),
                (
                    "delete",
                    format!("delete from {} where organization_id = '{target}'", table.name),
                ),
                ("insert", insert_granted(admin, &who, table, target).await),
            ] {
                let outcome = write(admin, &who, &statement).await;
                if outcome.reached_something() {
                    found.push(format!("{}: {outcome:?}", case(operation)));
                }
            }
            if let Some(own) = who.organization
                && !table.columns.iter().any(|it| it.name == "organization_id" && it.generated)
            {
                let statement = format!(
                    "update {} set organization_id = '{target}' where organization_id = '{own}'",
                    table.name
                );
                let outcome = write(admin, &who, &statement).await;
                if outcome.reached_something() {
                    found.push(format!("{}: {outcome:?}", case("giving a row away by update")));
                }
            }
        }
        found.extend(controls(admin, world, table).await);
    }
    found
}

/// What must be possible: the organization's own row is seen by whoever may select at all.
async fn controls(admin: &PgPool, world: &World, table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for role in ROLES {
        let who = Attempter {
            role,
            organization: Some(world.subsidiary),
            readable: vec![world.subsidiary],
            actor: world.actor,
        };
        if !is_granted(admin, &who, table).await {
            continue;
        }
        let seen = count(admin, &who, &select(table, world.subsidiary)).await;
        if seen != Outcome::Rows(1) {
            found.push(format!("{}: select as {role} of one's own row: {seen:?}", table.name));
        }
    }
    found
}

fn select(table: &Table, organization: Uuid) -> String {
    format!(
        "select count(organization_id) from {} where organization_id = '{organization}'",
        table.name
    )
}

/// All that is neither the attempter's own nor, for a holding that reads, its subsidiaries'.
fn select_others(table: &Table, who: &Attempter) -> String {
    let mut own: Vec<Uuid> = who.organization.into_iter().collect();
    if who.role == "ephor_reach" {
        own.extend(&who.readable);
    }
    let own: Vec<String> = own.iter().map(Uuid::to_string).collect();
    format!(
        "select count(organization_id) from {} where not organization_id = any ('{{{}}}'::uuid[])",
        table.name,
        own.join(",")
    )
}

/// May the role select at all, and does a policy speak of it? What is closed to a role altogether is
/// closed to every tenant.
async fn is_granted(admin: &PgPool, who: &Attempter, table: &Table) -> bool {
    sqlx::query_scalar("select has_column_privilege($1, $2::regclass, 'organization_id', 'select')")
        .bind(who.role)
        .bind(&table.name)
        .fetch_one(admin)
        .await
        .unwrap()
}

/// The columns that the role may write.
async fn granted(admin: &PgPool, who: &Attempter, table: &Table, privilege: &str) -> Vec<String> {
    sqlx::query(
        "select a.attname::text from pg_attribute a
          where a.attrelid = $2::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and has_column_privilege($1, a.attrelid, a.attnum, $3)",
    )
    .bind(who.role)
    .bind(&table.name)
    .bind(privilege)
    .fetch_all(admin)
    .await
    .unwrap()
    .into_iter()
    .map(|row| row.get(0))
    .collect()
}

/// An update of a column that the role may write: a refusal for want of a grant would prove nothing.
async fn update(admin: &PgPool, who: &Attempter, table: &Table, target: Uuid) -> String {
    let columns = granted(admin, who, table, "update").await;
    let any = table.columns.iter().filter(|column| !column.generated).map(|column| &column.name);
    let column = columns
        .iter()
        .chain(any)
        .find(|column| *column != "organization_id" && *column != "id")
        .map_or("organization_id", String::as_str);
    format!("update {} set {column} = {column} where organization_id = '{target}'", table.name)
}

/// An insert into the target's organization, of those columns that the role may write.
async fn insert_granted(admin: &PgPool, who: &Attempter, table: &Table, target: Uuid) -> String {
    let may = granted(admin, who, table, "insert").await;
    let mut narrowed = table.clone();
    if !may.is_empty() {
        narrowed.columns.retain(|column| column.generated || may.contains(&column.name));
    }
    // Does it refuse because the organization is another's, or because the person is? So it is theirs.
    insert(&narrowed, target, Uuid::now_v7(), Some(who.actor))
}
