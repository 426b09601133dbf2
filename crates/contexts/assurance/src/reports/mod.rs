//! What completed analyses are read as: a report in several formats, a comparison of two, a
//! model's trend over its versions, and its model card.

mod file;
mod findings;
mod operations;
mod press;
mod routes;

use chrono::{DateTime, Utc};
use ephor_fairness::{data::DataReport, law::LawReport, task::TaskResult};
use ephor_kernel::Problem;

pub use file::{
    CardFormat, LawFormat, ReportFormat, analysis_file, card_file, data_file, law_file,
};
pub(crate) use file::{attachment, pretty};
pub(crate) use operations::operations;
pub use press::pressed;
pub use routes::metric_named;
pub(crate) use routes::routes;

use crate::card::ModelCard;

/// What a report says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its title.
    pub title: String,
    /// What was analysed.
    pub source: String,
    /// When the report was made.
    pub created: DateTime<Utc>,
    /// The organization that it was made for, if it shall say so.
    pub organization: Option<String>,
}

/// Writes what people read as single files of HTML, and as PDF. Pages are the console's, and contexts do not
/// import it: the composition root gives the way.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// The report of an analysis.
    pub report: fn(&TaskResult, &Heading) -> Result<String, Problem>,
    /// A report of the law.
    pub law: fn(&LawReport, &Heading) -> Result<String, Problem>,
    /// A report of the data alone.
    pub data: fn(&DataReport, &Heading) -> Result<String, Problem>,
    /// The card of a model.
    pub card: fn(&ModelCard) -> Result<String, Problem>,
    /// The report of an analysis, typeset. This takes a moment of one core: it is called where that is allowed.
    pub report_pdf: fn(&TaskResult, &Heading) -> Result<Vec<u8>, Problem>,
    /// A report of the law, typeset.
    pub law_pdf: fn(&LawReport, &Heading) -> Result<Vec<u8>, Problem>,
    /// A report of the data alone, typeset.
    pub data_pdf: fn(&DataReport, &Heading) -> Result<Vec<u8>, Problem>,
    /// The card of a model, typeset.
    pub card_pdf: fn(&ModelCard) -> Result<Vec<u8>, Problem>,
}
