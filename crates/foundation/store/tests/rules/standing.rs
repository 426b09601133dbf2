//! Whose vote counts: the right to approve is looked for where the level asks for it, at the moment of
//! the vote.

use ephor_store::testing;
use uuid::Uuid;

use crate::{
    acting::{act, actor, behind, id, join, member, now, person, scope_of},
    work::{APPROVER, Company, OPERATOR},
};

const REFUSED: &str = "approval_votes_authority_check";

#[tokio::test]
async fn a_delegation_ends_with_the_right_that_it_delegates() {
    let company = Company::new().await;
    let Company { db, approver, .. } = &company;
    let leaves: [(&str, &str); 4] = [
        (
            "is deactivated",
            "update identity.organization_members set is_active = false where user_id = '{}'",
        ),
        ("is removed", "delete from identity.organization_members where user_id = '{}'"),
        (
            "loses the permission",
            "update identity.roles set permissions = '{approval_votes:read,approvals:create}'
             where id = (select role_id from identity.organization_members where user_id = '{}')",
        ),
        ("has no account any more", "update identity.users set is_active = false where id = '{}'"),
    ];
    for (what, leave) in leaves {
        for risk in [0, 2, 3] {
            let other = company.another_approver().await;
            let delegation = company.delegate(&other, approver).await;
            let approval = company.asked(risk).await;
            behind(db, leave.replace("'{}'", &format!("'{}'", actor(&other)))).await;
            let voted = company.vote(approver, approval, Some(delegation)).await;
            assert_eq!(voted.unwrap_err(), REFUSED, "at {risk}, who delegated {what}");
            let voted = company.vote(&other, approval, None).await;
            assert_eq!(voted.unwrap_err(), REFUSED, "at {risk}, whoever {what}");
        }
    }
    // While they are there, it counts, and names both.
    let other = company.another_approver().await;
    let delegation = company.delegate(&other, approver).await;
    let approval = company.asked(2).await;
    let vote = company.vote(approver, approval, Some(delegation)).await.unwrap();
    assert_eq!(vote["approver_id"], actor(approver).to_string());
    assert_eq!(vote["authority_id"], actor(&other).to_string());
    let status = now(db, "workforce.approvals", approval, "status").await;
    assert_eq!(status.as_deref(), Some("approved"));
}

#[tokio::test]
async fn who_may_not_vote_cannot_let_others_vote_either() {
    let company = Company::new().await;
    let Company { db, owner, operator, approver } = &company;
    let here = owner.organization();
    let reader = member(db, here, &["*:read"]).await;
    let stranger = scope_of(person(db).await, here);
    for somebody in [&reader, &stranger] {
        let approval = company.asked(2).await;
        assert_eq!(company.vote(somebody, approval, None).await.unwrap_err(), REFUSED);
        let delegation = company.delegate(somebody, approver).await;
        let voted = company.vote(approver, approval, Some(delegation)).await;
        assert_eq!(voted.unwrap_err(), REFUSED);
    }
    // The right comes by each of the ways that a permission is written.
    for may in ["*", "*:*", "*:create", "approval_votes:*", "approval_votes:create"] {
        let somebody = member(db, here, &[may]).await;
        let approval = company.asked(2).await;
        assert!(company.vote(&somebody, approval, None).await.is_ok(), "{may}");
    }

    // Nobody decides on what they asked for, nor does anybody for them.
    let approval = company.asked(1).await;
    assert_eq!(company.vote(operator, approval, None).await.unwrap_err(), REFUSED);
    let delegation = company.delegate(operator, approver).await;
    let voted = company.vote(approver, approval, Some(delegation)).await;
    assert_eq!(voted.unwrap_err(), REFUSED);
}

#[tokio::test]
async fn a_delegation_is_to_one_for_a_time_and_for_levels() {
    let company = Company::new().await;
    let Company { db, approver, .. } = &company;
    let (other, third) = (company.another_approver().await, company.another_approver().await);
    let delegation = company.delegate(&other, approver).await;
    let approval = company.asked(2).await;
    let voted = company.vote(&third, approval, Some(delegation)).await;
    assert_eq!(voted.unwrap_err(), REFUSED, "it is somebody else's");
    for wrong in [
        "risk_levels = '{0,1}'",
        "is_active = false",
        "starts_at = now() + interval '1 hour'",
        "ends_at = now() - interval '1 minute'",
    ] {
        let delegation = company.delegate(&other, approver).await;
        let sql =
            format!("update workforce.approval_delegations set {wrong} where id = '{delegation}'");
        behind(db, sql).await;
        let voted = company.vote(approver, approval, Some(delegation)).await;
        assert_eq!(voted.unwrap_err(), REFUSED, "{wrong}");
    }
    let patch = format!(
        "update workforce.approval_delegations set delegate_id = '{}'
         where organization_id = $1 and id = '{delegation}'",
        actor(&third)
    );
    let changed = act(db, &other, &patch).await;
    assert_eq!(changed.unwrap_err(), "approval_delegations_parties_check");

    // Named approvers are the only ones.
    let named = company.asked(2).await;
    let sql = format!(
        "update workforce.approvals set approver_ids = array['{}'::uuid] where id = '{named}'",
        actor(&other)
    );
    behind(db, sql).await;
    assert_eq!(company.vote(approver, named, None).await.unwrap_err(), REFUSED);
    assert!(company.vote(approver, named, Some(delegation)).await.is_ok());
}

