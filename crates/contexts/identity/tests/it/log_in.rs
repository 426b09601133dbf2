use std::time::{Duration, Instant};

use ephor_identity::{IdentityConfig, LogIn, Password};
use ephor_kernel::{Code, OrganizationId};

use crate::support::{PASSWORD, World, another, cheap, from, log_in, somewhere, world, world_with};

#[tokio::test]
async fn an_unknown_address_is_refused_in_the_words_of_a_wrong_password() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    let identity = &world.identity;
    let wrong = identity.log_in(&somewhere(), &log_in("ada@example.org", "wrong password")).await;
    let unknown = identity.log_in(&somewhere(), &log_in("eve@example.org", "wrong password")).await;
    assert_eq!(wrong.as_ref().unwrap_err(), unknown.as_ref().unwrap_err());
    assert_eq!(wrong.unwrap_err().code, Code::WrongCredentials);
    assert!(identity.log_in(&somewhere(), &log_in(" Ada@Example.org", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let config = IdentityConfig {
        log_ins_per_account: 1000,
        log_ins_per_address: 1000,
        password_passes: 8,
        refusal_milliseconds: 0,
        ..IdentityConfig::default()
    };
    let world = world_with(config).await;
    world.owner("ada@example.org", "Acme").await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        for (email, times) in [("ada@example.org", &mut known), ("eve@example.org", &mut unknown)] {
            let started = Instant::now();
            world
                .identity
                .log_in(&somewhere(), &log_in(email, "wrong password"))
                .await
                .unwrap_err();
            times.push(started.elapsed());
        }
    }
    let least = |times: &[Duration]| times.iter().min().unwrap().as_secs_f64();
    let ratio = least(&known) / least(&unknown);
    // Without the decoy's hash the ratio is beyond ten.
    assert!((0.4..2.5).contains(&ratio), "known {known:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn too_many_attempts_on_an_account_are_refused_on_every_replica() {
    let config = IdentityConfig { log_ins_per_account: 3, ..cheap() };
    let world = world_with(config.clone()).await;
    world.owner("ada@example.org", "Acme").await;
    let replica = another(&world.db, config);
    for number in 0..3 {
        let request = from(&format!("192.0.2.{number}"));
        let refused =
            world.identity.log_in(&request, &log_in("ada@example.org", "wrong password")).await;
        assert_eq!(refused.unwrap_err().code, Code::WrongCredentials);
    }
    for identity in [&world.identity, &replica] {
        // The right password does not help either: else guessing would only have to go on.
        let refused =
            identity.log_in(&from("198.51.100.1"), &log_in("ada@example.org", PASSWORD)).await;
        let problem = refused.unwrap_err();
        assert_eq!(problem.code, Code::RateLimited);
        assert!(problem.retry_after.is_some_and(|seconds| (1..=900).contains(&seconds)));
    }
    // The window passes; a replica that starts then knows of no block.
    sqlx::query(
        "update identity.log_in_attempts set window_started_at = now() - interval '1 hour'",
    )
    .execute(&world.db.admin())
    .await
    .unwrap();
    let later = another(&world.db, cheap());
    assert!(later.log_in(&somewhere(), &log_in("ada@example.org", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn too_many_attempts_from_an_address_are_refused_and_success_clears_the_account() {
    let config = IdentityConfig { log_ins_per_account: 2, log_ins_per_address: 6, ..cheap() };
    let world = world_with(config).await;
    world.owner("ada@example.org", "Acme").await;
    let identity = &world.identity;
    for _ in 0..3 {
        // One wrong, one right: the right one makes up for it.
        identity
            .log_in(&somewhere(), &log_in("ada@example.org", "wrong password"))
            .await
            .unwrap_err();
        identity.log_in(&somewhere(), &log_in("ada@example.org", PASSWORD)).await.unwrap();
    }
    let refused = identity.log_in(&somewhere(), &log_in("bob@example.org", PASSWORD)).await;
    assert_eq!(refused.unwrap_err().code, Code::RateLimited);
    let elsewhere =
        identity.log_in(&from("198.51.100.1"), &log_in("ada@example.org", PASSWORD)).await;
    assert!(elsewhere.is_ok());
}

#[tokio::test]
async fn attempts_at_the_same_moment_do_not_pass_the_limit_together() {
    let world = world_with(IdentityConfig { log_ins_per_account: 5, ..cheap() }).await;
    world.owner("ada@example.org", "Acme").await;
    let tries: Vec<_> = (0..40)
        .map(|number| {
            let identity = world.identity.clone();
            tokio::spawn(async move {
                let request = from(&format!("192.0.2.{number}"));
                identity.log_in(&request, &log_in("ada@example.org", "wrong password")).await
            })
        })
        .collect();
    let mut looked_at = 0;
    for one in tries {
        let problem = one.await.unwrap().unwrap_err();
        looked_at += usize::from(problem.code == Code::WrongCredentials);
    }
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn one_logs_in_where_one_was_last_or_where_one_asks_and_belongs() {
    let world = world().await;
    let (first, _, _) = world.owner("ada@example.org", "First").await;
    let (second, scope, _) = world.owner("bob@example.org", "Second").await;
    let added =
        world.identity.member_add(&scope, &crate::support::add("ada@example.org", "viewer")).await;
    let join = ephor_identity::Join {
        token: added.unwrap().join.token,
        password: Password::new(PASSWORD),
        full_name: None,
        consent: false,
    };
    world.identity.join(&somewhere(), &join).await.unwrap();
    let world = &world;
    let place = |input: LogIn| async move {
        let cookie = world.identity.log_in(&somewhere(), &input).await?.session()?;
        let browser = world.browser(cookie.header().to_str().unwrap());
        let id = browser.get("/v1/me").await.body["organization_id"].as_str().unwrap().to_owned();
        Ok::<OrganizationId, ephor_kernel::Problem>(id.parse().unwrap())
    };
    let plain = log_in("ada@example.org", PASSWORD);
    assert_eq!(place(plain.clone()).await.unwrap(), second.organization_id);
    let asked = LogIn { organization_id: Some(first.organization_id), ..plain.clone() };
    assert_eq!(place(asked).await.unwrap(), first.organization_id);
    let nowhere = LogIn { organization_id: Some(OrganizationId::new()), ..plain };
    assert_eq!(place(nowhere).await.unwrap_err().code, Code::Forbidden);
}

#[tokio::test]
async fn deactivated_accounts_do_not_log_in() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    sqlx::query("update identity.users set is_active = false")
        .execute(&world.db.admin())
        .await
        .unwrap();
    let refused = world.identity.log_in(&somewhere(), &log_in("ada@example.org", PASSWORD)).await;
    assert_eq!(refused.unwrap_err().code, Code::WrongCredentials);
    assert_eq!(browser.get("/v1/me").await.status, 401, "the session ends with the account");
}

#[tokio::test]
async fn an_imported_password_opens_its_account_and_is_hashed_anew() {
    let world = world().await;
    let identity = &world.identity;
    let imported = [
        (
            "ada@example.org",
            "U*U*U",
            "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        ),
        (
            "eve@example.org",
            "password",
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        ),
    ];
    for (email, password, hash) in imported {
        let (_, scope, _) = world.owner(email, email).await;
        sqlx::query("update identity.users set password_hash = $2 where email = $1")
            .bind(email)
            .bind(hash)
            .execute(&world.db.admin())
            .await
            .unwrap();
        let wrong = identity.log_in(&somewhere(), &log_in(email, "wrong password")).await;
        assert_eq!(wrong.unwrap_err().code, Code::WrongCredentials);
        assert_eq!(stored(&world.db.admin(), email).await, hash);

        identity.log_in(&somewhere(), &log_in(email, password)).await.unwrap();
        let anew = stored(&world.db.admin(), email).await;
        assert!(anew.starts_with("$argon2id$"), "{anew}");
        identity.log_in(&somewhere(), &log_in(email, password)).await.unwrap();
        assert_eq!(stored(&world.db.admin(), email).await, anew);
        let noted: i64 = sqlx::query_scalar(
            "select count(*) from audit.audit_logs where organization_id = $1 and action = 'password_rehash'",
        )
        .bind(scope.organization().uuid())
        .fetch_one(&world.db.admin())
        .await
        .unwrap();
        assert_eq!(noted, 1);
    }
}

async fn import(world: &World, email: &str, hash: &str) {
    sqlx::query("update identity.users set password_hash = $2 where email = $1")
        .bind(email)
        .bind(hash)
        .execute(&world.db.admin())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_hash_that_no_log_in_would_compute_is_refused_where_it_is_imported() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    let admin = world.db.admin();
    let set = async |hash: &str| {
        sqlx::query("update identity.users set password_hash = $1 where email = 'ada@example.org'")
            .bind(hash)
            .execute(&admin)
            .await
    };
    let before = stored(&admin, "ada@example.org").await;
    for (hash, told) in [
        ("$2b$15$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "cost 15"),
        ("$2y$31$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "cost 31"),
        ("$scrypt$ln=18,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4Cb", "ln=18"),
        ("$scrypt$ln=17,r=8,p=2$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4Cb", "p=2"),
        ("$scrypt$ln=999999999,r=999999999,p=999999999$c2FsdHNhbHQ$aGFzaA", "ln=999999999"),
    ] {
        let error = set(hash).await.unwrap_err();
        let error = error.as_database_error().unwrap();
        assert_eq!(error.constraint(), Some("users_password_hash_check"), "{hash}");
        assert!(error.message().contains(told), "{}", error.message());
    }
    assert_eq!(stored(&admin, "ada@example.org").await, before);

    // What is computed is taken, and so is what fits no password in place of a hash.
    for hash in [
        "$2b$14$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        "$scrypt$ln=17,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4Cb",
        "!",
    ] {
        set(hash).await.unwrap();
        assert_eq!(stored(&admin, "ada@example.org").await, hash);
    }
    let refused = world.identity.log_in(&somewhere(), &log_in("ada@example.org", "!")).await;
    assert_eq!(refused.unwrap_err().code, Code::WrongCredentials);
    assert!(world.identity.password_link("ada@example.org").await.is_ok());
}

fn bcrypted(password: &str, cost: u32) -> String {
    bcrypt::hash_with_salt(password, cost, [7; 16]).unwrap().to_string()
}

#[tokio::test]
async fn first_log_ins_of_one_moment_with_an_imported_password_all_succeed() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    // Dear enough that all of them read the imported hash before the first one replaces it.
    import(&world, "ada@example.org", &bcrypted("imported password", 9)).await;
    let tries: Vec<_> = (0..6)
        .map(|_| {
            let identity = world.identity.clone();
            tokio::spawn(async move {
                identity.log_in(&somewhere(), &log_in("ada@example.org", "imported password")).await
            })
        })
        .collect();
    for one in tries {
        one.await.unwrap().unwrap();
    }
    let anew = stored(&world.db.admin(), "ada@example.org").await;
    assert!(anew.starts_with("$argon2id$"), "{anew}");
    let noted: i64 = sqlx::query_scalar(
        "select count(*) from audit.audit_logs where action = 'password_rehash'",
    )
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(noted, 1, "it is hashed anew once");
}

#[tokio::test]
async fn a_password_that_bcrypt_did_not_read_whole_keeps_its_hash() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    let password = "correct horse battery staple ".repeat(3);
    assert!(password.len() > 72);
    let imported = bcrypted(&password, 4);
    import(&world, "ada@example.org", &imported).await;
    let mistyped = format!("{password}, mistyped at its end");
    for typed in [mistyped.as_str(), password.as_str(), &password[..72]] {
        // As it was in the system that it came from: none of them locks the others out.
        let entered = world.identity.log_in(&somewhere(), &log_in("ada@example.org", typed)).await;
        assert!(entered.is_ok(), "{typed}: {entered:?}");
        assert_eq!(stored(&world.db.admin(), "ada@example.org").await, imported);
    }
    let wrong = world.identity.log_in(&somewhere(), &log_in("ada@example.org", "correct")).await;
    assert_eq!(wrong.unwrap_err().code, Code::WrongCredentials);
}

#[tokio::test]
async fn no_refusal_comes_before_its_beat_whatever_the_account() {
    let world = world_with(IdentityConfig { refusal_milliseconds: 300, ..cheap() }).await;
    world.owner("ada@example.org", "Acme").await;
    world.owner("bob@example.org", "Other").await;
    world.owner("cyd@example.org", "Third").await;
    import(&world, "bob@example.org", &bcrypted("imported password", 4)).await;
    import(
        &world,
        "cyd@example.org",
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
    )
    .await;
    for email in ["ada@example.org", "bob@example.org", "cyd@example.org", "eve@example.org"] {
        let started = Instant::now();
        let refused = world.identity.log_in(&somewhere(), &log_in(email, "wrong password")).await;
        assert_eq!(refused.unwrap_err().code, Code::WrongCredentials, "{email}");
        assert!(
            started.elapsed() >= Duration::from_millis(300),
            "{email}: {:?}",
            started.elapsed()
        );
    }
}

async fn stored(pool: &sqlx::PgPool, email: &str) -> String {
    sqlx::query_scalar("select password_hash from identity.users where email = $1")
        .bind(email)
        .fetch_one(pool)
        .await
        .unwrap()
}
