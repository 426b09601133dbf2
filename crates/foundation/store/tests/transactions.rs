//! Transactions made from a scope, on the pools that Ephor has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, RequestId, Scope};
use ephor_store::{OrgTx, Store, StoreError, testing};
use secrecy::SecretString;
use sqlx::Row;

async fn organizations(tx: &mut OrgTx) -> Vec<OrganizationId> {
    // The very query that a handler must not write: it names no organization.
    sqlx::query("select id from identity.organizations order by id")
        .fetch_all(tx.conn())
        .await
        .unwrap()
        .into_iter()
        .map(|row| OrganizationId::from(row.get::<uuid::Uuid, _>(0)))
        .collect()
}

async fn role_create(tx: &mut OrgTx, name: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into identity.organization_members (organization_id, id, user_id, role_id, email)
         values ($1, kernel.uuidv7(), $2, $2, $3)",
    )
    .bind(tx.organization().uuid())
    .bind(tx.organization().uuid())
    .bind(name)
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_transaction_sees_its_own_organization_alone() {
    let db = testing::database().await;
    let (one, two) = (db.organization("One").await, db.organization("Two").await);
    for scope in [&one, &two] {
        let mut tx = db.store().begin(scope).await.unwrap();
        assert_eq!(organizations(&mut tx).await, [scope.organization()]);
        let mut tx = db.store().begin_system(scope).await.unwrap();
        assert_eq!(organizations(&mut tx).await, [scope.organization()]);
    }
}

#[tokio::test]
async fn a_holding_reads_its_subsidiaries_and_writes_nothing_there() {
    let db = testing::database().await;
    let holding = db.holding("Holding").await;
    let child = db.subsidiary(&holding, "Child").await;
    let stranger = db.organization("Stranger").await;
    let reaching = holding.clone().reading([child.organization()]);

    let mut tx = db.store().begin_reach(&reaching).await.unwrap();
    let mut seen = vec![holding.organization(), child.organization()];
    seen.sort_unstable();
    assert_eq!(organizations(&mut tx).await, seen);
    assert!(!organizations(&mut tx).await.contains(&stranger.organization()));
    assert!(role_create(&mut tx, "x").await.is_err(), "a reading transaction wrote");
    drop(tx);

    // What may be read widens only begin_reach.
    let mut tx = db.store().begin(&reaching).await.unwrap();
    assert_eq!(organizations(&mut tx).await, [holding.organization()]);
}

#[tokio::test]
async fn who_looks_into_a_subsidiary_reads_it_alone_and_writes_nowhere() {
    let db = testing::database().await;
    let holding = db.holding("Holding").await;
    let child = db.subsidiary(&holding, "Child").await;
    let sibling = db.subsidiary(&holding, "Sibling").await;
    let reaching = holding.clone().reading([child.organization()]);
    assert!(reaching.looking_into(sibling.organization()).is_none());
    let looking = reaching.looking_into(child.organization()).unwrap();
    for system in [false, true] {
        let store = db.store();
        let tx =
            if system { store.begin_system(&looking).await } else { store.begin(&looking).await };
        let mut tx = tx.unwrap();
        assert_eq!(organizations(&mut tx).await, [child.organization()]);
        assert!(role_create(&mut tx, "x").await.is_err(), "a reading transaction wrote");
    }
}

#[tokio::test]
async fn nothing_of_the_context_outlives_its_transaction() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let mut config = db.config();
    config.connections = 1;
    let store = Store::connect(&config).await.unwrap();
    let names = "select current_setting('ephor.organization_id', true), current_setting('ephor.readable', true),
                        current_setting('ephor.actor_id', true), current_setting('ephor.request', true), current_user::text";
    let ends: [fn(OrgTx) -> futures::future::BoxFuture<'static, ()>; 2] = [
        |tx| Box::pin(async move { tx.commit().await.unwrap() }),
        |tx| Box::pin(async move { drop(tx) }),
    ];
    for reach in [false, true] {
        for end in ends {
            let tx =
                if reach { store.begin_reach(&scope).await } else { store.begin(&scope).await };
            end(tx.unwrap()).await;
            // The pool has one connection: the door gets the same.
            let mut door = store.door().await.unwrap();
            let row = sqlx::query(names).fetch_one(door.conn()).await.unwrap();
            for setting in 0..4 {
                let value: Option<String> = row.get(setting);
                assert_eq!(
                    value.unwrap_or_default(),
                    "",
                    "setting {setting} outlived its transaction"
                );
            }
            assert_eq!(row.get::<String, _>(4), "ephor_app");
            let count: i64 = sqlx::query_scalar("select count(*) from identity.organizations")
                .fetch_one(door.conn())
                .await
                .unwrap();
            assert_eq!(count, 0);
        }
    }
}

#[tokio::test]
async fn a_statement_that_failed_leaves_no_context_either() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let mut config = db.config();
    config.connections = 1;
    let store = Store::connect(&config).await.unwrap();
    let mut tx = store.begin(&scope).await.unwrap();
    assert!(sqlx::query("select 1 / 0").fetch_one(tx.conn()).await.is_err());
    // PostgreSQL would roll back and call it a success.
    assert!(tx.commit().await.is_err(), "a failed transaction was committed");
    let mut door = store.door().await.unwrap();
    let setting: Option<String> =
        sqlx::query_scalar("select current_setting('ephor.organization_id', true)")
            .fetch_one(door.conn())
            .await
            .unwrap();
    assert_eq!(setting.unwrap_or_default(), "");
}