#[tokio::test]
async fn at_level_four_the_holding_decides_and_nobody_stands_in_for_it() {
    let db = testing::database().await;
    let holding = db.holding("Holding").await;
    let daughter = db.subsidiary(&holding, "Daughter").await;
    let stranger = db.organization("Stranger").await;
    let company = Company::of(db, daughter).await;
    let Company { db, owner, approver, .. } = &company;
    let (above, here) = (holding.organization(), owner.organization());
    let approval = company.asked(4).await;

    // The way around: a delegation of somebody who is no member any more.
    let gone = company.another_approver().await;
    let delegation = company.delegate(&gone, approver).await;
    let sql = "update identity.organization_members set is_active = false where user_id = ";
    behind(db, format!("{sql}'{}'", actor(&gone))).await;
    let voted = company.vote(approver, approval, Some(delegation)).await;
    assert_eq!(voted.unwrap_err(), REFUSED);

    // Nor do the subsidiary's own, strangers, or those of the holding who may not there, or no more.
    let reader = member(db, above, &["*:read"]).await;
    join(db, here, actor(&reader), APPROVER).await;
    let former = member(db, above, APPROVER).await;
    behind(db, format!("{sql}'{}'", actor(&former))).await;
    for (who, what) in [
        (owner.clone(), "the subsidiary's owner"),
        (approver.clone(), "the subsidiary's approver"),
        (scope_of(actor(&stranger), here), "a stranger's owner"),
        (scope_of(actor(&reader), here), "who only reads in the holding"),
        (scope_of(actor(&former), here), "who was the holding's approver"),
        (scope_of(person(db).await, here), "nobody"),
    ] {
        assert_eq!(company.vote(&who, approval, None).await.unwrap_err(), REFUSED, "{what}");
    }

    // The honest way: by the right held in the holding, of whoever is no member here, too; with a second
    // factor, if this organization requires one.
    let inspector = scope_of(actor(&member(db, above, APPROVER).await), here);
    let requires = "update identity.organizations set require_second_factor = ";
    behind(db, format!("{requires} true where id = '{here}'")).await;
    let voted = company.vote(&inspector, approval, None).await;
    assert_eq!(voted.unwrap_err(), REFUSED, "without a second factor");
    let factor = "insert into identity.user_totp (user_id, secret, confirmed_at)";
    let factor = format!("{factor} values ('{}', '\\x{:032}', now())", actor(&inspector), 0);
    behind(db, factor).await;
    let vote = company.vote(&inspector, approval, None).await.unwrap();
    behind(db, format!("{requires} false where id = '{here}'")).await;
    let status = now(db, "workforce.approvals", approval, "status").await;
    assert_eq!(status.as_deref(), Some("approved"));
    let both = member(db, above, APPROVER).await;
    join(db, here, actor(&both), OPERATOR).await;
    let both = scope_of(actor(&both), here);
    let approval = company.asked(4).await;
    let delegation = company.delegate(&both, approver).await;
    assert!(company.vote(approver, approval, Some(delegation)).await.is_ok());
    let approval = company.asked(2).await;
    company.vote(approver, approval, None).await.unwrap();

    // The holding's own trail tells of what was decided in its place, and of nothing else.
    let told: Vec<(Uuid, Uuid, Uuid)> = sqlx::query_as(
        "select entity_id, actor_id, (body::jsonb -> 'details' ->> 'organization_id')::uuid
           from audit.audit_logs where organization_id = $1 and action = 'voted_below' order by created_at",
    )
    .bind(above.uuid())
    .fetch_all(&db.admin())
    .await
    .unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], (id(&vote), actor(&inspector), here.uuid()));
    assert_eq!(told[1].1, actor(approver), "who voted by a delegation");

    // What is said of the holding is said of this organization's: another's subsidiary is its own affair.
    let elsewhere = scope_of(actor(&inspector), stranger.organization());
    let mut tx = db.store().begin(&elsewhere).await.unwrap();
    let standing: (bool, bool, bool, bool) =
        sqlx::query_as("select * from door.approver_standing($1)")
            .bind(actor(&inspector))
            .fetch_one(tx.conn())
            .await
            .unwrap();
    assert_eq!(standing, (false, false, false, false));
}

#[tokio::test]
async fn without_a_holding_and_at_level_five_an_owner_decides() {
    let company = Company::new().await;
    for risk in [4, 5] {
        let approval = company.asked(risk).await;
        let voted = company.vote(&company.approver, approval, None).await;
        assert_eq!(voted.unwrap_err(), REFUSED, "at {risk}");
        assert!(company.vote(&company.owner, approval, None).await.is_ok(), "at {risk}");
    }
    // In a subsidiary too, level five is its own owner's.
    let db = testing::database().await;
    let holding = db.holding("Holding").await;
    let daughter = db.subsidiary(&holding, "Daughter").await;
    let company = Company::of(db, daughter).await;
    let approval = company.asked(5).await;
    let above = scope_of(actor(&holding), company.owner.organization());
    assert_eq!(company.vote(&above, approval, None).await.unwrap_err(), REFUSED);
    assert!(company.vote(&company.owner, approval, None).await.is_ok());
}
