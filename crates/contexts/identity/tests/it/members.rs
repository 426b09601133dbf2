use axum::http::Method;
use ephor_identity::{ChangeMember, Join, Password};
use ephor_kernel::{Code, MemberId, PermissionSet, Principal, Scope, UserId};
use serde_json::json;

use crate::support::{PASSWORD, World, add, log_in, sign_up, somewhere, world};

fn join(token: &str, password: &str) -> Join {
    Join { token: token.into(), password: Password::new(password), full_name: None, consent: false }
}

fn role(code: &str) -> ChangeMember {
    ChangeMember { role: Some(code.into()), ..ChangeMember::default() }
}

fn active(is_active: bool) -> ChangeMember {
    ChangeMember { is_active: Some(is_active), ..ChangeMember::default() }
}

/// The scope of a member as its role gives it.
async fn scope_of(world: &World, member: MemberId) -> Scope {
    let (user, organization, words): (uuid::Uuid, uuid::Uuid, Vec<String>) = sqlx::query_as(
        "select m.user_id, m.organization_id, r.permissions from identity.organization_members m
         join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id where m.id = $1",
    )
    .bind(member.uuid())
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    let permissions = PermissionSet::parse(words.iter().map(String::as_str)).unwrap();
    Scope::new(Principal::User(UserId::from(user)), organization.into(), permissions, somewhere())
}

#[tokio::test]
async fn a_new_person_joins_by_a_link_that_works_once() {
    let world = world().await;
    let (_, scope, owner) = world.owner("ada@example.org", "Acme").await;
    let added = world.identity.member_add(&scope, &add("Bob@example.org", "member")).await.unwrap();
    assert_eq!(added.email, "bob@example.org");
    let waiting = world.identity.log_in(&somewhere(), &log_in("bob@example.org", PASSWORD)).await;
    assert_eq!(waiting.unwrap_err().code, Code::WrongCredentials, "no password is set yet");
    let offer = world.identity.join_offer(&somewhere(), &added.join.token).await.unwrap();
    assert_eq!((offer.organization_name.as_str(), offer.has_account), ("Acme", false));
    let weak = world.identity.join(&somewhere(), &join(&added.join.token, "short")).await;
    assert_eq!(weak.unwrap_err().code, Code::Invalid);
    let cookie =
        world.identity.join(&somewhere(), &join(&added.join.token, PASSWORD)).await.unwrap();
    let cookie = cookie.session().unwrap();
    let bob = world.browser(cookie.header().to_str().unwrap());
    assert_eq!(bob.get("/v1/me").await.body["user"]["email"], "bob@example.org");
    let twice = world.identity.join(&somewhere(), &join(&added.join.token, PASSWORD)).await;
    assert_eq!(twice.unwrap_err().code, Code::NotFound);
    let list = owner.get("/v1/members").await;
    assert_eq!(list.body["data"].as_array().unwrap().len(), 2, "{list:?}");
}

#[tokio::test]
async fn adding_somebody_tells_nothing_of_other_organizations_and_opens_no_account() {
    let world = world().await;
    let (_, acme, _) = world.owner("ada@example.org", "Acme").await;
    world.owner("bob@example.org", "Elsewhere").await;
    let known = world.identity.member_add(&acme, &add("bob@example.org", "member")).await.unwrap();
    let unknown =
        world.identity.member_add(&acme, &add("eve@example.org", "member")).await.unwrap();
    let shape = |added: &ephor_identity::AddedMember| {
        let value = serde_json::to_value(added).unwrap();
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        (keys, added.full_name.replace("bob", "eve"))
    };
    assert_eq!(shape(&known), shape(&unknown));
    // The link asks for the password that the account has.
    let wrong =
        world.identity.join(&somewhere(), &join(&known.join.token, "another password")).await;
    assert_eq!(wrong.unwrap_err().code, Code::WrongCredentials);
    assert!(world.identity.join(&somewhere(), &join(&known.join.token, PASSWORD)).await.is_ok());
    // Who was added, but never joined, can still sign up; the link then asks for that password.
    let mut eve = sign_up("eve@example.org", "Hers");
    eve.password = Password::new("eves own password");
    world.identity.sign_up(&somewhere(), &eve).await.unwrap();
    let wrong = world.identity.join(&somewhere(), &join(&unknown.join.token, PASSWORD)).await;
    assert_eq!(wrong.unwrap_err().code, Code::WrongCredentials);
    let right = join(&unknown.join.token, "eves own password");
    assert!(world.identity.join(&somewhere(), &right).await.is_ok());
}

