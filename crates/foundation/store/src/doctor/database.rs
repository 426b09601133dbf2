//! What the database says about itself.

use std::time::Duration;

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};

use super::{Check, Subject};
use crate::{bootstrap::Login, embedded::OLDEST_MAJOR, migrate};

const PATIENCE: Duration = Duration::from_secs(10);
const BOOTSTRAP: &str =
    "run the SQL that `ephor db bootstrap` prints, as the server's administrator";

pub(super) async fn examine(subject: &Subject) -> Vec<Check> {
    let mut checks = Vec::new();
    let logins = [
        ("app_login", Login::App, &subject.app_url),
        ("system_login", Login::System, &subject.system_url),
        ("sealer_login", Login::Sealer, &subject.sealer_url),
    ];
    let mut connected = None;
    for (name, login, url) in logins {
        let Some(url) = url else { continue };
        match connect(url).await {
            Ok(mut connection) => {
                checks.push(of(name, self::login(&mut connection, name, login).await));
                connected.get_or_insert(connection);
            }
            Err(error) => checks.push(Check::fail(
                name,
                format!("{} does not answer: {error}", login.variable()),
                "check that PostgreSQL runs there and that the URL's user and password are right",
            )),
        }
    }
    if let Some(mut connection) = connected {
        checks.push(of("server", server(&mut connection).await));
        checks.push(of("durability", durability(&mut connection).await));
        checks.push(of("clock", clock(&mut connection).await));
        checks.push(of("roles", roles(&mut connection).await));
        checks.push(of("set_config", set_config(&mut connection).await));
        checks.push(of("partitions", partitions(&mut connection).await));
    }
    if let Some(url) = &subject.migrate_url {
        checks.push(migrations(url).await);
    }
    checks
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    tokio::time::timeout(PATIENCE, options.connect())
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
}

/// A check that the database would not let us make.
fn of(name: &'static str, made: Result<Check, sqlx::Error>) -> Check {
    made.unwrap_or_else(|error| {
        Check::warn(
            name,
            format!("could not be looked at: {error}"),
            "see what PostgreSQL's log says",
        )
    })
}

async fn login(
    connection: &mut PgConnection,
    name: &'static str,
    login: Login,
) -> Result<Check, sqlx::Error> {
    let (who, privileged, owns, may): (String, bool, bool, bool) = sqlx::query_as(
        "select session_user::text, r.rolsuper or r.rolbypassrls,
                exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                        where c.relowner = r.oid and n.nspname in ('kernel', 'identity', 'registry', 'assurance')),
                case when exists (select from pg_catalog.pg_roles where rolname = $1)
                     then pg_catalog.pg_has_role(session_user, $1::text::name, 'member') else false end
         from pg_catalog.pg_roles r where r.rolname = session_user",
    )
    .bind(login.role())
    .fetch_one(connection)
    .await?;
    let variable = login.variable();
    Ok(if privileged {
        Check::fail(
            name,
            format!("{variable} logs in as `{who}`, which row-level security does not bind"),
            format!("log in as `{}`, which `ephor db bootstrap` makes", login.role()),
        )
    } else if owns {
        Check::fail(
            name,
            format!("{variable} logs in as `{who}`, which owns tables"),
            format!("log in as `{}`, which `ephor db bootstrap` makes", login.role()),
        )
    } else if !may {
        Check::fail(name, format!("`{who}` may not act as {}", login.role()), BOOTSTRAP)
    } else if who == login.role() {
        Check::ok(name, format!("logs in as {who}"))
    } else {
        Check::warn(
            name,
            format!("logs in as `{who}` and becomes {} by SET ROLE", login.role()),
            "a login for each role is stronger: an injected statement could otherwise change roles",
        )
    })
}

async fn server(connection: &mut PgConnection) -> Result<Check, sqlx::Error> {
    let (version, number, encoding): (String, i32, String) = sqlx::query_as(
        "select pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num')::int,
                pg_catalog.current_setting('server_encoding')",
    )
    .fetch_one(connection)
    .await?;
    let major = u32::try_from(number / 10_000).unwrap_or_default();
    let found = format!("PostgreSQL {version}, {encoding}");
    Ok(if major < OLDEST_MAJOR {
        let advice = format!("Ephor needs PostgreSQL {OLDEST_MAJOR} or newer");
        Check::fail("server", found, advice)
    } else if encoding != "UTF8" {
        Check::fail(
            "server",
            found,
            "make the database anew with `create database … encoding 'UTF8'`",
        )
    } else {
        Check::ok("server", found)
    })
}

async fn durability(connection: &mut PgConnection) -> Result<Check, sqlx::Error> {
    let weak: Vec<String> = sqlx::query_scalar(
        "select name || ' = ' || setting from pg_catalog.pg_settings
         where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums') and setting = 'off'
         order by 1",
    )
    .fetch_all(connection)
    .await?;
    Ok(if weak.is_empty() {
        Check::ok("durability", "commits reach the disk, pages carry checksums")
    } else {
        Check::warn(
            "durability",
            weak.join(", "),
            "switch these on: with them off, a power cut can lose or corrupt what was acknowledged",
        )
    })
}

