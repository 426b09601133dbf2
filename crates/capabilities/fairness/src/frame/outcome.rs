//! How somebody is treated, read from one column: by a label, or by a score.

use arrow::array::RecordBatch;

use super::{column, floats};
use crate::{
    AnalysisError, AnalysisSpec, Fault,
    analysis::label_faults,
    cube::{LabelReader, Labels, Rule},
    tally::{MISSING, POSITIVE},
};

/// What counts as how somebody is treated.
pub(crate) enum Outcome {
    /// A label, by column.
    Label(String, Box<LabelReader>),
    /// Scores of at least the threshold, by column.
    Score(String, f64),
}

impl Outcome {
    /// The prediction, the score or the label: whichever of these is named first.
    pub(crate) fn of(spec: &AnalysisSpec) -> Self {
        let positive = spec.positive_label.as_deref();
        match (&spec.prediction, &spec.score) {
            (Some(name), _) => Self::label(name, positive, true),
            (None, Some(name)) => Self::Score(name.clone(), spec.score_threshold),
            (None, None) => {
                Self::label(spec.target.as_deref().unwrap_or_default(), positive, false)
            }
        }
    }

    /// A column of labels. Predictions may be 0 and 1 though the labels have names.
    pub(crate) fn label(name: &str, positive: Option<&str>, for_prediction: bool) -> Self {
        let reader = LabelReader::new(Rule::new(positive, for_prediction));
        Self::Label(name.to_owned(), Box::new(reader))
    }

    pub(crate) fn column(&self) -> &str {
        match self {
            Self::Label(name, _) | Self::Score(name, _) => name,
        }
    }

    /// 1 and 0; NaN where it is missing.
    pub(crate) fn read(&mut self, batch: &RecordBatch) -> Result<Vec<f64>, AnalysisError> {
        match self {
            Self::Label(name, reader) => {
                let mut codes = vec![0; batch.num_rows()];
                reader
                    .read(column(batch, name)?, 1, &mut codes)
                    .map_err(|error| AnalysisError::Read(error.into()))?;
                let value = |code: u32| match code as usize {
                    MISSING => f64::NAN,
                    code => f64::from(u8::from(code == POSITIVE)),
                };
                Ok(codes.into_iter().map(value).collect())
            }
            Self::Score(name, threshold) => {
                let value = |score: f64| {
                    if score.is_finite() {
                        f64::from(u8::from(score >= *threshold))
                    } else {
                        f64::NAN
                    }
                };
                Ok(floats(batch, name)?.into_iter().map(value).collect())
            }
        }
    }

    /// The labels that were read, if it is read from labels.
    pub(crate) fn labels(&self) -> Option<&Labels> {
        match self {
            Self::Label(_, reader) => Some(&reader.labels),
            Self::Score(..) => None,
        }
    }

    /// Adds labels that were read elsewhere.
    pub(crate) fn merge(&mut self, labels: Option<&Labels>) {
        if let (Self::Label(_, reader), Some(labels)) = (self, labels) {
            reader.labels.merge(labels);
        }
    }

    /// Why what was read is no yes and no.
    pub(crate) fn faults(&self, place: &str, positive: Option<&str>) -> Vec<Fault> {
        match self {
            Self::Label(name, reader) => {
                label_faults(&reader.labels, place, name, "prediction", positive)
            }
            Self::Score(..) => Vec::new(),
        }
    }
}
