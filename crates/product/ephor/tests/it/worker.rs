//! A worker beside a server: what goes by itself goes where background work is done.

use ephor_store::embedded::Urls;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{Server, api::Person, data_folder, ephor, within_async};

/// An entry of three months ago, as the triggers would have written it then.
const PAST: &str = "
with at as (
    select (extract(epoch from date_trunc('month', now()) - interval '3 months') * 1000)::bigint + 1000 as ms),
made as (
    select at.ms, encode(int8send((at.ms << 16) | 28672) || substr(uuid_send(gen_random_uuid()), 9), 'hex')::uuid as id,
           '{\"new\":{\"n\":1}}' as body, sha256('salt') as salt, o.id as organization
    from at, identity.organizations o),
entry as (
    insert into audit.audit_logs (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
    select m.organization, m.id, to_timestamp(m.ms / 1000), 'system', '00000000-0000-7000-8000-000000000001', 'insert', 'probe.things',
           m.id, m.body, m.salt,
           audit.leaf_hash(m.organization, m.id, audit.header_middle(m.ms * 1000, 'system', '00000000-0000-7000-8000-000000000001',
               'insert', 'probe.things'), m.id, sha256(m.salt || convert_to(m.body, 'UTF8')))
    from made as m returning organization_id, id, integrity_hash)
insert into audit.seal_queue (organization_id, entry_id, integrity_hash) select * from entry";

#[tokio::test]
async fn old_months_are_archived_by_a_worker_too_and_by_one_process_at_a_time() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let urls = Urls::of_folder(data.path()).unwrap();
    let mut database = PgConnection::connect(&urls.superuser()).await.unwrap();
    sqlx::raw_sql(PAST).execute(&mut database).await.unwrap();
    sqlx::raw_sql("select ops.months_ahead(3)").execute(&mut database).await.unwrap();
    within_async("the server has sealed it", async || {
        let waiting: i64 = sqlx::query_scalar("select count(*) from audit.seal_queue")
            .fetch_one(&mut database)
            .await
            .unwrap();
        (waiting == 0).then_some(())
    })
    .await;

    // Two workers look at once; the server was told to keep everything.
    let worker = || {
        ephor()
            .args(["worker", "--concurrency", "1", "--data"])
            .arg(data.path())
            .env("DATABASE_URL", urls.app())
            .env("EPHOR_DATABASE_SYSTEM_URL", urls.system())
            .env("EPHOR_DATABASE_SEALER_URL", urls.sealer())
            .env("EPHOR_DATABASE_MIGRATE_URL", urls.migrate())
            .env("EPHOR_RETENTION_AUDIT_MONTHS", "1")
            .env("EPHOR_RETENTION_FIRST_LOOK_MINUTES", "0")
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut workers = [worker(), worker()];
    within_async("the month is archived and dropped", async || {
        let (archived, dropped): (i64, i64) =
            sqlx::query_as("select count(*), count(dropped_at) from audit.archives")
                .fetch_one(&mut database)
                .await
                .unwrap();
        assert!(archived <= 1);
        (dropped == 1).then_some(())
    })
    .await;
    for worker in &mut workers {
        assert!(worker.try_wait().unwrap().is_none(), "it goes on working");
        let pid = nix::unistd::Pid::from_raw(worker.id().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    }
    for mut worker in workers {
        let ended = within_async("the worker stops", async || worker.try_wait().unwrap()).await;
        assert!(ended.success(), "{ended}");
    }
    let left: i64 = sqlx::query_scalar(
        "select count(*) from audit.audit_logs where entity_type = 'probe.things'",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(left, 0);
    let me: Value = ada.json("/v1/me").await;
    assert_ne!(me["organization_id"], json!(null));
}
