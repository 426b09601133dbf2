#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use secrecy::ExposeSecret as _;

use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn the_default_is_a_whole_configuration() {
    let config = Config::load(None, [], &[]).unwrap();
    assert_eq!(config.server.bind, "127.0.0.1:8080");
    assert_eq!(config.server.url(), "http://127.0.0.1:8080");
    assert!(!config.server.secure() && !config.identity.secure_cookies);
    assert!(config.database.system_url.is_none());
}

#[test]
fn the_default_file_says_what_the_consumers_themselves_default_to() {
    let config = Config::load(None, [], &[]).unwrap();
    let identity = ephor_identity::IdentityConfig {
        public_url: config.identity.public_url.clone(),
        ..ephor_identity::IdentityConfig::default()
    };
    assert_eq!(config.identity, identity);
    let database = ephor_store::DatabaseConfig::default();
    assert_eq!(config.database.connections, database.connections);
    assert_eq!(config.database.system_connections, database.system_connections);
    assert_eq!(config.database.wait_seconds, database.wait_seconds);
    assert_eq!(config.database.statement_seconds, database.statement_seconds);
}

#[test]
fn cookies_are_secure_where_people_come_by_https() {
    let variables = variables(&[("EPHOR_SERVER_PUBLIC_URL", "https://ephor.example.com/")]);
    let config = Config::load(None, variables, &[]).unwrap();
    assert!(config.identity.secure_cookies);
    assert_eq!(config.identity.public_url.as_deref(), Some("https://ephor.example.com"));
}

#[test]
fn a_flag_overrides_a_variable_overrides_a_file() {
    let file =
        file("[server]\nbind = '1.1.1.1:1'\nshutdown_seconds = 1\n[jobs]\nconcurrency = 7\n");
    let variables =
        variables(&[("EPHOR_SERVER_BIND", "2.2.2.2:2"), ("EPHOR_SERVER_SHUTDOWN_SECONDS", "2")]);
    let flags = [("server.bind", "3.3.3.3:3".to_owned())];
    let config = Config::load(Some(file.path()), variables, &flags).unwrap();
    assert_eq!(config.server.bind, "3.3.3.3:3");
    assert_eq!(config.server.shutdown_seconds, 2);
    assert_eq!(config.jobs.concurrency, 7);
}

#[test]
fn ephors_own_database_variable_is_the_more_particular_one() {
    let both = variables(&[
        ("EPHOR_DATABASE_URL", "postgres:///own"),
        ("DATABASE_URL", "postgres:///any"),
    ]);
    let config = Config::load(None, both, &[]).unwrap();
    assert_eq!(config.database.url.expose_secret(), "postgres:///own");
}

#[test]
fn every_fault_is_told_at_once() {
    let file = file("[sever]\nbind = 'x'\n[log]\nformat = 3\nfliter = 'x'\n");
    let variables = variables(&[("EPHOR_JOBS_CONCURRENCY", "many"), ("EPHOR_LOG_FILTR", "x")]);
    let error = Config::load(Some(file.path()), variables, &[]).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.0.len(), 5, "{text}");
    for part in [
        "did you mean `server`",
        "`3` is not a text",
        "did you mean `filter`",
        "`many` is not a whole number",
        "did you mean `EPHOR_LOG_FILTER`",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn what_is_out_of_range_is_refused() {
    let variables = variables(&[
        ("EPHOR_SERVER_BIND", "nowhere"),
        ("EPHOR_TELEMETRY_SAMPLE_RATIO", "2"),
        ("EPHOR_DATABASE_CONNECTIONS", "0"),
        ("EPHOR_CLUSTER_PATIENCE_SECONDS", "86401"),
    ]);
    assert_eq!(Config::load(None, variables, &[]).unwrap_err().0.len(), 4);
}

#[test]
fn mail_is_off_until_it_is_set_up_whole() {
    let config = Config::load(None, [], &[]).unwrap();
    assert!(!config.mail.is_set_up() && !config.identity.mail);
    let half = variables(&[("EPHOR_MAIL_URL", "smtp://user:hush@mail.example.org")]);
    let error = Config::load(None, half, &[]).unwrap_err();
    let places: Vec<_> = error.0.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["mail.url", "mail.from"]);
    assert!(!error.to_string().contains("hush"), "{error}");
    let whole = variables(&[
        ("EPHOR_MAIL_URL", "smtps://user:hush@mail.example.org"),
        ("EPHOR_MAIL_FROM", "Ephor <ephor@example.org>"),
    ]);
    let config = Config::load(None, whole, &[]).unwrap();
    assert!(config.identity.mail);
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let secret =
        variables(&[("EPHOR_SEAL_KEY", "hush"), ("DATABASE_URL", "postgres://u:hush@h/d")]);
    assert!(!format!("{:?}", Config::load(None, secret, &[]).unwrap()).contains("hush"));
}

