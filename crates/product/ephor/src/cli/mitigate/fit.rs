//! `ephor mitigate fit`

use std::path::PathBuf;

use clap::ValueEnum;
use ephor_fairness::mitigation::{
    Constraint, Method, MitigationArtifact, MitigationSpec, Objective, fit,
};

use super::{apart, print, table};
use crate::{
    cli::{
        block_on,
        file::{self, pair},
        places::{Place, writable},
    },
    exit::Exit,
};

/// Compute a mitigation from a file with labels.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor mitigate fit train.csv --method reweighing --target y --protected sex,race --out weights.json
  ephor mitigate fit scores.csv --method threshold --target y --score p --protected sex --out thresholds.json
  ephor mitigate fit scores.csv --method threshold --constraint equalized_odds --randomized \\
    --target y --score p --protected sex --out odds.json
  ephor mitigate fit scores.csv --method reject-option --target y --score p --protected sex \\
    --reference sex=Male --out band.json

Groups are the combinations of all protected attributes. Different thresholds for different groups can be
disparate treatment, which law may forbid: ask counsel before decisions are made this way.

Exit codes: 0 the artefact is written, 2 the question or the data are wrong, 3 it could not be done.")]
pub struct Args {
    /// A CSV, NDJSON, JSON or Parquet file of any size; - for standard input
    file: PathBuf,
    /// How
    #[arg(long, value_enum)]
    method: MethodArg,
    /// What is to be equal between groups; reweighing makes base rates equal
    #[arg(long, value_enum, default_value_t = ConstraintArg::DemographicParity)]
    constraint: ConstraintArg,
    /// What is to be as good as the constraint lets it be
    #[arg(long, value_enum, default_value_t = ObjectiveArg::BalancedAccuracy)]
    objective: ObjectiveArg,
    /// How far from equal is accepted: 0.01 by default, 0 with --randomized, 0.05 for a reject option
    #[arg(long, value_name = "NUMBER")]
    tolerance: Option<f64>,
    /// Decide scores between two thresholds by draw, which makes rates exactly equal
    #[arg(long)]
    randomized: bool,
    /// The seed of those draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The column of true labels
    #[arg(long)]
    target: String,
    /// The column of present predictions, to compare with; without it, they follow from the score
    #[arg(long)]
    prediction: Option<String>,
    /// The column of scores
    #[arg(long)]
    score: Option<String>,
    /// The least score that counts as a positive prediction now
    #[arg(long, default_value_t = 0.5, value_name = "NUMBER")]
    score_threshold: f64,
    /// The label that counts as positive, where it is not 1 or true
    #[arg(long, value_name = "LABEL")]
    positive: Option<String>,
    /// The protected attributes: columns that say who belongs to which group
    #[arg(long, required = true, value_delimiter = ',', value_name = "COLUMN,…")]
    protected: Vec<String>,
    /// The column of weights
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// The advantaged group of a reject option, such as sex=Male; by default groups above everybody's rate
    #[arg(long, value_parser = pair, value_name = "COLUMN=GROUP")]
    reference: Vec<(String, String)>,
    /// Groups with fewer rows have no rule of their own
    #[arg(long, default_value_t = 30, value_name = "ROWS")]
    min_group_size: u64,
    /// Where to write the artefact
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print the artefact, for programs
    #[arg(long)]
    json: bool,
    /// The memory to use before spilling to disk, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    memory: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MethodArg {
    /// Weights for training, by group and label
    Reweighing,
    /// Score thresholds by group
    Threshold,
    /// Scores near the threshold decided for the disadvantaged groups
    RejectOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum ConstraintArg {
    /// Selection rates
    DemographicParity,
    /// True positive rates
    EqualOpportunity,
    /// False positive rates
    FalsePositiveRateParity,
    /// True and false positive rates
    EqualizedOdds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum ObjectiveArg {
    /// The share of decisions that are right
    Accuracy,
    /// The mean of true positive and true negative rate
    BalancedAccuracy,
}

impl From<MethodArg> for Method {
    fn from(chosen: MethodArg) -> Self {
        match chosen {
            MethodArg::Reweighing => Self::Reweighing,
            MethodArg::Threshold => Self::Threshold,
            MethodArg::RejectOption => Self::RejectOption,
        }
    }
}

impl From<ConstraintArg> for Constraint {
    fn from(chosen: ConstraintArg) -> Self {
        match chosen {
            ConstraintArg::DemographicParity => Self::DemographicParity,
            ConstraintArg::EqualOpportunity => Self::EqualOpportunity,
            ConstraintArg::FalsePositiveRateParity => Self::FalsePositiveRateParity,
            ConstraintArg::EqualizedOdds => Self::EqualizedOdds,
        }
    }
}

impl From<ObjectiveArg> for Objective {
    fn from(chosen: ObjectiveArg) -> Self {
        match chosen {
            ObjectiveArg::Accuracy => Self::Accuracy,
            ObjectiveArg::BalancedAccuracy => Self::BalancedAccuracy,
        }
    }
}

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        writable(Place::out(Some(&self.out)))?;
        apart(&self.out, [&self.file])?;
        let spec = self.spec();
        let fitted = file::with_table(&self.file, None, self.memory, async |table, cancel| {
            fit(table, &spec, &(), cancel).await
        });
        let mut artifact = block_on(fitted)?;
        artifact.data.source =
            self.file.file_name().map(|name| name.to_string_lossy().into_owned());
        let text = serde_json::to_string_pretty(&artifact)? + "\n";
        file::put_at(&self.out, "artefact", |out| Ok(out.write_all(text.as_bytes())?))?;
        print(&if self.json { text } else { self.told(&artifact) })?;
        Ok(Exit::Ok)
    }

    fn told(&self, artifact: &MitigationArtifact) -> String {
        table::fitted(artifact, &file::named(&self.file), &self.out.display().to_string())
    }

    fn spec(&self) -> MitigationSpec {
        MitigationSpec {
            constraint: self.constraint.into(),
            objective: self.objective.into(),
            tolerance: self.tolerance,
            randomized: self.randomized,
            seed: self.seed,
            prediction: self.prediction.clone(),
            score: self.score.clone(),
            score_threshold: self.score_threshold,
            positive_label: self.positive.clone(),
            weight: self.weight.clone(),
            reference_groups: self.reference.iter().cloned().collect(),
            min_group_size: self.min_group_size,
            ..MitigationSpec::new(
                self.method.into(),
                self.target.clone(),
                self.protected.iter().cloned(),
            )
        }
    }
}
