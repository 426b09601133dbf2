//! The risk that work is judged by goes up for everybody, and down for few.

use ephor_kernel::Scope;

use crate::{
    acting::{act, actor, behind, join, member, scope_of},
    work::{APPROVER, Company, Work},
};

const LEVEL: &str = "work_items_risk_level_step";
const TIER: &str = "assistants_risk_tier_step";
const UNAPPROVED: &str = "work_items_approval_step";

#[tokio::test]
async fn risky_work_does_not_begin_by_being_called_harmless() {
    let company = Company::new().await;
    let Company { operator, approver, .. } = &company;
    let work = company.work(3, 0).await;
    // Neither in one step nor in two.
    for set in ["risk_level = 0, status = 'in_progress'", "risk_level = 0", "risk_level = null"] {
        let refused = company.change(operator, work.item, set).await;
        assert_eq!(refused.unwrap_err(), LEVEL, "{set}");
    }
    // Who may lower it may call it harmless, but does not begin it in the same breath.
    let set = "risk_level = 0, status = 'in_progress'";
    let refused = company.change(&company.owner, work.item, set).await;
    assert_eq!(refused.unwrap_err(), UNAPPROVED);
    company.change(&company.owner, work.item, "risk_level = 1").await.unwrap();
    company.change(operator, work.item, "status = 'in_progress'").await.unwrap();
    // By then it stays.
    let refused = company.change(approver, work.item, "risk_level = 0").await;
    assert_eq!(refused.unwrap_err(), LEVEL);
    company.change(operator, work.item, "risk_level = 2").await.unwrap();
}

#[tokio::test]
async fn a_risk_is_not_lowered_once_an_approval_is_asked_for() {
    let company = Company::new().await;
    let Company { approver, .. } = &company;
    let work = company.work(3, 0).await;
    company.ask(work.item, 3).await;
    let refused = company.change(approver, work.item, "risk_level = 0").await;
    assert_eq!(refused.unwrap_err(), LEVEL);
}

#[tokio::test]
async fn a_high_risk_is_lowered_by_whoever_decides_at_it() {
    let company = Company::new().await;
    let work = company.work(2, 0).await;
    company.change(&company.approver, work.item, "risk_level = 1").await.unwrap();
    // At three an approval may take two: one approver does not do away with it.
    for risk in [3, 4, 5] {
        let work = company.work(risk, 0).await;
        let refused = company.change(&company.approver, work.item, "risk_level = 1").await;
        assert_eq!(refused.unwrap_err(), LEVEL, "{risk}");
        company.change(&company.owner, work.item, "risk_level = 1").await.unwrap();
    }
    let db = ephor_store::testing::database().await;
    let holding = db.holding("Holding").await;
    let daughter = db.subsidiary(&holding, "Daughter").await;
    let company = Company::of(db, daughter).await;
    let here = company.owner.organization();
    let work = company.work(4, 0).await;
    let refused = company.change(&company.owner, work.item, "risk_level = 3").await;
    assert_eq!(refused.unwrap_err(), LEVEL);
    let both = member(&company.db, holding.organization(), APPROVER).await;
    join(&company.db, here, actor(&both), APPROVER).await;
    let both = scope_of(actor(&both), here);
    company.change(&both, work.item, "risk_level = 3").await.unwrap();
}

/// Work of this level that somebody makes themself, of an assistant that they make, too.
async fn made_by(company: &Company, maker: &Scope, risk: i32) -> Work {
    let work = company.work(0, 0).await;
    let set = format!("= {risk}, created_by = '{}' where id =", actor(maker));
    let (item, assistant) = (work.item, work.assistant);
    behind(&company.db, format!("update workforce.work_items set risk_level {set} '{item}'")).await;
    let sql = format!("update workforce.assistants set risk_tier {set} '{assistant}'");
    behind(&company.db, sql).await;
    work
}

#[tokio::test]
async fn nobody_lowers_a_high_risk_of_what_they_made() {
    let company = Company::new().await;
    let Company { db, owner, approver, .. } = &company;
    let other = member(db, owner.organization(), &["*"]).await;
    let sql = format!(
        "update identity.organization_members set role_id = (
             select id from identity.roles where organization_id = '{0}' and builtin_code = 'owner')
          where organization_id = '{0}' and user_id = '{1}'",
        owner.organization(),
        actor(&other)
    );
    behind(db, sql).await;
    for risk in [3, 4, 5] {
        let work = made_by(&company, owner, risk).await;
        // The work first: the greater of both is judged.
        let refused = company.change(owner, work.item, "risk_level = 2").await;
        assert_eq!(refused.unwrap_err(), LEVEL, "{risk}");
        let refused = company.configure(owner, work.assistant, "risk_tier = 2").await;
        assert_eq!(refused.unwrap_err(), TIER, "{risk}");
        // Nor do they become somebody who did not make it.
        for mine in [
            company.change(owner, work.item, "created_by = kernel.uuidv7()").await,
            company.configure(owner, work.assistant, "created_by = kernel.uuidv7()").await,
        ] {
            assert_eq!(mine.unwrap_err(), "42501");
        }
        company.change(&other, work.item, "risk_level = 2").await.unwrap();
        company.configure(&other, work.assistant, "risk_tier = 2").await.unwrap();
    }
    // Up to two it may be whoever made it, if they may approve.
    let work = made_by(&company, approver, 2).await;
    company.change(approver, work.item, "risk_level = 0").await.unwrap();
    company.configure(approver, work.assistant, "risk_tier = 0").await.unwrap();
}

