//! Rights change while requests are under way: one in flight finishes as it began, the next one sees the change,
//! on every replica.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Browser, World, send, world};

/// How somebody loses what they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Demoted,
    Deactivated,
    Removed,
    LoggedOut,
    KeyRevoked,
}

impl Loss {
    const ALL: [Self; 5] =
        [Self::Demoted, Self::Deactivated, Self::Removed, Self::LoggedOut, Self::KeyRevoked];

    /// What the next request is answered: whoever is still let in is told that they may not.
    const fn next_status(self) -> u16 {
        if matches!(self, Self::Demoted) { 403 } else { 401 }
    }
}

/// Who asks: a header and its value.
#[derive(Clone)]
struct Credential(header::HeaderName, String);

impl Credential {
    fn of(browser: &Browser) -> Self {
        Self(header::COOKIE, browser.cookie.clone())
    }

    async fn asks(&self, at: &Router, method: Method, path: &str, body: Option<Value>) -> Answer {
        let kind = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(&self.0, &self.1)
            .header("sec-fetch-site", "same-origin")
            .header(header::IF_MATCH, "*")
            .header(header::CONTENT_TYPE, kind)
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        send(at, request.unwrap()).await
    }

    /// What an admin may and a viewer may not.
    async fn renames(&self, at: &Router, team: &str, name: &str) -> Answer {
        let path = format!("/v1/teams/{team}");
        self.asks(at, Method::PATCH, &path, Some(json!({ "name": name }))).await
    }
}

async fn team(owner: &Browser, name: &str) -> String {
    let made = owner.post("/v1/teams", json!({ "name": name })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["id"].as_str().unwrap().to_owned()
}

async fn name_of(world: &World, team: &str) -> String {
    let id: Uuid = team.parse().unwrap();
    let name = sqlx::query_scalar("select name from identity.teams where id = $1").bind(id);
    name.fetch_one(&world.db.admin()).await.unwrap()
}

/// Waits until a statement waits for a lock.
async fn somebody_waits(world: &World) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&world.db.admin())
        .await
        .unwrap();
        if waiting > 0 {
            return;
        }
        assert!(Instant::now() < deadline, "nobody waits for the row");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_in_flight_finishes_as_it_began_and_the_next_sees_the_change() {
    for loss in Loss::ALL {
        Box::pin(in_flight(loss)).await;
    }
}

async fn in_flight(loss: Loss) {
    let world = world().await;
    let replicas = [world.router(), world.replica().await];
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (member, bob) = world.join(&scope, "bob@example.org", "admin").await;
    let team = team(&ada, "Before").await;
    let key =
        bob.post("/v1/api-keys", json!({ "name": "k", "permissions": ["teams:update"] })).await;
    assert_eq!(key.status, 201, "{key:?}");
    let session = Credential::of(&bob);
    let acts = if loss == Loss::KeyRevoked {
        let key = key.body["key"].as_str().unwrap();
        Credential(header::AUTHORIZATION, format!("Bearer {key}"))
    } else {
        session.clone()
    };
    // Each replica knows what bob may before that changes.
    for at in &replicas {
        let answer = acts.renames(at, &team, "Warm").await;
        assert_eq!(answer.status, 200, "{loss:?}: {answer:?}");
    }

    // Another connection holds the row, so that the request is let in and waits within.
    let admin = world.db.admin();
    let mut holds = admin.begin().await.unwrap();
    sqlx::query("select from identity.teams where id = $1 for update")
        .bind(team.parse::<Uuid>().unwrap())
        .execute(&mut *holds)
        .await
        .unwrap();
    let waits = {
        let (acts, at, team) = (acts.clone(), replicas[0].clone(), team.clone());
        tokio::spawn(async move { acts.renames(&at, &team, "In flight").await })
    };
    somebody_waits(&world).await;

    // Meanwhile the other replica takes away what bob may.
    let (other, owner) = (&replicas[1], Credential::of(&ada));
    let path = format!("/v1/members/{member}");
    let (who, method, path, body) = match loss {
        Loss::Demoted => (&owner, Method::PATCH, path, Some(json!({ "role": "viewer" }))),
        Loss::Deactivated => (&owner, Method::PATCH, path, Some(json!({ "is_active": false }))),
        Loss::Removed => (&owner, Method::DELETE, path, None),
        Loss::LoggedOut => {
            (&session, Method::POST, "/v1/auth/log-out-everywhere".to_owned(), Some(json!({})))
        }
        Loss::KeyRevoked => {
            let path = format!("/v1/api-keys/{}", key.body["id"].as_str().unwrap());
            (&session, Method::DELETE, path, None)
        }
    };
    let taken = who.asks(other, method, &path, body).await;
    assert!(taken.status.is_success(), "{loss:?}: {taken:?}");
    assert!(!waits.is_finished(), "{loss:?}: the request did not wait");

    for at in &replicas {
        let next = acts.renames(at, &team, "Next").await;
        assert_eq!(next.status, loss.next_status(), "{loss:?}: {next:?}");
    }
    holds.rollback().await.unwrap();
    let finished = waits.await.unwrap();
    assert_eq!(finished.status, 200, "{loss:?}: {finished:?}");
    assert_eq!(finished.body["name"], "In flight", "{loss:?}");
    assert_eq!(name_of(&world, &team).await, "In flight", "{loss:?}");
    // And it stays so once the request is over.
    for at in &replicas {
        assert_eq!(acts.renames(at, &team, "Later").await.status, loss.next_status(), "{loss:?}");
    }
    assert_eq!(name_of(&world, &team).await, "In flight", "{loss:?}");
}

