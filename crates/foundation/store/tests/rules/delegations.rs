//! A delegation lends a right: whose right it is makes it larger, all others only smaller.

use uuid::Uuid;

use crate::{
    acting::{act, actor, join, member, now, scope_of},
    work::{APPROVER, Company},
};

const TABLE: &str = "workforce.approval_delegations";
const LARGER: &str = "approval_delegations_larger_check";

/// A change of a delegation, as one statement.
fn patch(delegation: Uuid, set: &str) -> String {
    format!("update {TABLE} set {set} where organization_id = $1 and id = '{delegation}'")
}

#[tokio::test]
async fn a_delegate_does_not_prolong_or_revive_what_was_lent() {
    let company = Company::new().await;
    let Company { db, owner, approver, .. } = &company;
    let lender = company.another_approver().await;
    let third = company.another_approver().await;
    let delegation = company.delegate(&lender, approver).await;
    act(db, &lender, &patch(delegation, "risk_levels = '{0,1,2}'")).await.unwrap();
    // Not the delegate, nor anybody else, nor an owner: the right is not theirs.
    for who in [approver, &third, owner] {
        for larger in [
            "ends_at = ends_at + interval '1 second'",
            "starts_at = starts_at - interval '1 second'",
            "risk_levels = null",
            "risk_levels = '{0,3}'",
            "ends_at = ends_at + interval '1 year', starts_at = starts_at + interval '1 minute'",
        ] {
            let refused = act(db, who, &patch(delegation, larger)).await;
            assert_eq!(refused.unwrap_err(), LARGER, "{larger}");
        }
    }
    // Smaller they may make it, word it otherwise, and end it; then it stays ended.
    for smaller in [
        "ends_at = ends_at - interval '1 hour'",
        "starts_at = starts_at + interval '1 minute'",
        "risk_levels = '{1,2}'",
        "reason = 'on leave'",
        "is_active = false",
    ] {
        act(db, approver, &patch(delegation, smaller)).await.unwrap();
    }
    for who in [approver, owner] {
        let refused = act(db, who, &patch(delegation, "is_active = true")).await;
        assert_eq!(refused.unwrap_err(), LARGER);
    }
    // Whose right it is may do all of that.
    let set = "is_active = true, ends_at = ends_at + interval '1 day', risk_levels = null,
               starts_at = starts_at - interval '1 day'";
    act(db, &lender, &patch(delegation, set)).await.unwrap();
    assert_eq!(now(db, TABLE, delegation, "is_active").await.as_deref(), Some("true"));
    let approval = company.asked(2).await;
    assert!(company.vote(approver, approval, Some(delegation)).await.is_ok());
}

#[tokio::test]
async fn a_subsidiarys_owner_does_not_prolong_the_holdings_right() {
    let db = ephor_store::testing::database().await;
    let holding = db.holding("Holding").await;
    let daughter = db.subsidiary(&holding, "Daughter").await;
    let company = Company::of(db, daughter).await;
    let Company { db, owner, approver, .. } = &company;
    let lender = member(db, holding.organization(), APPROVER).await;
    join(db, owner.organization(), actor(&lender), APPROVER).await;
    let lender = scope_of(actor(&lender), owner.organization());
    let delegation = company.delegate(&lender, approver).await;
    act(db, &lender, &patch(delegation, "is_active = false")).await.unwrap();
    let refused = act(db, owner, &patch(delegation, "is_active = true")).await;
    assert_eq!(refused.unwrap_err(), LARGER);
    let approval = company.asked(4).await;
    let voted = company.vote(approver, approval, Some(delegation)).await;
    assert_eq!(voted.unwrap_err(), "approval_votes_authority_check");
}