#[tokio::test]
async fn links_expire_are_renewed_and_end_with_the_membership() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let added = world.identity.member_add(&scope, &add("bob@example.org", "member")).await.unwrap();
    let link = world.identity.member_link(&scope, added.id).await.unwrap();
    let old = world.identity.join_offer(&somewhere(), &added.join.token).await;
    assert_eq!(old.unwrap_err().code, Code::NotFound, "the new link takes the old one's place");
    sqlx::query("update identity.member_joins set expires_at = now() - interval '1 second'")
        .execute(&world.db.admin())
        .await
        .unwrap();
    let expired = world.identity.join(&somewhere(), &join(&link.token, PASSWORD)).await;
    assert_eq!(expired.unwrap_err().code, Code::NotFound);
    let link = world.identity.member_link(&scope, added.id).await.unwrap();
    world.identity.member_remove(&scope, added.id).await.unwrap();
    let ended = world.identity.join(&somewhere(), &join(&link.token, PASSWORD)).await;
    assert_eq!(ended.unwrap_err().code, Code::NotFound);
    let again = world.identity.member_link(&scope, added.id).await;
    assert_eq!(again.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = world().await;
    let (ada, scope, _) = world.owner("ada@example.org", "Acme").await;
    let identity = &world.identity;
    let refusals = [
        identity.member_change(&scope, ada.member_id, None, &role("admin")).await.map(drop),
        identity.member_change(&scope, ada.member_id, None, &active(false)).await.map(drop),
        identity.member_remove(&scope, ada.member_id).await,
    ];
    for refusal in refusals {
        let problem = refusal.unwrap_err();
        assert_eq!(problem.code, Code::Conflict, "{problem:?}");
        assert!(problem.detail.contains("last owner"));
    }
    let (bob, _) = world.join(&scope, "bob@example.org", "owner").await;
    identity.member_change(&scope, ada.member_id, None, &role("admin")).await.unwrap();
    let bob_scope = scope_of(&world, bob).await;
    let refused = identity.member_change(&bob_scope, bob, None, &role("viewer")).await;
    assert_eq!(refused.unwrap_err().code, Code::Conflict);
}

#[tokio::test]
async fn two_owners_who_demote_each_other_at_once_leave_one() {
    for _ in 0..5 {
        let world = world().await;
        let (ada, scope, _) = world.owner("ada@example.org", "Acme").await;
        let (bob, _) = world.join(&scope, "bob@example.org", "owner").await;
        let one = world.identity.clone();
        let two = world.identity.clone();
        let (first, second) = (scope.clone(), scope_of(&world, bob).await);
        let (first, second) = tokio::join!(
            tokio::spawn(
                async move { one.member_change(&first, bob, None, &role("viewer")).await }
            ),
            tokio::spawn(async move {
                two.member_change(&second, ada.member_id, None, &role("viewer")).await
            }),
        );
        let made = [first.unwrap(), second.unwrap()].iter().filter(|done| done.is_ok()).count();
        assert_eq!(made, 1);
    }
}

#[tokio::test]
async fn the_database_itself_keeps_the_last_owner() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    for statement in [
        "delete from identity.organization_members where organization_id = $1",
        "update identity.organization_members set is_active = false where organization_id = $1",
        "update identity.organization_members set role_id = (select id from identity.roles
            where organization_id = $1 and builtin_code = 'viewer') where organization_id = $1",
        "update identity.roles set permissions = '{}' where organization_id = $1 and builtin_code = 'owner'",
        "delete from identity.roles where organization_id = $1 and builtin_code = 'viewer'",
    ] {
        let refused = sqlx::query(statement)
            .bind(scope.organization().uuid())
            .execute(&world.db.admin())
            .await;
        let error = refused.unwrap_err();
        let constraint =
            error.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
        let named = ["organization_members_last_owner", "roles_builtin"];
        assert!(constraint.is_some_and(|name| named.contains(&name.as_str())), "{statement}");
    }
}

#[tokio::test]
async fn nobody_gives_more_than_they_have_or_touches_who_stands_above() {
    let world = world().await;
    let (ada, owner, _) = world.owner("ada@example.org", "Acme").await;
    let (bob, _) = world.join(&owner, "bob@example.org", "admin").await;
    let (cy, _) = world.join(&owner, "cy@example.org", "member").await;
    let admin = scope_of(&world, bob).await;
    let identity = &world.identity;
    let forbidden = |result: Result<(), ephor_kernel::Problem>| {
        assert_eq!(result.unwrap_err().code, Code::Forbidden);
    };
    forbidden(identity.member_add(&admin, &add("eve@example.org", "owner")).await.map(drop));
    forbidden(identity.member_change(&admin, bob, None, &role("owner")).await.map(drop));
    forbidden(identity.member_change(&admin, ada.member_id, None, &role("viewer")).await.map(drop));
    forbidden(identity.member_remove(&admin, ada.member_id).await);
    identity.member_change(&admin, cy, None, &role("manager")).await.unwrap();
    identity.member_change(&admin, cy, None, &role("admin")).await.unwrap();
    let all = ephor_identity::CreateRole {
        name: "Everything".into(),
        description: None,
        permissions: vec!["*".into()],
    };
    let problem = identity.role_create(&admin, &all).await.unwrap_err();
    assert_eq!(problem.faults[0].code, "exceeds");
}

