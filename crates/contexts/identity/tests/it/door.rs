//! The door as PostgreSQL has it: who may call what, and what it gives away.

use sqlx::{Connection, Row};

use crate::support::{PASSWORD, log_in, somewhere, world};

#[tokio::test]
async fn the_doors_functions_are_fixed_closed_and_described() {
    let world = world().await;
    let rows = sqlx::query(
        "select p.oid::regprocedure::text as name, r.rolname::text as owner, p.prosecdef as definer,
                coalesce(p.proconfig, '{}') as config, p.proacl is null as open_to_all,
                has_function_privilege('public', p.oid, 'execute') as public,
                has_function_privilege('ephor_app', p.oid, 'execute') as app,
                has_function_privilege('ephor_reach', p.oid, 'execute') as reach,
                p.prorettype = 'trigger'::regtype as trigger,
                obj_description(p.oid, 'pg_proc') is not null as described
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
         where n.nspname = 'door' order by 1",
    )
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    assert!(rows.len() > 10);
    for row in rows {
        let name: String = row.get("name");
        let definer: bool = row.get("definer");
        assert_eq!(row.get::<String, _>("owner"), "ephor_door", "{name}");
        assert!(row.get::<bool, _>("described"), "{name}");
        assert!(!row.get::<bool, _>("public") && !row.get::<bool, _>("open_to_all"), "{name}");
        assert!(!row.get::<bool, _>("reach"), "{name}");
        let called = definer && !row.get::<bool, _>("trigger");
        assert_eq!(row.get::<bool, _>("app"), called, "{name}: helpers are not for callers");
        if definer {
            let config: Vec<String> = row.get("config");
            assert!(
                config.contains(&"search_path=pg_catalog, pg_temp".to_owned()),
                "{name}: {config:?}"
            );
        }
    }
    let role: (bool, bool, bool) = sqlx::query_as(
        "select rolcanlogin, rolbypassrls, rolsuper from pg_roles where rolname = 'ephor_door'",
    )
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(role, (false, false, false));
}

