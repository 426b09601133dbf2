//! Assistants, their work, and what is decided of it.

use ephor_kernel::Scope;
use ephor_store::testing::{self, TestDatabase};
use serde_json::Value;
use uuid::Uuid;

use crate::acting::{act, actor, id, member};

/// What an operator may do with work.
pub const OPERATOR: &[&str] = &["work_items:*", "assistants:update", "approvals:create"];
/// What an approver may do.
pub const APPROVER: &[&str] = &["approval_delegations:*", "approval_votes:*"];

/// An organization with an owner, an operator who asks, and an approver.
pub struct Company {
    pub db: TestDatabase,
    pub owner: Scope,
    pub operator: Scope,
    pub approver: Scope,
}

impl Company {
    pub async fn new() -> Self {
        let db = testing::database().await;
        let owner = db.organization("Acme").await;
        Self::of(db, owner).await
    }

    /// With an operator and an approver in the organization of an owner.
    pub async fn of(db: TestDatabase, owner: Scope) -> Self {
        let operator = member(&db, owner.organization(), OPERATOR).await;
        let approver = member(&db, owner.organization(), APPROVER).await;
        Self { db, owner, operator, approver }
    }

    /// Somebody else who may approve.
    pub async fn another_approver(&self) -> Scope {
        member(&self.db, self.owner.organization(), APPROVER).await
    }

    /// Work of this risk level, of an assistant of that tier.
    pub async fn work(&self, risk: i32, tier: i32) -> Work {
        let operator = actor(&self.operator);
        let sql = format!(
            "insert into workforce.assistants (organization_id, name, slug, type, risk_tier, created_by)
             values ($1, 'Assistant', 'a{}', 'custom', {tier}, '{operator}')",
            Uuid::now_v7().simple()
        );
        let assistant = id(&act(&self.db, &self.owner, &sql).await.unwrap());
        let sql = format!(
            "insert into workforce.work_items (organization_id, assistant_id, title, risk_level, created_by)
             values ($1, '{assistant}', 'Work', {risk}, '{operator}')"
        );
        let item = id(&act(&self.db, &self.operator, &sql).await.unwrap());
        Work { assistant, item }
    }

    /// Changes work, as somebody: `set` is what is set.
    pub async fn change(&self, who: &Scope, item: Uuid, set: &str) -> Result<Value, String> {
        let sql = format!(
            "update workforce.work_items set {set} where organization_id = $1 and id = '{item}'"
        );
        act(&self.db, who, &sql).await
    }

    /// The same, of an assistant.
    pub async fn configure(
        &self,
        who: &Scope,
        assistant: Uuid,
        set: &str,
    ) -> Result<Value, String> {
        let sql = format!(
            "update workforce.assistants set {set} where organization_id = $1 and id = '{assistant}'"
        );
        act(&self.db, who, &sql).await
    }

    /// The operator asks for an approval of work.
    pub async fn ask(&self, item: Uuid, risk: i32) -> Uuid {
        let sql = format!(
            "insert into workforce.approvals (organization_id, work_item_id, title, risk_level, expires_at)
             values ($1, '{item}', 'May it?', {risk}, now() + interval '3 days')"
        );
        id(&act(&self.db, &self.operator, &sql).await.unwrap())
    }

    /// New work of this risk level, and an approval of it that is asked for.
    pub async fn asked(&self, risk: i32) -> Uuid {
        let work = self.work(risk, 0).await;
        self.ask(work.item, risk).await
    }

    /// Somebody lets somebody else decide for them, as of an hour ago and for a day.
    pub async fn delegate(&self, from: &Scope, to: &Scope) -> Uuid {
        let sql = format!(
            "insert into workforce.approval_delegations (organization_id, delegate_id, starts_at, ends_at)
             values ($1, '{}', now() - interval '1 hour', now() + interval '1 day')",
            actor(to)
        );
        id(&act(&self.db, from, &sql).await.unwrap())
    }

    /// A vote for it, by one's own right or a delegation's.
    pub async fn vote(
        &self,
        who: &Scope,
        approval: Uuid,
        by: Option<Uuid>,
    ) -> Result<Value, String> {
        let by = by.map_or_else(|| "null".to_owned(), |id| format!("'{id}'"));
        let sql = format!(
            "insert into workforce.approval_votes (organization_id, approval_id, delegation_id, decision)
             values ($1, '{approval}', {by}, 'approve')"
        );
        act(&self.db, who, &sql).await
    }

    /// A vote against it.
    pub async fn reject(&self, who: &Scope, approval: Uuid, why: &str) -> Result<Value, String> {
        let sql = format!(
            "insert into workforce.approval_votes (organization_id, approval_id, decision, reason)
             values ($1, '{approval}', 'reject', '{why}')"
        );
        act(&self.db, who, &sql).await
    }

    /// Moves an approval on by its status.
    pub async fn decide(&self, who: &Scope, approval: Uuid, to: &str) -> Result<Value, String> {
        let sql = format!(
            "update workforce.approvals set status = '{to}' where organization_id = $1 and id = '{approval}'"
        );
        act(&self.db, who, &sql).await
    }
}

/// Work and whose it is.
pub struct Work {
    pub assistant: Uuid,
    pub item: Uuid,
}