#[allow(clippy::disallowed_methods, reason = "the machine's own clock is what is compared")]
async fn clock(connection: &mut PgConnection) -> Result<Check, sqlx::Error> {
    let theirs: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("select pg_catalog.clock_timestamp()").fetch_one(connection).await?;
    let apart = (chrono::Utc::now() - theirs).num_seconds().abs();
    let found = format!("{apart} s apart from the database's");
    Ok(if apart > 5 {
        Check::warn(
            "clock",
            found,
            "keep both machines' clocks by NTP: sessions and audit entries carry times",
        )
    } else {
        Check::ok("clock", found)
    })
}

async fn roles(connection: &mut PgConnection) -> Result<Check, sqlx::Error> {
    const ROLES: [&str; 8] = [
        "ephor_owner",
        "ephor_migrator",
        "ephor_app",
        "ephor_reach",
        "ephor_system",
        "ephor_sealer",
        "ephor_door",
        "ephor_backup",
    ];
    let there: Vec<(String, bool)> = sqlx::query_as(
        "select rolname::text, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
         from pg_catalog.pg_roles where rolname = any ($1)",
    )
    .bind(ROLES.map(str::to_owned).to_vec())
    .fetch_all(connection)
    .await?;
    let missing: Vec<&str> =
        ROLES.into_iter().filter(|role| !there.iter().any(|(name, _)| name == role)).collect();
    let strong: Vec<&str> =
        there.iter().filter(|(_, strong)| *strong).map(|(name, _)| name.as_str()).collect();
    Ok(if !missing.is_empty() {
        Check::fail("roles", format!("missing: {}", missing.join(", ")), BOOTSTRAP)
    } else if !strong.is_empty() {
        Check::fail(
            "roles",
            format!("{} may do more than Ephor's roles should", strong.join(", ")),
            "alter role … nosuperuser nobypassrls nocreaterole nocreatedb noreplication",
        )
    } else {
        Check::ok(
            "roles",
            format!("all {} are there, none stronger than it should be", ROLES.len()),
        )
    })
}

async fn set_config(connection: &mut PgConnection) -> Result<Check, sqlx::Error> {
    let open: bool = sqlx::query_scalar(
        "select pg_catalog.has_function_privilege('public', 'pg_catalog.set_config(text, text, boolean)', 'execute')",
    )
    .fetch_one(connection)
    .await?;
    Ok(if open {
        Check::warn(
            "set_config",
            "everybody may call set_config, so an injected expression could switch the tenant",
            "as a superuser, in this database: revoke execute on function pg_catalog.set_config(text, text, boolean) from public",
        )
    } else {
        Check::ok("set_config", "is revoked from public")
    })
}

/// Partitioned tables must have next month's partition, and nothing in their default one.
async fn partitions(connection: &mut PgConnection) -> Result<Check, sqlx::Error> {
    let rows: Vec<(String, bool, bool)> = sqlx::query_as(
        "select t.oid::pg_catalog.regclass::text,
                coalesce(max(pg_catalog.substring(pg_catalog.pg_get_expr(p.relpartbound, p.oid),
                         'TO \\(''([^'']+)''\\)')::timestamptz), '-infinity') > pg_catalog.now() + interval '1 month',
                coalesce(pg_catalog.bool_or(pg_catalog.pg_get_expr(p.relpartbound, p.oid) = 'DEFAULT'
                         and pg_catalog.pg_relation_size(p.oid) > 0), false)
         from pg_catalog.pg_partitioned_table k
         join pg_catalog.pg_class t on t.oid = k.partrelid
         left join pg_catalog.pg_inherits i on i.inhparent = t.oid
         left join pg_catalog.pg_class p on p.oid = i.inhrelid
         where k.partstrat = 'r' group by t.oid order by 1",
    )
    .fetch_all(connection)
    .await?;
    let behind: Vec<&str> = rows.iter().filter(|row| !row.1).map(|row| row.0.as_str()).collect();
    let spilt: Vec<&str> = rows.iter().filter(|row| row.2).map(|row| row.0.as_str()).collect();
    let advice = "let `ephor serve` or `ephor worker` run: a daily job makes the months ahead and empties the default partition";
    Ok(if !behind.is_empty() {
        Check::warn(
            "partitions",
            format!("no partition for next month: {}", behind.join(", ")),
            advice,
        )
    } else if !spilt.is_empty() {
        Check::warn(
            "partitions",
            format!("rows in the default partition: {}", spilt.join(", ")),
            advice,
        )
    } else {
        Check::ok(
            "partitions",
            format!("{} partitioned tables have their months ahead", rows.len()),
        )
    })
}

async fn migrations(url: &str) -> Check {
    const NAME: &str = "migrations";
    let missing = match connect(url).await {
        Ok(mut connection) => migrate::missing(&mut connection).await,
        Err(error) => Err(error.into()),
    };
    match missing {
        Ok(missing) if missing.is_empty() => Check::ok(NAME, "all are applied"),
        Ok(missing) => Check::fail(
            NAME,
            format!("not applied: {}", missing.join(", ")),
            "`ephor serve` applies them at its start, or run `ephor db migrate`",
        ),
        Err(error) => {
            Check::fail(NAME, error.to_string(), "run the version of Ephor that fits the database")
        }
    }
}
