//! What an approval takes, and what follows from it.

use crate::{
    acting::{act, act_system, actor, behind, now},
    work::Company,
};

const APPROVALS: &str = "workforce.approvals";
const ITEMS: &str = "workforce.work_items";

#[tokio::test]
async fn approval_releases_the_work_and_rejection_cancels_it() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let work = company.work(2, 0).await;
    // Nothing goes on before it is approved of, and what waits does not start itself.
    let begun = company.change(operator, work.item, "status = 'in_progress'").await;
    assert_eq!(begun.unwrap_err(), "work_items_approval_step");
    let approval = company.ask(work.item, 0).await;
    let risk = now(db, APPROVALS, approval, "risk_level").await;
    assert_eq!(risk.as_deref(), Some("2"), "nobody asks for less than the work's risk demands");
    company.change(operator, work.item, "status = 'awaiting_approval'").await.unwrap();
    let begun = company.change(operator, work.item, "status = 'in_progress'").await;
    assert_eq!(begun.unwrap_err(), "work_items_approval_step");
    // Nor is it approved or rejected without a vote.
    for status in ["approved", "rejected"] {
        let decided = company.decide(operator, approval, status).await;
        assert_eq!(decided.unwrap_err(), "approvals_votes_check", "{status}");
    }
    company.vote(approver, approval, None).await.unwrap();
    assert_eq!(now(db, APPROVALS, approval, "status").await.as_deref(), Some("approved"));
    let by = now(db, APPROVALS, approval, "approved_by").await;
    assert_eq!(by, Some(actor(approver).to_string()));
    assert!(now(db, APPROVALS, approval, "approved_at").await.is_some());
    assert_eq!(now(db, ITEMS, work.item, "status").await.as_deref(), Some("in_progress"));
    assert!(now(db, ITEMS, work.item, "started_at").await.is_some());
    let done = company.change(operator, work.item, "status = 'completed'").await.unwrap();
    assert!(done["completed_at"].is_string());

    let work = company.work(2, 0).await;
    let approval = company.ask(work.item, 2).await;
    company.change(operator, work.item, "status = 'awaiting_approval'").await.unwrap();
    company.reject(approver, approval, "too dear").await.unwrap();
    assert_eq!(now(db, APPROVALS, approval, "rejected_reason").await.as_deref(), Some("too dear"));
    assert_eq!(now(db, ITEMS, work.item, "status").await.as_deref(), Some("cancelled"));
    assert_eq!(now(db, ITEMS, work.item, "status_reason").await.as_deref(), Some("too dear"));
    // What is decided is decided.
    let late = company.vote(&company.owner, approval, None).await;
    assert_eq!(late.unwrap_err(), "approval_votes_authority_check");
}

#[tokio::test]
async fn an_approval_covers_the_risk_that_it_was_asked_for() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let work = company.work(2, 0).await;
    let approval = company.ask(work.item, 2).await;
    company.change(operator, work.item, "status = 'awaiting_approval'").await.unwrap();
    // It became riskier in the meantime.
    company.change(operator, work.item, "risk_level = 3").await.unwrap();
    company.vote(approver, approval, None).await.unwrap();
    assert_eq!(now(db, ITEMS, work.item, "status").await.as_deref(), Some("awaiting_approval"));
    let begun = company.change(operator, work.item, "status = 'in_progress'").await;
    assert_eq!(begun.unwrap_err(), "work_items_approval_step");
    // So does what was begun as harmless: it does not end as if it had been.
    let work = company.work(1, 0).await;
    company.change(operator, work.item, "status = 'in_progress'").await.unwrap();
    company.change(operator, work.item, "risk_level = 2").await.unwrap();
    let ended = company.change(operator, work.item, "status = 'completed'").await;
    assert_eq!(ended.unwrap_err(), "work_items_approval_step");
}

#[tokio::test]
async fn at_level_three_two_approve_or_one_does_and_a_day_passes() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let other = company.another_approver().await;
    let approval = company.asked(3).await;
    company.vote(approver, approval, None).await.unwrap();
    assert_eq!(now(db, APPROVALS, approval, "status").await.as_deref(), Some("pending"));
    // One is not two by standing in for another, nor by voting twice.
    let again = company.vote(approver, approval, None).await;
    assert_eq!(again.unwrap_err(), "approval_votes_approver_id_key");
    let delegation = company.delegate(approver, &other).await;
    let again = company.vote(&other, approval, Some(delegation)).await;
    assert_eq!(again.unwrap_err(), "approval_votes_authority_id_key");
    company.vote(&other, approval, None).await.unwrap();
    assert_eq!(now(db, APPROVALS, approval, "status").await.as_deref(), Some("approved"));

    let approval = company.asked(3).await;
    company.vote(approver, approval, None).await.unwrap();
    let early = company.decide(operator, approval, "approved").await;
    assert_eq!(early.unwrap_err(), "approvals_votes_check");
    let aged = "update workforce.approval_votes set created_at = now() - interval '25 hours'";
    behind(db, format!("{aged} where approval_id = '{approval}'")).await;
    let by = company.decide(operator, approval, "approved").await.unwrap();
    assert_eq!(by["approved_by"], actor(approver).to_string());
}

#[tokio::test]
async fn nothing_is_approved_when_its_time_is_over() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let approval = company.asked(3).await;
    company.vote(approver, approval, None).await.unwrap();
    let early = company.decide(operator, approval, "expired").await;
    assert_eq!(early.unwrap_err(), "approvals_expires_at_step");
    let escalated = company.decide(operator, approval, "escalated").await.unwrap();
    assert_eq!(escalated["escalation_count"], 1);
    assert!(escalated["escalated_at"].is_string());
    behind(
        db,
        format!(
            // Once there is a vote, the time is kept: nothing but its passing brings it here.
            "begin;
             set local session_replication_role = replica;
             update workforce.approval_votes set created_at = now() - interval '25 hours' where approval_id = '{approval}';
             update workforce.approvals set expires_at = now() - interval '1 second' where id = '{approval}';
             commit"
        ),
    )
    .await;
    let late = company.decide(operator, approval, "approved").await;
    assert_eq!(late.unwrap_err(), "approvals_expires_at_step");
    let other = company.another_approver().await;
    let late = company.vote(&other, approval, None).await;
    assert_eq!(late.unwrap_err(), "approval_votes_authority_check");
    // Silence ends it, by whoever looks.
    let sql = format!(
        "update workforce.approvals set status = 'expired' where organization_id = $1 and id = '{approval}'"
    );
    act_system(db, operator, &sql).await.unwrap();
}

#[tokio::test]
async fn what_an_approval_is_for_stays() {
    let company = Company::new().await;
    let Company { db, operator, .. } = &company;
    let approval = company.asked(3).await;
    for change in ["risk_level = 0", "required_votes = 1", "requested_by = kernel.uuidv7()"] {
        let sql = format!(
            "update workforce.approvals set {change} where organization_id = $1 and id = '{approval}'"
        );
        let refused = act(db, operator, &sql).await;
        assert_eq!(refused.unwrap_err(), "approvals_subject_check", "{change}");
    }
}