/// What somebody saw who asked all the time.
#[derive(Default)]
struct Seen {
    allowed: usize,
    refused: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_role_flips_each_answer_fits_the_role_before_or_the_role_after() {
    const FLIPS: usize = 24;
    let world = world().await;
    let replicas = [world.router(), world.replica().await];
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (member, bob) = world.join(&scope, "bob@example.org", "admin").await;
    let team = team(&ada, "Team").await;
    let (owner, bob) = (Credential::of(&ada), Credential::of(&bob));
    let path = format!("/v1/members/{member}");
    let becomes = async |at: &Router, role: &str| {
        let answer = owner.asks(at, Method::PATCH, &path, Some(json!({ "role": role }))).await;
        assert_eq!(answer.status, 200, "{role}: {answer:?}");
    };
    let may = async |at: &Router| {
        let me = bob.asks(at, Method::GET, "/v1/me", None).await;
        assert_eq!(me.status, 200, "{me:?}");
        me.body["permissions"].clone()
    };
    let as_admin = may(&replicas[0]).await;
    becomes(&replicas[0], "viewer").await;
    let as_viewer = may(&replicas[1]).await;
    assert_ne!(as_admin, as_viewer);

    let over = Arc::new(AtomicBool::new(false));
    let asking = replicas.clone().into_iter().enumerate().map(|(place, at)| {
        let (bob, over, team) = (bob.clone(), Arc::clone(&over), team.clone());
        let roles = [as_admin.clone(), as_viewer.clone()];
        tokio::spawn(async move {
            let (mut seen, mut round) = (Seen::default(), 0);
            while !over.load(Ordering::Relaxed) {
                round += 1;
                let name = format!("Team {place} {round}");
                let answer = bob.renames(&at, &team, &name).await;
                match answer.status.as_u16() {
                    200 => {
                        assert_eq!(answer.body["name"], name, "{answer:?}");
                        seen.allowed += 1;
                    }
                    403 => {
                        assert_eq!(answer.code(), "forbidden", "{answer:?}");
                        seen.refused += 1;
                    }
                    _ => panic!("neither role is answered so: {answer:?}"),
                }
                let me = bob.asks(&at, Method::GET, "/v1/me", None).await;
                assert_eq!(me.status, 200, "{me:?}");
                assert!(roles.contains(&me.body["permissions"]), "of neither role: {me:?}");
            }
            seen
        })
    });
    let asking: Vec<_> = asking.collect();

    for flip in 0..FLIPS {
        let (role, status, permissions) =
            if flip % 2 == 0 { ("admin", 200, &as_admin) } else { ("viewer", 403, &as_viewer) };
        becomes(&replicas[flip / 2 % 2], role).await;
        // Once the change is answered, whoever asks next is answered by it.
        for at in &replicas {
            let next = bob.renames(at, &team, &format!("Flip {flip}")).await;
            assert_eq!(next.status, status, "{flip}: {next:?}");
            assert_eq!(may(at).await, *permissions, "{flip}");
        }
    }
    over.store(true, Ordering::Relaxed);
    let mut all = Seen::default();
    for one in asking {
        let seen = one.await.unwrap();
        all.allowed += seen.allowed;
        all.refused += seen.refused;
    }
    assert!(all.allowed > 0 && all.refused > 0, "{} and {}", all.allowed, all.refused);
}
