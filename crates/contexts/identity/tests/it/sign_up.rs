use ephor_identity::{BUILTIN_ROLES, IdentityConfig, Password, SignUp};
use ephor_kernel::Code;

use crate::support::{cheap, from, log_in, sign_up, somewhere, world, world_with};

#[tokio::test]
async fn an_organization_begins_with_its_owner_and_the_built_in_roles() {
    let world = world().await;
    let (signed_up, scope, browser) = world.owner("Ada@Example.org", "Acme & Co").await;
    let me = world.identity.me(&scope).await.unwrap();
    assert_eq!(me.user.email, "ada@example.org");
    assert!(me.user.gdpr_consent_at.is_some());
    assert_eq!(me.organizations.len(), 1);
    assert_eq!(me.organizations[0].slug, "acme-co");
    assert_eq!(me.organizations[0].role.as_deref(), Some("owner"));
    let copies: Vec<(String, Vec<String>)> = sqlx::query_as(
        "select builtin_code, permissions from identity.roles where organization_id = $1",
    )
    .bind(signed_up.organization_id.uuid())
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(copies.len(), BUILTIN_ROLES.len());
    for role in BUILTIN_ROLES {
        assert!(copies.iter().any(|(code, words)| code == role.code && words == role.permissions));
    }
    assert_eq!(browser.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn an_address_has_one_account_and_a_slug_one_organization() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    let again = world.identity.sign_up(&somewhere(), &sign_up("ADA@example.org", "Other")).await;
    let problem = again.unwrap_err();
    assert_eq!((problem.code, problem.faults[0].code.as_ref()), (Code::Conflict, "taken"));
    let (second, scope, _) = world.owner("bob@example.org", "Acme").await;
    let me = world.identity.me(&scope).await.unwrap();
    assert!(me.organizations[0].slug.starts_with("acme-"), "{}", me.organizations[0].slug);
    assert_eq!(me.organization_id, second.organization_id);
    let organizations: i64 = sqlx::query_scalar("select count(*) from identity.organizations")
        .fetch_one(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(organizations, 2, "a refused sign-up leaves nothing behind");
}

#[tokio::test]
async fn twenty_who_sign_up_with_one_address_at_once_get_one_account() {
    let world = world_with(IdentityConfig { password_at_once: 8, ..cheap() }).await;
    let tries = (0..20).map(|number| {
        let identity = world.identity.clone();
        tokio::spawn(async move {
            let request = from(&format!("192.0.2.{number}"));
            identity.sign_up(&request, &sign_up("ada@example.org", "Acme")).await.is_ok()
        })
    });
    let mut made = 0;
    for one in tries.collect::<Vec<_>>() {
        made += usize::from(one.await.unwrap());
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn bad_input_is_told_whole_and_closed_sign_up_is_closed() {
    let world = world().await;
    let bad = SignUp {
        email: "no address".into(),
        password: Password::new("password123"),
        full_name: String::new(),
        organization_name: "x".repeat(201),
        kind: Some("subsidiary".into()),
        consent: false,
    };
    let problem = world.identity.sign_up(&somewhere(), &bad).await.unwrap_err();
    assert_eq!((problem.code, problem.faults.len()), (Code::Invalid, 5));
    let closed =
        crate::support::another(&world.db, IdentityConfig { open_sign_up: false, ..cheap() });
    let input = sign_up("ada@example.org", "Acme");
    let problem = closed.sign_up(&somewhere(), &input).await.unwrap_err();
    assert_eq!(problem.code, Code::Forbidden);
    assert!(closed.open_organization(&somewhere(), &input).await.is_ok());
}

#[tokio::test]
async fn sign_ups_from_one_address_are_limited() {
    let world = world_with(IdentityConfig { sign_ups_per_address: 2, ..cheap() }).await;
    for number in 0..2 {
        let input = sign_up(&format!("p{number}@example.org"), "Acme");
        world.identity.sign_up(&somewhere(), &input).await.unwrap();
    }
    let input = sign_up("p3@example.org", "Acme");
    let problem = world.identity.sign_up(&somewhere(), &input).await.unwrap_err();
    assert_eq!(problem.code, Code::RateLimited);
    assert!(problem.retry_after.is_some_and(|seconds| (1..=900).contains(&seconds)));
    assert!(world.identity.sign_up(&from("198.51.100.7"), &input).await.is_ok());
}

#[tokio::test]
async fn the_trail_names_who_signed_up_and_holds_no_hash() {
    let world = world().await;
    let (signed_up, _, _) = world.owner("ada@example.org", "Acme").await;
    world
        .identity
        .log_in(&somewhere(), &log_in("ada@example.org", "wrong password"))
        .await
        .unwrap_err();
    let entries: Vec<(String, String, String)> = sqlx::query_as(
        "select action, entity_type, body from audit.audit_logs where organization_id = $1 order by id",
    )
    .bind(signed_up.organization_id.uuid())
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    let actions: Vec<_> =
        entries.iter().map(|(action, what, _)| format!("{action} {what}")).collect();
    assert!(actions.contains(&"insert identity.organizations".to_owned()), "{actions:?}");
    assert!(actions.contains(&"log_in identity.sessions".to_owned()), "{actions:?}");
    assert!(actions.contains(&"log_in_refused identity.users".to_owned()), "{actions:?}");
    let all: Vec<String> = sqlx::query_scalar("select body from audit.audit_logs")
        .fetch_all(&world.db.admin())
        .await
        .unwrap();
    assert!(all.iter().all(|body| !body.contains("$argon2")), "a password hash is in the trail");
    assert!(
        entries.iter().any(|(_, _, body)| body.contains("192.0.2.1")),
        "the address is missing"
    );
}
