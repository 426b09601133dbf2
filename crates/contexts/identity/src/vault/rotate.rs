//! Sealing anew, with the key that seals by now, whatever another key sealed in the database.
//!
//! It can be broken off anywhere and begun again: what is sealed says which key sealed it, and both
//! open until nothing of the old one's is left.

use ephor_kernel::{OrganizationId, Problem, Scope};
use serde_json::Value;
use uuid::Uuid;

use super::KeyId;
use crate::identity::{Identity, database};

/// How many values are sealed anew in one transaction.
const BATCH: i32 = 200;

/// What sealing anew came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that are sealed with the present key by now.
    pub done: u64,
    /// Values that none of the keys opens.
    pub lost: u64,
}

/// How many values a key sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedCount {
    /// The key; `None` for values from before they named one.
    pub key: Option<KeyId>,
    /// How many.
    pub number: u64,
}

struct Held {
    place: String,
    id: Uuid,
    purpose: String,
    sealed: Vec<u8>,
}

/// Where a pass begins.
fn beginning() -> (String, Uuid) {
    (String::new(), Uuid::nil())
}

fn scope() -> Scope {
    Scope::platform(OrganizationId::PLATFORM, "ephor secrets")
}

impl Identity {
    /// How many values each key sealed.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn sealed_counts(&self) -> Result<Vec<SealedCount>, Problem> {
        let mut tx = self.store().begin_system(&scope()).await?;
        let rows = sqlx::query!(r#"select key, number as "number!" from ops.sealed_counts()"#)
            .fetch_all(tx.conn())
            .await
            .map_err(database)?;
        tx.commit().await?;
        let count = |key: Option<Vec<u8>>, number: i64| SealedCount {
            key: key.and_then(|key| KeyId::from_bytes(&key)),
            number: number.unsigned_abs(),
        };
        Ok(rows.into_iter().map(|row| count(row.key, row.number)).collect())
    }

    /// Seals anew whatever another key than the present one sealed, until nothing of it is left.
    ///
    /// # Errors
    /// When the database cannot be had. What was done until then stays done.
    pub async fn secrets_reseal(&self) -> Result<Resealed, Problem> {
        let key = self.parts().vault.sealing()?;
        let mut all = Resealed::default();
        loop {
            let pass = self.reseal_pass(key).await?;
            all.done += pass.done;
            all.lost = pass.lost;
            // A server that had not heard of the key yet may have sealed with the old one meanwhile.
            if pass.done == 0 {
                return Ok(all);
            }
        }
    }

    /// Goes through all that another key sealed, once.
    async fn reseal_pass(&self, key: KeyId) -> Result<Resealed, Problem> {
        let mut pass = Resealed::default();
        let mut after = beginning();
        loop {
            let mut tx = self.store().begin_system(&scope()).await?;
            let batch = sqlx::query_as!(
                Held,
                r#"select place as "place!", id as "id!", purpose as "purpose!", sealed as "sealed!"
                   from ops.sealed_values($1, $2, $3, $4)"#,
                key.bytes(),
                after.0,
                after.1,
                BATCH,
            )
            .fetch_all(tx.conn())
            .await
            .map_err(database)?;
            let Some(last) = batch.last() else { return Ok(pass) };
            after = (last.place.clone(), last.id);
            for value in &batch {
                let Some(plain) = self.parts().vault.open(&value.purpose, &value.sealed) else {
                    tracing::warn!(place = value.place, id = %value.id, "no key opens what is encrypted here");
                    pass.lost += 1;
                    continue;
                };
                let anew = self.parts().vault.seal(&value.purpose, &plain)?;
                let replaced = sqlx::query_scalar!(
                    r#"select replaced as "replaced!" from ops.sealed_replace($1, $2, $3, $4)"#,
                    value.place,
                    value.id,
                    value.sealed,
                    anew,
                )
                .fetch_one(tx.conn())
                .await
                .map_err(database)?;
                pass.done += u64::from(replaced);
            }
            tx.commit().await?;
        }
    }

    /// Tells in the platform's trail what became of the key.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn secrets_record(&self, action: &str, details: Value) -> Result<(), Problem> {
        let mut tx = self.store().begin_system(&scope()).await?;
        sqlx::query!("select ops.secrets_record($1, $2)", action, details)
            .execute(tx.conn())
            .await
            .map_err(database)?;
        Ok(tx.commit().await?)
    }
}