#[tokio::test]
async fn a_deactivated_or_removed_member_is_out_at_once() {
    let world = world().await;
    let (_, owner, _) = world.owner("ada@example.org", "Acme").await;
    let (bob, browser) = world.join(&owner, "bob@example.org", "manager").await;
    let key = ephor_identity::CreateApiKey {
        name: "ci".into(),
        permissions: vec!["models:read".into()],
        expires_at: None,
    };
    let key = world.identity.api_key_create(&scope_of(&world, bob).await, &key).await.unwrap();
    let token = ephor_identity::ApiKeyToken::parse(&key.key).unwrap();
    let identity = &world.identity;
    assert_eq!(browser.get("/v1/me").await.status, 200);
    assert!(identity.api_key_admit(&somewhere(), &token).await.unwrap().is_some());
    identity.member_change(&owner, bob, None, &active(false)).await.unwrap();
    assert_eq!(browser.get("/v1/me").await.status, 401);
    assert!(identity.api_key_admit(&somewhere(), &token).await.unwrap().is_none());
    let refused = identity.log_in(&somewhere(), &log_in("bob@example.org", PASSWORD)).await;
    assert_eq!(refused.unwrap_err().code, Code::Forbidden);
    identity.member_change(&owner, bob, None, &active(true)).await.unwrap();
    assert_eq!(browser.get("/v1/me").await.status, 200);
    // Another role counts for the very next request.
    identity.member_change(&owner, bob, None, &role("viewer")).await.unwrap();
    let me = browser.get("/v1/me").await;
    assert!(!me.body["permissions"].as_array().unwrap().contains(&json!("models:update")));
    identity.member_remove(&owner, bob).await.unwrap();
    assert_eq!(browser.get("/v1/me").await.status, 401);
    assert!(identity.api_key_admit(&somewhere(), &token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_full_organization_says_so_with_its_limit() {
    let world = world().await;
    let (_, owner, _) = world.owner("ada@example.org", "Acme").await;
    sqlx::query("update identity.organizations set max_users = 2")
        .execute(&world.db.admin())
        .await
        .unwrap();
    let (bob, _) = world.join(&owner, "bob@example.org", "member").await;
    let full = world.identity.member_add(&owner, &add("cy@example.org", "member")).await;
    let problem = full.unwrap_err();
    assert_eq!(problem.code, Code::LimitReached);
    let quota = problem.quota.unwrap();
    assert_eq!((quota.name.as_str(), quota.limit, quota.used), ("members", Some(2), Some(2)));
    assert_eq!((quota.plan, quota.upgrade), (None, None), "the operator's limit is no plan's");
    world.identity.member_change(&owner, bob, None, &active(false)).await.unwrap();
    world.identity.member_add(&owner, &add("cy@example.org", "member")).await.unwrap();
    let back = world.identity.member_change(&owner, bob, None, &active(true)).await;
    assert_eq!(back.unwrap_err().code, Code::LimitReached);
}

#[tokio::test]
async fn the_api_adds_changes_and_removes_with_versions() {
    let world = world().await;
    let (_, _, owner) = world.owner("ada@example.org", "Acme").await;
    let input = json!({ "email": "bob@example.org", "full_name": "Bob", "role": "member" });
    let added = owner.post("/v1/members", input.clone()).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert!(added.body["join"]["path"].as_str().unwrap().starts_with("/join?token=join_"));
    assert_eq!(added.headers["cache-control"], "no-store");
    assert_eq!(owner.post("/v1/members", input).await.status, 409);
    let path = format!("/v1/members/{}", added.body["id"].as_str().unwrap());
    let unjoined = owner.send(Method::PATCH, &path, Some(json!({ "is_active": true }))).await;
    assert_eq!(unjoined.status, 409, "{unjoined:?}");
    let changed = owner.send(Method::PATCH, &path, Some(json!({ "role": "viewer" }))).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(
        (&changed.body["version"], changed.headers["etag"].to_str().unwrap()),
        (&json!(2), "\"2\"")
    );
    for (version, status) in
        [(None, 428), (Some("\"1\""), 412), (Some("\"2\""), 200), (Some("x"), 422)]
    {
        let answer = owner.patch(&path, version, json!({ "role": "member" })).await;
        assert_eq!(answer.status, status, "{version:?} {answer:?}");
    }
    let nothing = owner.send(Method::PATCH, &path, Some(json!({}))).await;
    assert_eq!((nothing.status.as_u16(), nothing.code()), (422, "invalid"));
    let unknown = owner.send(Method::PATCH, &path, Some(json!({ "email": "x" }))).await;
    assert!(unknown.status.is_client_error(), "{unknown:?}");
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status, 404);
    let bad = owner.post("/v1/members", json!({ "email": "x", "full_name": "" })).await;
    assert_eq!(bad.body["faults"].as_array().map(Vec::len), Some(3), "{bad:?}");
}