#[tokio::test]
async fn no_expression_switches_the_tenant_and_copy_is_closed() {
    let db = testing::database().await;
    let (one, two) = (db.organization("One").await, db.organization("Two").await);
    for statement in [
        format!("select set_config('ephor.organization_id', '{}', true)", two.organization()),
        format!(
            "with it as (select pg_catalog.set_config('ephor.organization_id', '{}', false)) select * from it",
            two.organization()
        ),
        "copy identity.roles from program 'true'".to_owned(),
        "set role ephor_owner".to_owned(),
        "set role ephor_system".to_owned(),
        "set session authorization postgres".to_owned(),
        "truncate identity.roles".to_owned(),
        "alter table identity.roles disable row level security".to_owned(),
        "create table public.mine ()".to_owned(),
        "create temporary table mine ()".to_owned(),
    ] {
        let mut tx = db.store().begin(&one).await.unwrap();
        let result =
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement.as_str())).execute(tx.conn()).await;
        let Err(sqlx::Error::Database(error)) = result else {
            panic!("it was not refused: {statement}");
        };
        assert_eq!(error.code().as_deref(), Some("42501"), "{statement}: {error}");
    }
    // COPY FROM is refused under row-level security as such.
    let mut tx = db.store().begin(&one).await.unwrap();
    let copy =
        sqlx::postgres::PgConnection::copy_in_raw(tx.conn(), "copy registry.models from stdin")
            .await;
    assert!(copy.is_err());
}

#[tokio::test]
async fn hostile_user_agents_reach_the_database_as_they_are() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    for agent in
        ["'; drop table registry.models; --", "\\'\"$$;\n\0x", "ü".repeat(400).as_str(), ""]
    {
        let request = RequestContext::new(
            Some("2001:db8::1".parse().unwrap()),
            Some(agent),
            RequestId::new(),
        );
        let scope = Scope::new(
            scope.principal(),
            scope.organization(),
            scope.permissions().clone(),
            request.clone(),
        );
        let mut tx = db.store().begin(&scope).await.unwrap();
        let text: String = sqlx::query_scalar(
            "select convert_from(decode(current_setting('ephor.request'), 'hex'), 'UTF8')::jsonb ->> 'user_agent'",
        )
        .fetch_one(tx.conn())
        .await
        .unwrap();
        assert_eq!(text, request.user_agent.unwrap().replace('\0', " "));
    }
}

#[tokio::test]
async fn one_login_for_all_roles_works_and_is_weaker_only_by_that() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(
        "do $$ begin
             if not exists (select from pg_roles where rolname = 'ephor_test_shared') then
                 create role ephor_test_shared login noinherit password 'shared';
             end if;
         exception when duplicate_object or unique_violation then null; end $$;
         grant ephor_app, ephor_reach, ephor_system, ephor_sealer to ephor_test_shared;",
    ))
    .execute(&db.admin())
    .await
    .unwrap();
    let app = db.url(ephor_store::bootstrap::Login::App);
    let (_, after) = app.split_once('@').unwrap();
    let config = ephor_store::DatabaseConfig {
        url: SecretString::from(format!("postgres://ephor_test_shared:shared@{after}")),
        ..Default::default()
    };
    let store = Store::connect(&config).await.unwrap();
    assert!(store.shares_login());
    for (role, tx) in [
        ("ephor_app", store.begin(&scope).await),
        ("ephor_reach", store.begin_reach(&scope).await),
        ("ephor_system", store.begin_system(&scope).await),
    ] {
        let mut tx = tx.unwrap();
        let user: String =
            sqlx::query_scalar("select current_user::text").fetch_one(tx.conn()).await.unwrap();
        assert_eq!(user, role);
        assert_eq!(organizations(&mut tx).await, [scope.organization()]);
    }
}

#[tokio::test]
async fn what_the_database_refuses_is_a_problem_with_a_code() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let insert =
        "insert into ops.jobs (organization_id, id, kind, created_by) values ($1, $2, $3, $1)";
    let id = uuid::Uuid::now_v7();
    let run = async |kind: &str| {
        let mut tx = db.store().begin(&scope).await.unwrap();
        let result = sqlx::query(insert)
            .bind(scope.organization().uuid())
            .bind(id)
            .bind(kind)
            .execute(tx.conn())
            .await
            .map_err(StoreError::from);
        // What failed cannot be committed.
        assert_eq!(tx.commit().await.is_ok(), result.is_ok());
        result
    };
    run("a").await.unwrap();
    let error = run("a").await.unwrap_err();
    assert_eq!(error.constraint(), Some("jobs_pkey"));
    assert_eq!(Problem::from(error).code, Code::Conflict);
    let error = run("Not a word").await.unwrap_err();
    assert_eq!(error.constraint(), Some("jobs_kind_check"));
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::Invalid);
    assert_eq!(problem.faults.len(), 1);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let config = ephor_store::DatabaseConfig {
        url: SecretString::from("postgres://nobody@127.0.0.1:1/none".to_owned()),
        wait_seconds: 1,
        ..Default::default()
    };
    let Err(error) = Store::connect(&config).await else { panic!("it connected") };
    assert!(error.is_transient(), "{error}");
    assert_eq!(Problem::from(error).code, Code::Unavailable);
}

#[tokio::test]
async fn a_url_that_is_none_is_named_without_its_password() {
    let config = ephor_store::DatabaseConfig {
        url: SecretString::from("postgres://me:hunter2@host:notaport/db".to_owned()),
        ..Default::default()
    };
    let Err(error) = Store::connect(&config).await else { panic!("it connected") };
    let text = error.to_string();
    assert!(text.contains("ephor_app") && !text.contains("hunter2"), "{text}");
}
