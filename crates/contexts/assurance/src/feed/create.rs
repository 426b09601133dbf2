//! Make a row feed, whose token is shown once; replace and revoke tokens.

use ephor_fairness::task::TaskSpec;
use ephor_kernel::{Code, Fault, ModelId, Problem, RowFeedId};
use ephor_store::{OrgTx, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    FeedColumn, RowFeedToken,
    columns::{checked_specification, column_list_faults},
};
use crate::{reference::refused, schedule::schedule_faults};

/// Rows that a data set holds, and rows after which one is made, at most.
const MOST_ROWS: i32 = 1_000_000;
/// Row feeds of an organization, at most: each keeps rows in the database.
pub const MOST_FEEDS: i64 = 100;

/// What is asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFeedCreate {
    /// Its name, once in an organization.
    pub name: String,
    /// What pushes the rows, and what they are of.
    #[serde(default)]
    pub description: String,
    /// The model whose predictions the rows hold, when it is registered.
    #[serde(default)]
    pub model_id: Option<ModelId>,
    /// What a row has; fixed by the first batch if it is empty.
    #[serde(default)]
    pub columns: Vec<FeedColumn>,
    /// After how many new rows they are stored and analysed.
    #[serde(default)]
    pub analyse_after: Option<i32>,
    /// When what waits is stored and analysed, as a cron expression of five fields in UTC.
    #[serde(default)]
    pub schedule: Option<String>,
    /// How many of the newest rows a data set holds at most.
    #[serde(default)]
    pub keep_rows: Option<i32>,
    /// The specification of the analyses, of any task; none, to store data sets only.
    #[serde(default)]
    pub parameters: Option<Value>,
}

/// A row feed's new token.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RowFeedSecret {
    /// The row feed.
    pub id: RowFeedId,
    /// Its name.
    pub name: String,
    /// The whole token: a secret, shown now and never again.
    pub token: String,
    /// By what to tell it from others.
    pub token_prefix: String,
    /// Where rows are pushed to, with the token as `Authorization: Bearer`.
    pub path: &'static str,
}

impl std::fmt::Debug for RowFeedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowFeedSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

impl RowFeedSecret {
    fn new(name: String, token: &RowFeedToken) -> Self {
        Self {
            id: token.feed,
            name,
            token: token.expose(),
            token_prefix: token.prefix(),
            path: "/in/rows",
        }
    }
}

impl RowFeedCreate {
    /// All that is wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        self.checked().err().unwrap_or_default()
    }

    /// Its specification, read by its task.
    ///
    /// # Errors
    /// All that is wrong with the row feed.
    fn checked(&self) -> Result<Option<TaskSpec>, Vec<Fault>> {
        let mut faults = self.own_faults();
        let wrong = column_list_faults(&self.columns);
        // Columns that are wrong themselves say nothing of the specification.
        let known = if wrong.is_empty() { self.columns.as_slice() } else { &[] };
        let read = self.parameters.as_ref().map(|given| checked_specification(given, known));
        let spec = read.transpose().unwrap_or_else(|told| {
            faults.extend(told);
            None
        });
        faults.extend(wrong);
        if faults.is_empty() { Ok(spec) } else { Err(faults) }
    }

    /// What is wrong with it beside its columns and its specification.
    fn own_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.name.trim().is_empty() || self.name.chars().count() > 200 {
            faults.push(Fault::new("/name", "length", "A name has 1 to 200 characters"));
        }
        for (pointer, text) in [("/name", &self.name), ("/description", &self.description)] {
            if text.contains('\0') {
                faults.push(Fault::new(pointer, "nul", "A text holds no NUL character"));
            }
        }
        if self.description.chars().count() > 10_000 {
            let message = "A description has at most 10000 characters";
            faults.push(Fault::new("/description", "length", message));
        }
        for (pointer, given) in
            [("/analyse_after", self.analyse_after), ("/keep_rows", self.keep_rows)]
        {
            if given.is_some_and(|rows| !(1..=MOST_ROWS).contains(&rows)) {
                let message = format!("Rows are counted from 1 to {MOST_ROWS}");
                faults.push(Fault::new(pointer, "out_of_range", message));
            }
        }
        if let Some(schedule) = &self.schedule {
            faults.extend(schedule_faults(schedule));
        }
        faults
    }
}

