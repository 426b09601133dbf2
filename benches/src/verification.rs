//! How fast the trail is sealed and verified: in the database beside a bare COPY, and from an export.

use std::{
    num::NonZero,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use ephor_kernel::SystemClock;
use ephor_seal::{KeyRing, SealKey, Trust, verify_export};
use ephor_store::audit;
use futures::TryStreamExt as _;

use crate::{
    Options,
    postgres::{Postgres, scopes},
    report::{Bar, Report, say},
};

pub async fn run(postgres: &Postgres, options: &Options, report: &mut Report) -> Result<()> {
    let (store, pool) = (&postgres.store, &postgres.superuser);
    let scope = scopes(1).remove(0);
    let key = SealKey::from_seed(&[1; 32]);
    let mut left = i64::from(options.entries);
    while left > 0 {
        let some = left.min(20_000);
        let mut tx = store.begin(&scope).await?;
        sqlx::query(
            "insert into bench.audited (organization_id, id, name, description, kind, settings, score)
             select $1, gen_random_uuid(), 'model', 'A credit model of the second generation', 'classifier',
                    '{\"threshold\": 0.5, \"features\": [\"age\", \"income\"]}', 0.75
             from generate_series(1, $2)",
        )
        .bind(scope.organization().uuid())
        .bind(some)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        left -= some;
    }
    let begun = Instant::now();
    audit::seal_pending(store, &key).await?;
    let entries = f64::from(options.entries);
    let rate = |time: Duration| entries / time.as_secs_f64() / 1e3;
    say(format!(
        "\nVerification of {entries} entries\nsealing               {:>8.0} k entries/s",
        rate(begun.elapsed())
    ))?;

    let begun = Instant::now();
    let mut copied = 0;
    let mut conn = pool.acquire().await?;
    let mut rows = conn
        .copy_out_raw("copy (select * from audit.audit_logs) to stdout (format binary)")
        .await?;
    while let Some(part) = rows.try_next().await? {
        copied += part.len();
    }
    drop(rows);
    let seconds = begun.elapsed().as_secs_f64();
    let all: i64 =
        sqlx::query_scalar("select count(*) from audit.audit_logs").fetch_one(pool).await?;
    say(format!(
        "bare COPY             {:>8.0} k entries/s  ({copied} bytes)",
        all as f64 / seconds / 1e3
    ))?;

    let keys = KeyRing::new([key.public()]);
    let begun = Instant::now();
    let said = audit::verify(store, scope.organization(), &keys).await?;
    ensure!(said.verified() && said.sealed == u64::from(options.entries), "{said}");
    say(format!("live verification     {:>8.0} k entries/s", rate(begun.elapsed())))?;

    let begun = Instant::now();
    let mut file = Vec::new();
    audit::export(store, &scope, &SystemClock, &mut file).await?;
    say(format!(
        "export                {:>8.0} k entries/s  ({} bytes)",
        rate(begun.elapsed()),
        file.len()
    ))?;
    for threads in 1..=std::thread::available_parallelism().map_or(1, NonZero::get) {
        let begun = Instant::now();
        let said = verify_export(&*file, &Trust::Keys(keys.clone()), NonZero::new(threads))?;
        ensure!(said.len() == 1 && said[0].verified(), "{}", said[0]);
        let rate = rate(begun.elapsed());
        say(format!(
            "offline verification  {rate:>8.0} k entries/s with {threads} hashing thread(s)"
        ))?;
        if threads == 1 {
            report.judge(
                "offline verification of an export, one core",
                rate,
                "k/s",
                Bar::AtLeast(300.0),
            );
        }
    }
    Ok(())
}
