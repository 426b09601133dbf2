//! A step of the state machine; the database refuses those that it does not have.

use ephor_kernel::{Code, DomainEvent, ModelId, Problem};
use ephor_store::{OrgTx, StoreError};

/// What a model can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelStatus {
    /// In use.
    Active,
    /// Still there, but not for anything new.
    Deprecated,
    /// Out of use.
    Archived,
}

impl ModelStatus {
    /// The word that PostgreSQL stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
            Self::Archived => "archived",
        }
    }
}

/// Takes a model one step on. A step to where it already is does nothing.
///
/// # Errors
/// `not_found`; `invalid_transition` when the state machine has no such step.
pub async fn model_step(tx: &mut OrgTx, id: ModelId, to: ModelStatus) -> Result<(), Problem> {
    let stepped = sqlx::query!(
        "update registry.models set status = $3 where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
        to.as_str(),
    )
    .execute(tx.conn())
    .await
    .map_err(|error| refused(StoreError::from(error), to))?;
    if stepped.rows_affected() == 0 {
        return Err(Problem::not_found("model"));
    }
    tx.emit(&DomainEvent::ModelChanged { model: id, version: None }).await?;
    Ok(())
}

fn refused(error: StoreError, to: ModelStatus) -> Problem {
    if error.constraint() == Some("models_status_step") {
        return Problem::new(
            Code::InvalidTransition,
            format!(
                "The model can't become {} from where it is; the way is draft, active, deprecated, archived",
                to.as_str()
            ),
        );
    }
    error.into()
}
