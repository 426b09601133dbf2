//! What was looked at stays as it was looked at: work does not change while an approval of it is asked
//! for, nor once it is given, until the approval is withdrawn.

use uuid::Uuid;

use crate::{
    acting::{act, actor, behind, now},
    work::{Company, Work},
};

const APPROVALS: &str = "workforce.approvals";
const ITEMS: &str = "workforce.work_items";
const SUBJECT: &str = "work_items_subject_step";
/// What somebody looks at who is asked.
const LOOKED_AT: [&str; 4] =
    ["title = 'Else'", "description = 'Else'", "context = '{\"a\": 1}'", "estimated_cost = 1"];

/// Every change of what was looked at is refused.
async fn kept(company: &Company, work: &Work) {
    let other = company.work(0, 5).await.assistant;
    let hands = format!("assistant_id = '{other}'");
    for set in LOOKED_AT.into_iter().chain([hands.as_str()]) {
        for who in [&company.operator, &company.owner] {
            let refused = company.change(who, work.item, set).await;
            assert_eq!(refused.unwrap_err(), SUBJECT, "{set}");
        }
    }
    // When it is to be done is another matter, and so is what changes nothing.
    let set = "priority = 1, due_at = now() + interval '1 day', title = title";
    company.change(&company.operator, work.item, set).await.unwrap();
}

async fn withdraw(company: &Company, approval: Uuid) {
    company.decide(&company.operator, approval, "withdrawn").await.unwrap();
}

#[tokio::test]
async fn work_is_kept_while_an_approval_is_asked_for_and_once_it_is_given() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let work = company.work(2, 0).await;
    company.change(operator, work.item, "title = 'Before'").await.unwrap();
    let approval = company.ask(work.item, 2).await;
    kept(&company, &work).await;
    company.decide(operator, approval, "escalated").await.unwrap();
    kept(&company, &work).await;
    company.vote(approver, approval, None).await.unwrap();
    kept(&company, &work).await;
    company.change(operator, work.item, "status = 'in_progress'").await.unwrap();
    kept(&company, &work).await;
    company.change(operator, work.item, "status = 'completed', result = '{}'").await.unwrap();
    kept(&company, &work).await;
    // And it is over: what it was approved by is not taken back.
    let late = company.decide(operator, approval, "withdrawn").await;
    assert_eq!(late.unwrap_err(), "approvals_status_step");
    assert_eq!(now(db, APPROVALS, approval, "status").await.as_deref(), Some("approved"));

    // What was asked in vain keeps nothing.
    let work = company.work(2, 0).await;
    let approval = company.ask(work.item, 2).await;
    let over = format!("update {APPROVALS} set expires_at = now() where id = '{approval}'");
    behind(db, over).await;
    company.decide(operator, approval, "expired").await.unwrap();
    for set in LOOKED_AT {
        company.change(operator, work.item, set).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_withdrawn_can_be_changed_and_asked_for_anew() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let status = async |work: &Work| now(db, ITEMS, work.item, "status").await.unwrap();
    for begun in [false, true] {
        let work = company.work(2, 0).await;
        let approval = company.ask(work.item, 2).await;
        company.change(operator, work.item, "status = 'awaiting_approval'").await.unwrap();
        if begun {
            company.vote(approver, approval, None).await.unwrap();
            assert_eq!(status(&work).await, "in_progress");
        }
        withdraw(&company, approval).await;
        // It waits, by whichever way, and nothing brings back what was withdrawn.
        assert_eq!(status(&work).await, "awaiting_approval");
        for set in LOOKED_AT {
            company.change(operator, work.item, set).await.unwrap();
        }
        for to in ["approved", "pending", "escalated"] {
            let back = company.decide(operator, approval, to).await;
            assert_eq!(back.unwrap_err(), "approvals_status_step", "{to}");
        }
        let other = company.another_approver().await;
        let voted = company.vote(&other, approval, None).await;
        assert_eq!(voted.unwrap_err(), "approval_votes_authority_check");
        for to in ["in_progress", "completed"] {
            let step = company.change(operator, work.item, &format!("status = '{to}'")).await;
            assert_eq!(step.unwrap_err(), "work_items_approval_step", "{to}");
        }
        let lowered = company.change(&company.owner, work.item, "risk_level = 0").await;
        assert_eq!(lowered.unwrap_err(), "work_items_risk_level_step");
        let anew = company.ask(work.item, 2).await;
        company.vote(approver, anew, None).await.unwrap();
        assert_eq!(status(&work).await, "in_progress");
    }
}