#[tokio::test]
async fn without_a_scope_nothing_can_be_read() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    let mut app = world.db.connect_as("ephor_app").await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'identity' and c.relkind = 'r'",
    )
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    assert!(tables.len() >= 11, "{tables:?}");
    for table in tables {
        let sql = format!("select count(*) from {table}");
        let seen = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql)).fetch_one(&mut app).await;
        match seen {
            Ok(rows) => assert_eq!(rows, 0, "{table}"),
            Err(error) => {
                assert!(error.to_string().contains("permission denied"), "{table}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn no_runtime_role_reads_a_secret() {
    let world = world().await;
    for role in ["ephor_app", "ephor_reach", "ephor_system", "ephor_sealer"] {
        for (table, column) in [
            ("users", "password_hash"),
            ("sessions", "token_hash"),
            ("sessions", "previous_token_hash"),
            ("sessions", "csrf_secret"),
            ("api_keys", "key_hash"),
            ("member_joins", "token_hash"),
            ("team_invitations", "token_hash"),
            ("user_tokens", "token_hash"),
            ("user_tokens", "email"),
            ("log_in_attempts", "subject_hash"),
            ("membership_versions", "value"),
        ] {
            let may: bool = sqlx::query_scalar("select has_column_privilege($1, $2, $3, 'select')")
                .bind(role)
                .bind(format!("identity.{table}"))
                .bind(column)
                .fetch_one(&world.db.admin())
                .await
                .unwrap();
            assert!(!may, "{role} reads {table}.{column}");
        }
    }
}

#[tokio::test]
async fn unknown_and_known_have_one_shape() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    let mut app = world.db.connect_as("ephor_app").await;
    for call in [
        "select * from door.user_by_email('nobody@example.org')",
        "select * from door.session_lookup(sha256('x'), null)",
        "select * from door.api_key_lookup(gen_random_uuid(), gen_random_uuid(), sha256('x'), null)",
        "select * from door.join_lookup(gen_random_uuid(), gen_random_uuid(), sha256('x'))",
        "select * from door.invitation_lookup(gen_random_uuid(), gen_random_uuid(), sha256('x'))",
        "select * from door.mail_address(gen_random_uuid())",
        "select * from door.mail_token_lookup(sha256('x'), 'reset_password')",
        "select * from door.mail_token_make(gen_random_uuid(), 'reset_password', sha256('x'), '1 hour', '')",
    ] {
        let rows = sqlx::query(call).fetch_all(&mut app).await.unwrap();
        assert_eq!(rows.len(), 1, "{call}");
        for column in 0..rows[0].len() {
            let raw = rows[0].try_get_raw(column).unwrap();
            assert!(sqlx::ValueRef::is_null(&raw), "{call}: column {column}");
        }
    }
    app.close().await.unwrap();
}

#[tokio::test]
async fn the_door_leaves_a_transaction_where_it_was() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    world.owner("eve@example.org", "Other").await;
    let calls = [
        "select * from door.sign_up('new@example.org', 'hash', 'New', false, 'New', 'new', 'standalone',
            '[{\"code\":\"owner\",\"version\":1,\"name\":\"Owner\",\"permissions\":[\"*\"]}]', '')",
        "select * from door.sign_up('ada@example.org', 'hash', 'New', false, 'New', 'new', 'standalone', '[]', '')",
        "select door.log_in_refused(user_id, 'wrong_password', '') from door.user_by_email('eve@example.org')",
        "select door.log_in_refused(null, 'unknown_address', '')",
        "select s.* from door.user_by_email('eve@example.org') u, lateral door.session_create(u.user_id, u.password_hash,
            null, sha256('one'), null, null, '1 hour', '1 day', sha256('eve'), '') s",
        "select door.session_touch(sha256('one'), sha256('two'), '1 hour')",
        "select door.session_switch(sha256('two'), (select organization_id from door.session_lookup(sha256('two'), null)), sha256('three'), '')",
        "select door.session_end(sha256('three'), true, '')",
        "select m.* from door.user_by_email('eve@example.org') u,
            lateral door.mail_token_make(u.user_id, 'verify_email', sha256('four'), '1 hour', '') m",
        "select door.email_verify(sha256('four'), '')",
        "select door.email_verify(sha256('four'), '')",
        "select m.* from door.user_by_email('eve@example.org') u,
            lateral door.mail_token_make(u.user_id, 'reset_password', sha256('five'), '1 hour', '') m",
        "select * from door.password_reset(sha256('five'), 'hash', sha256('eve'), '')",
        "select * from door.password_reset(sha256('five'), 'hash', sha256('eve'), '')",
        "insert into identity.team_invitations (organization_id, email, token_hash, created_by)
            select id, 'guest@example.org', sha256('six'), created_by from identity.organizations",
        "select a.* from identity.team_invitations i,
            lateral door.invitation_accept(i.organization_id, i.id, sha256('none'), 'hash', 'Guest', false, '') a",
        "select a.* from identity.team_invitations i,
            lateral door.invitation_accept(i.organization_id, i.id, sha256('six'), null, null, false, '') a",
        "select a.* from identity.team_invitations i,
            lateral door.invitation_accept(i.organization_id, i.id, sha256('six'), 'hash', 'Guest', true, '') a",
        "select door.account_details('ada', true, '{\"a\": 1}')",
        "select * from door.sweep()",
    ];
    let mut tx = world.db.store().begin(&scope).await.unwrap();
    let context = "select array[current_setting('ephor.organization_id'), current_setting('ephor.actor_type'),
        current_setting('ephor.actor_id'), current_setting('ephor.request')]";
    let before: Vec<String> = sqlx::query_scalar(context).fetch_one(tx.conn()).await.unwrap();
    for call in calls {
        let answered = sqlx::query(call).fetch_all(tx.conn()).await;
        assert!(answered.is_ok(), "{call}: {answered:?}");
        let after: Vec<String> = sqlx::query_scalar(context).fetch_one(tx.conn()).await.unwrap();
        assert_eq!(before, after, "{call}");
        let seen: Vec<uuid::Uuid> = sqlx::query_scalar("select id from identity.organizations")
            .fetch_all(tx.conn())
            .await
            .unwrap();
        assert_eq!(seen, [scope.organization().uuid()], "{call}");
    }
}

#[tokio::test]
async fn a_session_opens_only_for_the_password_that_was_verified() {
    let world = world().await;
    let (signed_up, _, _) = world.owner("ada@example.org", "Acme").await;
    let mut app = world.db.connect_as("ephor_app").await;
    let state: String = sqlx::query_scalar(
        "select state from door.session_create($1, 'another hash', null, sha256('x'), null, null, '1 hour', '1 day', sha256('a'), '')",
    )
    .bind(signed_up.user_id.uuid())
    .fetch_one(&mut app)
    .await
    .unwrap();
    assert_eq!(state, "unknown");
    assert!(
        world.identity.log_in(&somewhere(), &log_in("ada@example.org", PASSWORD)).await.is_ok()
    );
}

#[tokio::test]
async fn everything_in_identity_is_described_and_every_foreign_key_has_an_index() {
    let world = world().await;
    let bare: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'identity'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
           and col_description(c.oid, a.attnum) is null
         union all select conrelid::regclass || '.' || conname from pg_constraint
         where connamespace = 'identity'::regnamespace and contype <> 't' and obj_description(oid, 'pg_constraint') is null
         union all select oid::regclass::text from pg_class where relnamespace = 'identity'::regnamespace and relkind = 'r'
           and obj_description(oid, 'pg_class') is null
         union all select oid::regprocedure::text from pg_proc where pronamespace = 'identity'::regnamespace
           and obj_description(oid, 'pg_proc') is null
         union all select 'no index: ' || k.conname from pg_constraint k
         where k.connamespace = 'identity'::regnamespace and k.contype = 'f' and not exists (
           select from pg_index i where i.indrelid = k.conrelid
             and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)",
    )
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(bare, Vec::<String>::new());
}