/// Makes a row feed. Its token stands in the answer alone.
///
/// # Errors
/// `invalid` with every fault; `conflict` for a name that is taken, and beyond [`MOST_FEEDS`]; `unknown_reference` for a model that
/// is not one of the organization.
pub async fn row_feed_create(
    tx: &mut OrgTx,
    create: &RowFeedCreate,
) -> Result<RowFeedSecret, Problem> {
    let spec = create.checked().map_err(Problem::invalid)?;
    room_for_another(tx).await?;
    let token = RowFeedToken::generate(tx.organization(), RowFeedId::new());
    let name = create.name.trim().to_owned();
    let json = |value: Result<serde_json::Value, _>| value.map_err(|_| Problem::internal());
    let columns = json(serde_json::to_value(&create.columns))?;
    let parameters = spec.map(|spec| json(spec.to_json())).transpose()?;
    sqlx::query!(
        "insert into assurance.row_feeds
             (organization_id, id, name, description, model_id, columns, analyse_after, keep_rows, parameters,
              token_hash, token_prefix, created_by, schedule)
         values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, 100000), $9, $10, $11, $12, $13)",
        tx.organization().uuid(),
        token.feed.uuid(),
        name,
        create.description,
        create.model_id.map(ModelId::uuid),
        columns,
        create.analyse_after,
        create.keep_rows,
        parameters,
        &token.hash()[..],
        token.prefix(),
        tx.scope().principal().uuid(),
        create.schedule.as_deref().map(one_space),
    )
    .execute(tx.conn())
    .await
    .map_err(refused)?;
    Ok(RowFeedSecret::new(name, &token))
}

/// Refuses another one beyond the most. Who makes one at the same time waits, so that two do not take the last place.
async fn room_for_another(tx: &mut OrgTx) -> Result<(), Problem> {
    let organization = tx.organization().uuid();
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('ephor row feeds of ' || $1::uuid::text, 0))",
        organization,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from assurance.row_feeds where organization_id = $1"#,
        organization,
    )
    .fetch_one(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if count >= MOST_FEEDS {
        let what = format!(
            "An organization has {MOST_FEEDS} row feeds at most; delete one that is not needed any more"
        );
        return Err(Problem::new(Code::Conflict, what));
    }
    Ok(())
}

/// The fields of a schedule with one space between, as the database keeps it.
fn one_space(schedule: &str) -> String {
    schedule.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Replaces the token: the old one is refused from now on, on every replica.
///
/// # Errors
/// `not_found`.
pub async fn row_feed_rotate_token(
    tx: &mut OrgTx,
    id: RowFeedId,
) -> Result<RowFeedSecret, Problem> {
    let token = RowFeedToken::generate(tx.organization(), id);
    let name = sqlx::query_scalar!(
        "update assurance.row_feeds set token_hash = $3, token_prefix = $4, token_made_at = now()
          where organization_id = $1 and id = $2 returning name",
        tx.organization().uuid(),
        id.uuid(),
        &token.hash()[..],
        token.prefix(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("row feed"))?;
    Ok(RowFeedSecret::new(name, &token))
}

/// Takes the token away; a new one can be made at any time.
///
/// # Errors
/// `not_found`.
pub async fn row_feed_revoke_token(tx: &mut OrgTx, id: RowFeedId) -> Result<(), Problem> {
    let done = sqlx::query!(
        "update assurance.row_feeds set token_hash = null, token_prefix = ''
          where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if done.rows_affected() == 0 {
        return Err(Problem::not_found("row feed"));
    }
    Ok(())
}
