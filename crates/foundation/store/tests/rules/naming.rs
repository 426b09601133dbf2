//! Whom rows may name: who acts in the organization, and in the holding above it, at this moment.

use std::collections::BTreeMap;

use ephor_kernel::Scope;
use ephor_store::testing::{self, TestDatabase};
use uuid::Uuid;

use crate::acting::{actor, behind, member, person};

async fn known(db: &TestDatabase, scope: &Scope, people: &[Uuid]) -> BTreeMap<Uuid, bool> {
    let mut tx = db.store().begin(scope).await.unwrap();
    let known: Vec<(Uuid, bool)> =
        sqlx::query_as("select user_id, is_member from door.people_known($1)")
            .bind(people)
            .fetch_all(tx.conn())
            .await
            .unwrap();
    known.into_iter().collect()
}

#[tokio::test]
async fn members_and_the_holdings_are_known_and_nobody_else() {
    let db = testing::database().await;
    let holding = db.holding("Holding").await;
    let daughter = db.subsidiary(&holding, "Daughter").await;
    let sister = db.subsidiary(&holding, "Sister").await;
    let stranger = db.organization("Elsewhere").await;
    let people = [&holding, &daughter, &sister, &stranger].map(actor);
    let people: Vec<_> = people.into_iter().chain([person(&db).await, Uuid::now_v7()]).collect();

    let found = known(&db, &daughter, &people).await;
    assert_eq!(found, BTreeMap::from([(people[0], false), (people[1], true)]));
    // Nobody looks down, nor sideways.
    assert_eq!(known(&db, &holding, &people).await, BTreeMap::from([(people[0], true)]));
    assert_eq!(known(&db, &stranger, &people).await, BTreeMap::from([(people[3], true)]));
}

#[tokio::test]
async fn whoever_left_is_known_no_more() {
    let db = testing::database().await;
    let here = db.organization("Here").await;
    for leave in [
        "update identity.organization_members set is_active = false where user_id = '{}'",
        "delete from identity.organization_members where user_id = '{}'",
        "update identity.users set is_active = false where id = '{}'",
    ] {
        let somebody = actor(&member(&db, here.organization(), &["*:read"]).await);
        assert!(known(&db, &here, &[somebody]).await.contains_key(&somebody), "{leave}");
        behind(&db, leave.replace("{}", &somebody.to_string())).await;
        assert!(known(&db, &here, &[somebody]).await.is_empty(), "{leave}");
    }
}