#[tokio::test]
async fn who_made_work_does_not_lower_it_by_the_tier_of_somebody_elses_assistant() {
    let company = Company::new().await;
    let Company { db, owner, .. } = &company;
    let work = company.work(0, 3).await;
    let mine = format!(
        "update workforce.work_items set created_by = '{}' where id = '{}'",
        actor(owner),
        work.item
    );
    behind(db, mine).await;
    let refused = company.configure(owner, work.assistant, "risk_tier = 0").await;
    assert_eq!(refused.unwrap_err(), TIER);
    // Work that is as risky by itself is not lowered with it, nor is somebody else's one's own.
    company.change(owner, work.item, "risk_level = 3").await.unwrap();
    company.configure(owner, work.assistant, "risk_tier = 2").await.unwrap();
    let work = company.work(0, 3).await;
    company.configure(owner, work.assistant, "risk_tier = 0").await.unwrap();
}

#[tokio::test]
async fn who_is_alone_lowers_what_they_made() {
    let company = Company::new().await;
    let Company { db, owner, operator, approver } = &company;
    let work = made_by(&company, owner, 5).await;
    for who in [operator, approver] {
        let refused = company.change(owner, work.item, "risk_level = 0").await;
        assert_eq!(refused.unwrap_err(), LEVEL, "somebody else is there");
        let sql = "update identity.organization_members set is_active = false where user_id =";
        behind(db, format!("{sql} '{}'", actor(who))).await;
    }
    company.change(owner, work.item, "risk_level = 0").await.unwrap();
    company.configure(owner, work.assistant, "risk_tier = 0").await.unwrap();
}

#[tokio::test]
async fn other_hands_are_no_way_to_less_risk() {
    let company = Company::new().await;
    let Company { operator, approver, owner, .. } = &company;
    let (risky, harmless) = (company.work(1, 3).await, company.work(0, 0).await);
    let set = format!("assistant_id = '{}'", harmless.assistant);
    for who in [operator, approver] {
        let refused = company.change(who, risky.item, &set).await;
        assert_eq!(refused.unwrap_err(), LEVEL);
        // The work's own level is judged with its assistant's tier.
        let own = company.change(who, risky.item, "risk_level = 0").await;
        assert_eq!(own.unwrap_err(), LEVEL);
    }
    company.change(owner, risky.item, &set).await.unwrap();
    // To more risk, anybody gives it.
    let set = format!("assistant_id = '{}'", risky.assistant);
    company.change(operator, risky.item, &set).await.unwrap();
}

#[tokio::test]
async fn an_assistants_tier_is_no_way_around_either() {
    let company = Company::new().await;
    let Company { operator, approver, .. } = &company;
    let work = company.work(0, 3).await;
    let refused = company.change(operator, work.item, "status = 'in_progress'").await;
    assert_eq!(refused.unwrap_err(), UNAPPROVED, "the assistant's tier counts");
    let refused = company.configure(operator, work.assistant, "risk_tier = 0").await;
    assert_eq!(refused.unwrap_err(), TIER);
    company.configure(operator, work.assistant, "risk_tier = 4").await.unwrap();
    let refused = company.configure(approver, work.assistant, "risk_tier = 0").await;
    assert_eq!(refused.unwrap_err(), TIER, "at level 4 an owner decides");
    company.configure(&company.owner, work.assistant, "risk_tier = 1").await.unwrap();
    let begun = company.change(operator, work.item, "status = 'in_progress'").await;
    assert!(begun.unwrap()["started_at"].is_string());
    let refused = company.configure(approver, work.assistant, "risk_tier = 0").await;
    assert_eq!(refused.unwrap_err(), TIER, "its work is under way");
    company.change(operator, work.item, "status = 'completed'").await.unwrap();
    company.configure(approver, work.assistant, "risk_tier = 0").await.unwrap();

    // Nor while an approval waits.
    let work = company.work(0, 2).await;
    company.ask(work.item, 2).await;
    let refused = company.configure(approver, work.assistant, "risk_tier = 0").await;
    assert_eq!(refused.unwrap_err(), TIER);
}

#[tokio::test]
async fn nothing_is_made_that_is_decided_already() {
    let company = Company::new().await;
    let Company { db, operator, approver, .. } = &company;
    let work = company.work(3, 0).await;
    for sql in [
        format!(
            "insert into workforce.work_items (organization_id, assistant_id, title, status, created_by)
             values ($1, '{}', 'Work', 'in_progress', '{}')",
            work.assistant,
            actor(operator)
        ),
        format!(
            "insert into workforce.approvals (organization_id, work_item_id, title, risk_level, status, expires_at)
             values ($1, '{}', 'It may', 3, 'approved', now() + interval '1 day')",
            work.item
        ),
        format!(
            "insert into workforce.approval_delegations (organization_id, delegator_id, delegate_id, starts_at, ends_at)
             values ($1, '{}', '{}', now(), now() + interval '1 day')",
            actor(approver),
            actor(operator)
        ),
    ] {
        assert_eq!(act(db, operator, &sql).await.unwrap_err(), "42501", "{sql}");
    }
}
