//! Search through the indexes of words: it finds what reading every row finds, and nobody else's; and the plans
//! of the most used queries over a modest number of rows.

use ephor_kernel::Scope;
use ephor_rest::{
    Catalog, Cursors, Engine, ListRequest, MAX_ROWS, PAGE_ROWS, ResourceSpec, Statement,
    count_statement, plan,
};
use ephor_store::testing::{self, TestDatabase};
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

#[path = "../../../../../benches/src/plans/data.rs"]
mod data;
#[path = "../../../../../benches/src/plans/queries.rs"]
mod queries;

async fn engine(db: &TestDatabase, specs: impl IntoIterator<Item = ResourceSpec>) -> Engine {
    let catalog = Catalog::read(db.store().door().await.unwrap().conn()).await.unwrap();
    Engine::new(&catalog, specs, [7; 32]).unwrap()
}

async fn found(db: &TestDatabase, engine: &Engine, scope: &Scope, words: &str) -> Vec<String> {
    let request = ListRequest::new().search(words).sort("name");
    let mut tx = db.store().begin(scope).await.unwrap();
    let page = engine.list(&mut tx, "models", &request).await.unwrap();
    page.data.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_index_of_words_finds_what_reading_every_row_finds() {
    let db = testing::database().await;
    let (acme, rival) = (db.organization("Acme").await, db.organization("Rival").await);
    for (scope, name, description) in [
        (&acme, "Credit score", "Second generation, by the risk team"),
        (&acme, "Credit limit", "First generation; draft"),
        (&acme, "Ärger", "o'neil's \"quoted\" model_a-b"),
        (&rival, "Credit of the rival", "Second generation"),
    ] {
        sqlx::query(
            "insert into registry.models (organization_id, name, description, model_type, created_by) values ($1, $2, $3, 'classification', $4)",
        )
        .bind(scope.organization().uuid())
        .bind(name)
        .bind(description)
        .bind(scope.principal().uuid())
        .execute(&db.admin())
        .await
        .unwrap();
    }
    let reading = ResourceSpec::new("models", "registry.models").search(&["name", "description"]);
    let indexed = engine(&db, [reading.words_index()]).await;
    let reading = engine(&db, [reading]).await;
    for (words, expected) in [
        ("cred", vec!["Credit limit", "Credit score"]),
        ("credit -draft", vec!["Credit score"]),
        ("\"second generation\"", vec!["Credit score"]),
        ("\"generation second\"", vec![]),
        ("credit -\"second generation\"", vec!["Credit limit"]),
        ("-credit", vec!["Ärger"]),
        ("Ärg o'neil", vec!["Ärger"]),
        ("model_a-b", vec!["Ärger"]),
        ("rival", vec![]),
        ("' & | ! \\ <->", vec!["Credit limit", "Credit score", "Ärger"]),
    ] {
        let mut through = found(&db, &indexed, &acme, words).await;
        let mut read = found(&db, &reading, &acme, words).await;
        through.sort();
        read.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(through, read, "{words}");
        assert_eq!(through, expected, "{words}");
    }
}

#[tokio::test]
async fn search_answers_for_the_organization_of_the_transaction_alone() {
    let db = testing::database().await;
    let (acme, rival) = (db.organization("Acme").await, db.organization("Rival").await);
    let id: Uuid = sqlx::query_scalar(
        "insert into registry.models (organization_id, name, model_type, created_by) values ($1, 'secret', 'classification', $2) returning id",
    )
    .bind(acme.organization().uuid())
    .bind(acme.principal().uuid())
    .fetch_one(&db.admin())
    .await
    .unwrap();
    let ask = "select search.ids('registry.models', '''secret''', 10)";
    for (scope, expected) in [(&acme, vec![id]), (&rival, Vec::new())] {
        let mut tx = db.store().begin(scope).await.unwrap();
        let ids: Option<Vec<Uuid>> = sqlx::query_scalar(ask).fetch_one(tx.conn()).await.unwrap();
        assert_eq!(ids, Some(expected));
    }
    // Without a scope there is nothing.
    let store = db.store();
    let mut door = store.door().await.unwrap();
    let ids: Option<Vec<Uuid>> = sqlx::query_scalar(ask).fetch_one(door.conn()).await.unwrap();
    assert_eq!(ids, None);
}

#[tokio::test]
async fn every_resource_with_an_index_of_words_has_one() {
    let db = testing::database().await;
    let acme = db.organization("Acme").await;
    let specs = [
        ephor_discovery::RESOURCES,
        ephor_registry::RESOURCES,
        ephor_guard::RESOURCES,
        ephor_workforce::RESOURCES,
        ephor_risk::RESOURCES,
    ];
    let mut with = 0;
    for spec in specs.into_iter().flatten().filter(|spec| spec.has_words_index()) {
        with += 1;
        let mut tx = db.store().begin(&acme).await.unwrap();
        let table = spec.table();
        let ids: Option<Vec<Uuid>> = sqlx::query_scalar("select search.ids($1, '''word''', 10)")
            .bind(table)
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(ids, Some(Vec::new()), "search.ids does not know {table}");
        let searched: Vec<_> =
            spec.searched().iter().map(|column| format!("COALESCE({column}, ''::text)")).collect();
        let wanted = format!("%search.document(organization_id, %{}%", searched.join("%"));
        let sql = "select exists (select from pg_index where indrelid = $1::regclass and pg_get_indexdef(indexrelid) like $2)";
        let there: bool = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(table)
            .bind(wanted)
            .fetch_one(&db.admin())
            .await
            .unwrap();
        assert!(there, "the index of {table} is of other columns than {:?}", spec.searched());
    }
    assert!(with >= 6, "only {with}");
}

#[tokio::test]
async fn the_most_used_queries_read_no_whole_table() {
    let db = testing::database().await;
    let size = data::Size { organizations: 200, rows: 40_000, largest: 8_000 };
    let mut admin = db.admin().acquire().await.unwrap();
    let organizations = data::fill(&mut admin, size).await.unwrap();
    let engine = engine(&db, [queries::MODELS, queries::VERSIONS]).await;
    let explained =
        queries::explain(&db.store(), &mut admin, &engine, &organizations).await.unwrap();
    assert_eq!(explained.len(), 10);
    for query in explained {
        assert!(
            !queries::reads_a_whole_table(&query.plan),
            "{} reads a whole table:\n{}\n{}",
            query.name,
            query.sql,
            query.plan
        );
        assert!(!query.about.is_empty());
        // What compares the organization once does not stand between the rows and who counts them.
        if query.name == "The count of a list" {
            assert!(!query.plan.contains("One-Time Filter"), "{}", query.plan);
        }
    }
}

#[tokio::test]
async fn a_count_is_of_the_transactions_organization_or_nothing() {
    let db = testing::database().await;
    let (acme, rival) = (db.organization("Acme").await, db.organization("Rival").await);
    for (scope, number) in [(&acme, 3), (&rival, 60)] {
        sqlx::query(
            "insert into registry.models (organization_id, name, model_type, created_by)
             select $1, 'model ' || n, 'classification', $2 from generate_series(1, $3) as n",
        )
        .bind(scope.organization().uuid())
        .bind(scope.principal().uuid())
        .bind(number)
        .execute(&db.admin())
        .await
        .unwrap();
    }
    let engine = engine(&db, [queries::MODELS, queries::VERSIONS]).await;
    let store = db.store();
    let models = engine.resource("models").unwrap();
    // Of one page the rows are counted, of more PostgreSQL counts; a cursor or a filter changes no count.
    for (scope, asked, number) in [
        (&acme, ListRequest::new(), 3),
        (&rival, ListRequest::new(), 60),
        (&rival, ListRequest::new().filter("name", "like.model 1*"), 11),
        (&rival, ListRequest::new().filter("name", "eq.nothing"), 0),
    ] {
        let mut tx = store.begin(scope).await.unwrap();
        let mut request = asked.clone().count();
        loop {
            let page = engine.list(&mut tx, "models", &request).await.unwrap();
            assert_eq!(page.count, Some(number), "{asked:?}");
            let Some(next) = page.next else { break };
            request = asked.clone().count().cursor(&next);
        }
    }
    // A plan for one organization in the transaction of another.
    let keys = Cursors::new([7; 32]);
    let planned = plan(models, &ListRequest::new(), &rival, &keys, (PAGE_ROWS, MAX_ROWS)).unwrap();
    for (scope, number) in [(&rival, 60_i64), (&acme, 0)] {
        let Statement { sql, values } = count_statement(models, &planned);
        let mut tx = store.begin(scope).await.unwrap();
        let row = queries::bound(sql, values).fetch_one(tx.conn()).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), number);
    }
}