#[test]
fn the_data_folder_follows_the_user() {
    let config = Config::load(None, [], &[]).unwrap();
    let home = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
    assert_eq!(config.data_dir(&home, false), Path::new("/home/ada/.local/share/ephor"));
    assert_eq!(config.data_dir(&home, true), Path::new("/var/lib/ephor"));
}

const PROVIDER: &str =
    "[[oidc]]\nname = 'key-cloak'\nissuer = 'https://id.example.org'\nclient_id = 'ephor'\n";

#[test]
fn providers_stand_one_after_another_and_a_variable_holds_a_secret() {
    let file = file(&format!("{PROVIDER}\n{}", PROVIDER.replace("key-cloak", "google")));
    let secret = variables(&[("EPHOR_OIDC_KEY_CLOAK_CLIENT_SECRET", "s")]);
    let config = Config::load(Some(file.path()), secret, &[]).unwrap();
    let names: Vec<_> = config.oidc.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!(names, ["key-cloak", "google"]);
    assert_eq!(config.oidc[0].client_secret.expose_secret(), "s");
    assert_eq!(config.oidc[1].client_secret.expose_secret(), "");
    let unknown = variables(&[("EPHOR_OIDC_GITHUB_CLIENT_SECRET", "s")]);
    let faults = Config::load(Some(file.path()), unknown, &[]).unwrap_err().0;
    assert_eq!(faults[0].place, "EPHOR_OIDC_GITHUB_CLIENT_SECRET");
}

#[test]
fn what_is_wrong_with_a_provider_is_told() {
    let file = file(&format!("{PROVIDER}organization = 'acme'\nrole = 'owner'\n\n{PROVIDER}"));
    let faults = Config::load(Some(file.path()), [], &[]).unwrap_err().0;
    let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["oidc[0].role", "oidc[0].allowed_domains", "oidc[1].name"]);
    let file = self::file(&format!("{PROVIDER}isuer = 'x'\n"));
    assert!(Config::load(Some(file.path()), [], &[]).unwrap_err().to_string().contains("isuer"));
}

#[test]
fn single_tables_may_be_kept_longer_or_shorter() {
    let said = variables(&[
        ("EPHOR_RETENTION_MONTHS", "12"),
        ("EPHOR_RETENTION_TABLES", "a.calls=6, a.costs = 0"),
    ]);
    let config = Config::load(None, said, &[]).unwrap();
    let tables = ["a.calls", "a.costs", "a.usage"].map(str::to_owned);
    let kept: Vec<_> = config
        .retention
        .of_tables(&tables)
        .unwrap()
        .into_iter()
        .map(|(_, months)| months)
        .collect();
    assert_eq!(kept, [6, 0, 12]);
    assert!(config.retention.of_tables(&tables[..1]).unwrap_err()[0].contains("a.costs"));
    let wrong = [("EPHOR_RETENTION_TABLES", "a.calls,audit.audit_logs=3,a.b=1,a.b=2")];
    let error = Config::load(None, variables(&wrong), &[]).unwrap_err();
    assert_eq!(error.0.len(), 3, "{error}");
}
