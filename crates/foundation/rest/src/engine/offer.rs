//! Newer versions of built-in data that wait beside changed copies.

use ephor_kernel::{Code, Problem, Scope};
use ephor_store::{
    OrgTx, Store,
    builtins::{Offer, builtin_offer, builtin_offer_accept, builtin_offer_decline},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Engine, Written,
    write::{emit, fresh, row_of},
};
use crate::{
    Change, Resource,
    refusal::{self, Doing},
    sql,
};

/// The answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferAnswer {
    /// The row becomes what is offered, and follows new versions again.
    Accept,
    /// The row stays as it is; this version is silent, the next one is offered again.
    Decline,
}

impl Engine {
    /// The version that is offered beside a row, if there is one, with what it would change.
    ///
    /// # Errors
    /// `forbidden` without the permission to read; `unavailable` without a database.
    pub async fn offer(
        &self,
        tx: &mut OrgTx,
        path: &str,
        id: Uuid,
    ) -> Result<Option<Offer>, Problem> {
        let resource = self.known(path)?;
        resource.spec.require_read(tx.scope())?;
        // An offer concerns those who can answer it.
        if !resource.spec.builtin || tx.scope().only_reads() {
            return Ok(None);
        }
        Ok(builtin_offer(tx, resource.spec.table, id).await?)
    }

    /// Answers what is offered beside a row, in a transaction of its own, and gives the row back as
    /// it is then. `version` is the row's that the caller saw, `offered` the one that they mean;
    /// `None` is whatever is there.
    ///
    /// # Errors
    /// `forbidden` without the permission to change the row; `not_found`; `stale` when the row or
    /// the offer is another by now; `no_offer`; `conflict` or `invalid` when the row cannot become
    /// what is offered.
    pub async fn offer_answer(
        &self,
        store: &Store,
        scope: &Scope,
        (path, id): (&str, Uuid),
        answer: OfferAnswer,
        version: Option<i64>,
        offered: Option<i32>,
    ) -> Result<Value, Problem> {
        let written = self.write_answer(store, scope, (path, id), answer, version, offered).await?;
        Ok(written.row)
    }

    pub(crate) async fn write_answer(
        &self,
        store: &Store,
        scope: &Scope,
        (path, id): (&str, Uuid),
        answer: OfferAnswer,
        version: Option<i64>,
        offered: Option<i32>,
    ) -> Result<Written, Problem> {
        let resource = self.known(path)?;
        scope.require(resource.spec.permission, "update")?;
        // What was copied, and up to which version, is not for the application's role to write.
        let mut tx = store.begin_system(scope).await?;
        let row = row_of(&tx, resource, id);
        let failed = |error| refusal::problem(resource, Doing::Writing, error, "");
        let old = sql::text(tx.conn(), sql::lock(resource, row)).await.map_err(failed)?;
        let old = Written::of(old.ok_or_else(|| Problem::not_found(resource.spec.singular))?)?;
        fresh(&old.row, version)?;
        let entity = resource.spec.table;
        let offer = builtin_offer(&mut tx, entity, id).await?;
        let offer = offer.ok_or_else(|| no_offer(resource))?;
        let meant = offered.unwrap_or(offer.offered_version);
        if meant != offer.offered_version {
            return Err(another(offer.offered_version));
        }
        let done = match answer {
            OfferAnswer::Accept => {
                builtin_offer_accept(&mut tx, entity, id, meant).await.map_err(failed)?
            }
            OfferAnswer::Decline if !offer.is_open() => return Err(no_offer(resource)),
            OfferAnswer::Decline => builtin_offer_decline(&mut tx, entity, id, meant).await?,
        };
        if !done {
            return Err(no_offer(resource));
        }
        let new = match answer {
            OfferAnswer::Decline => old,
            OfferAnswer::Accept => {
                let new = sql::text(tx.conn(), sql::look(resource, row)).await.map_err(failed)?;
                let new = Written::of(new.ok_or_else(Problem::internal)?)?;
                emit(&mut tx, resource, Change::Updated, &new.row).await?;
                new
            }
        };
        tx.commit().await?;
        Ok(new)
    }
}

fn no_offer(resource: &Resource) -> Problem {
    let singular = resource.spec.singular;
    Problem::new(
        Code::NoOffer,
        format!(
            "No newer version of this {singular} waits for an answer; it may have been given already"
        ),
    )
}

fn another(offered: i32) -> Problem {
    Problem::new(
        Code::Stale,
        format!("Version {offered} is offered by now. Look at what it changes, then answer that"),
    )
}