#[tokio::test]
async fn work_goes_on_by_another_approval_when_one_is_withdrawn() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let work = company.work(2, 0).await;
    let approvals = [company.ask(work.item, 2).await, company.ask(work.item, 2).await];
    for approval in approvals {
        company.vote(approver, approval, None).await.unwrap();
    }
    company.change(operator, work.item, "status = 'in_progress'").await.unwrap();
    withdraw(&company, approvals[0]).await;
    assert_eq!(now(db, ITEMS, work.item, "status").await.as_deref(), Some("in_progress"));
    let refused = company.change(operator, work.item, LOOKED_AT[0]).await;
    assert_eq!(refused.unwrap_err(), SUBJECT);
    withdraw(&company, approvals[1]).await;
    assert_eq!(now(db, ITEMS, work.item, "status").await.as_deref(), Some("awaiting_approval"));
    // What was rejected is over, too.
    let approval = company.asked(2).await;
    company.reject(approver, approval, "no").await.unwrap();
    let late = company.decide(operator, approval, "withdrawn").await;
    assert_eq!(late.unwrap_err(), "approvals_status_step");
}

#[tokio::test]
async fn what_is_asked_stays_as_the_first_vote_read_it() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let approval = company.asked(3).await;
    let changes = [
        "title = 'Else'".to_owned(),
        "description = 'Else'".to_owned(),
        "context = '{\"a\": 1}'".to_owned(),
        format!("approver_ids = array['{}'::uuid]", actor(approver)),
        "expires_at = expires_at + interval '1 day'".to_owned(),
    ];
    let patch = |set: &str| {
        format!("update {APPROVALS} set {set} where organization_id = $1 and id = '{approval}'")
    };
    act(db, operator, &patch(&changes[0])).await.unwrap();
    company.vote(approver, approval, None).await.unwrap();
    for set in &changes {
        let refused = act(db, operator, &patch(&set.replace("Else", "More"))).await;
        assert_eq!(refused.unwrap_err(), "approvals_subject_check", "{set}");
    }
}

#[tokio::test]
async fn who_asks_waits_for_who_changes_the_work() {
    let company = Company::new().await;
    let Company { db, operator, .. } = &company;
    let work = company.work(2, 0).await;
    let mut changing = db.store().begin(operator).await.unwrap();
    sqlx::query(
        "update workforce.work_items set title = 'Else' where organization_id = $1 and id = $2",
    )
    .bind(operator.organization().uuid())
    .bind(work.item)
    .execute(changing.conn())
    .await
    .unwrap();
    let asking = company.ask(work.item, 2);
    tokio::pin!(asking);
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), &mut asking).await;
    assert!(early.is_err(), "an approval is asked for of work that is just changed");
    changing.commit().await.unwrap();
    asking.await;
    let refused = company.change(operator, work.item, "title = 'More'").await;
    assert_eq!(refused.unwrap_err(), SUBJECT);
}

#[tokio::test]
async fn who_withdraws_waits_for_who_ends_the_work() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let work = company.work(2, 0).await;
    let approval = company.ask(work.item, 2).await;
    company.vote(approver, approval, None).await.unwrap();
    company.change(operator, work.item, "status = 'in_progress'").await.unwrap();
    let mut ending = db.store().begin(operator).await.unwrap();
    sqlx::query(
        "update workforce.work_items set status = 'completed' where organization_id = $1 and id = $2",
    )
    .bind(operator.organization().uuid())
    .bind(work.item)
    .execute(ending.conn())
    .await
    .unwrap();
    let withdrawing = company.decide(operator, approval, "withdrawn");
    tokio::pin!(withdrawing);
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), &mut withdrawing).await;
    assert!(early.is_err(), "an approval is withdrawn of work that just ends");
    ending.commit().await.unwrap();
    assert_eq!(withdrawing.await.unwrap_err(), "approvals_status_step");
    // It stays as it was approved of.
    let refused = company.change(operator, work.item, "title = 'Else'").await;
    assert_eq!(refused.unwrap_err(), SUBJECT);
}
