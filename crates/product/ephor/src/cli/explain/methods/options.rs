//! What methods are told beside the model and the rows.

use clap::ValueEnum;

use super::super::{Method, rows::Beside};
use crate::{cli::file::pair, exit::UsageError};

/// Options of single methods.
#[derive(Debug, Clone, clap::Args)]
pub(in super::super) struct Options {
    /// The seed of chance: the same one gives the same result
    #[arg(long, value_name = "NUMBER", help_heading = "Methods that ask the model")]
    pub seed: Option<u64>,
    /// Which output to explain, counted from 0; class 1 of two by default
    #[arg(long, value_name = "NUMBER", help_heading = "Methods that ask the model")]
    pub class: Option<usize>,
    /// The features whose numbers are categories (lime, ice, pdp, ale, counterfactual)
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "FEATURE,…",
        help_heading = "Methods that ask the model"
    )]
    pub categorical: Vec<String>,
    /// How often chance is tried: shuffles of a feature, or neighbourhoods of a row [default: 5] (permutation, lime)
    #[arg(long, value_name = "NUMBER", help_heading = "Methods that ask the model")]
    pub repeats: Option<usize>,
    /// Coalitions, or made-up rows, for each row (kernel: 2 x features + 2048; lime: 5000)
    #[arg(long, value_name = "NUMBER", help_heading = "Kernel SHAP and LIME")]
    pub samples: Option<usize>,
    /// Go on until the largest standard error of a row's values is less (kernel)
    #[arg(long, value_name = "NUMBER", help_heading = "Kernel SHAP and LIME")]
    pub precision: Option<f64>,
    /// Into which ranges numbers are put [default: quartiles] (lime)
    #[arg(long, value_enum, value_name = "RANGES", help_heading = "Kernel SHAP and LIME")]
    pub discretizer: Option<DiscretizerArg>,
    /// How many features the linear model has [default: 10] (lime)
    #[arg(long, value_name = "NUMBER", help_heading = "Kernel SHAP and LIME")]
    pub top: Option<usize>,
    /// How near counts as near; 0.75 x the root of the number of features by default (lime)
    #[arg(long, value_name = "NUMBER", help_heading = "Kernel SHAP and LIME")]
    pub kernel_width: Option<f64>,
    /// The column of what should have been predicted: numbers, or classes counted from 0
    #[arg(long, value_name = "COLUMN", help_heading = "Permutation importance")]
    pub target: Option<String>,
    /// How good a model is [default: accuracy]
    #[arg(long, value_enum, value_name = "METRIC", help_heading = "Permutation importance")]
    pub metric: Option<MetricArg>,
    /// The feature to look at; two of them for pdp
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "FEATURE[,FEATURE]",
        help_heading = "Effects of a feature (pdp, ice, ale)"
    )]
    pub feature: Vec<String>,
    /// At which values it is looked at [default: quantiles] (pdp, ice)
    #[arg(
        long,
        value_enum,
        value_name = "GRID",
        help_heading = "Effects of a feature (pdp, ice, ale)"
    )]
    pub grid: Option<GridArg>,
    /// At how many values [default: 20] (pdp, ice)
    #[arg(long, value_name = "NUMBER", help_heading = "Effects of a feature (pdp, ice, ale)")]
    pub points: Option<usize>,
    /// Every row's curve as its difference from its first value (ice)
    #[arg(long, help_heading = "Effects of a feature (pdp, ice, ale)")]
    pub centred: bool,
    /// In how many ranges [default: 40] (ale)
    #[arg(long, value_name = "NUMBER", help_heading = "Effects of a feature (pdp, ice, ale)")]
    pub bins: Option<usize>,
    /// The order of a feature's categories; by similarity by default (ale)
    #[arg(
        long,
        allow_negative_numbers = true,
        value_delimiter = ',',
        value_name = "NUMBER,…",
        help_heading = "Effects of a feature (pdp, ice, ale)"
    )]
    pub order: Vec<f64>,
    /// Features that do not change
    #[arg(long, value_delimiter = ',', value_name = "FEATURE,…", help_heading = "Counterfactuals")]
    pub immutable: Vec<String>,
    /// Features that only increase
    #[arg(long, value_delimiter = ',', value_name = "FEATURE,…", help_heading = "Counterfactuals")]
    pub increase_only: Vec<String>,
    /// Features that only decrease
    #[arg(long, value_delimiter = ',', value_name = "FEATURE,…", help_heading = "Counterfactuals")]
    pub decrease_only: Vec<String>,
    /// Between which values a feature stays, such as age=18..70; what the background holds by default
    #[arg(
        long,
        value_parser = pair,
        value_name = "FEATURE=LEAST..GREATEST",
        help_heading = "Counterfactuals"
    )]
    pub range: Vec<(String, String)>,
    /// In which steps it changes; whole numbers by default where the background has no others
    #[arg(
        long,
        value_parser = pair,
        value_name = "FEATURE=STEP",
        help_heading = "Counterfactuals"
    )]
    pub step: Vec<(String, String)>,
    /// What is at least this is decided for; it is the other side that is sought [default: 0.5]
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "NUMBER",
        help_heading = "Counterfactuals"
    )]
    pub threshold: Option<f64>,
    /// The class that is wanted, instead of the other side of a threshold
    #[arg(
        long,
        value_name = "NUMBER",
        conflicts_with_all = ["threshold", "class"],
        help_heading = "Counterfactuals"
    )]
    pub wanted: Option<usize>,
    /// How many ways at most, each of other features [default: 3]
    #[arg(long, value_name = "NUMBER", help_heading = "Counterfactuals")]
    pub count: Option<usize>,
    /// How many features change at most [default: 5]
    #[arg(long, value_name = "NUMBER", help_heading = "Counterfactuals")]
    pub changes: Option<usize>,
    /// About how many made-up rows the model is asked, for each row [default: 20000]
    #[arg(long, value_name = "NUMBER", help_heading = "Counterfactuals")]
    pub budget: Option<usize>,
    /// The column that says who belongs to which group
    #[arg(long, value_name = "COLUMN", help_heading = "Groups")]
    pub group: Option<String>,
    /// The group that others are compared with; the largest by default
    #[arg(long, value_name = "GROUP", help_heading = "Groups")]
    pub reference: Option<String>,
    /// How often rows are drawn again and shuffled [default: 1000]
    #[arg(long, value_name = "NUMBER", help_heading = "Groups")]
    pub resamples: Option<usize>,
    /// How sure intervals are [default: 0.95]
    #[arg(long, value_name = "SHARE", help_heading = "Groups")]
    pub confidence: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum DiscretizerArg {
    /// Four of about as many rows each
    Quartiles,
    /// Ten
    Deciles,
    /// None: in standard deviations
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum MetricArg {
    /// The share of rows whose class is right
    Accuracy,
    /// The mean of -ln of the right class's probability
    LogLoss,
    /// The area under the ROC curve
    RocAuc,
    /// The share of the target's variance that is told
    R2,
    /// The mean of squared errors
    Mse,
    /// The mean of the errors' sizes
    Mae,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum GridArg {
    /// With as many rows between them
    Quantiles,
    /// As far from one another, as scikit-learn does
    Even,
    /// All values that occur
    Distinct,
}

const ALL: &[Method] = &[
    Method::Kernel,
    Method::Lime,
    Method::Permutation,
    Method::Pdp,
    Method::Ice,
    Method::Ale,
    Method::Counterfactual,
    Method::Groups,
];

impl Options {
    /// What is given, with the methods that it is for.
    fn given(&self) -> [(&'static str, bool, &'static [Method]); 31] {
        use Method::{Ale, Counterfactual, Groups, Ice, Kernel, Lime, Pdp, Permutation};
        [
            ("--seed", self.seed.is_some(), &[Kernel, Lime, Permutation, Counterfactual, Groups]),
            (
                "--class",
                self.class.is_some(),
                &[Kernel, Lime, Pdp, Ice, Ale, Counterfactual, Groups],
            ),
            ("--categorical", !self.categorical.is_empty(), &[Lime, Pdp, Ice, Ale, Counterfactual]),
            ("--repeats", self.repeats.is_some(), &[Permutation, Lime]),
            ("--samples", self.samples.is_some(), &[Kernel, Lime]),
            ("--precision", self.precision.is_some(), &[Kernel]),
            ("--discretizer", self.discretizer.is_some(), &[Lime]),
            ("--top", self.top.is_some(), &[Lime]),
            ("--kernel-width", self.kernel_width.is_some(), &[Lime]),
            ("--target", self.target.is_some(), &[Permutation]),
            ("--metric", self.metric.is_some(), &[Permutation]),
            ("--feature", !self.feature.is_empty(), &[Pdp, Ice, Ale]),
            ("--grid", self.grid.is_some(), &[Pdp, Ice]),
            ("--points", self.points.is_some(), &[Pdp, Ice]),
            ("--centred", self.centred, &[Ice]),
            ("--bins", self.bins.is_some(), &[Ale]),
            ("--order", !self.order.is_empty(), &[Ale]),
            ("--immutable", !self.immutable.is_empty(), &[Counterfactual]),
            ("--increase-only", !self.increase_only.is_empty(), &[Counterfactual]),
            ("--decrease-only", !self.decrease_only.is_empty(), &[Counterfactual]),
            ("--range", !self.range.is_empty(), &[Counterfactual]),
            ("--step", !self.step.is_empty(), &[Counterfactual]),
            ("--threshold", self.threshold.is_some(), &[Counterfactual]),
            ("--wanted", self.wanted.is_some(), &[Counterfactual]),
            ("--count", self.count.is_some(), &[Counterfactual]),
            ("--changes", self.changes.is_some(), &[Counterfactual]),
            ("--budget", self.budget.is_some(), &[Counterfactual]),
            ("--group", self.group.is_some(), &[Groups]),
            ("--reference", self.reference.is_some(), &[Groups]),
            ("--resamples", self.resamples.is_some(), &[Groups]),
            ("--confidence", self.confidence.is_some(), &[Groups]),
        ]
    }

    /// None of these are for exact SHAP values.
    pub(in super::super) fn refuse_any(&self) -> anyhow::Result<()> {
        self.fit(Method::Shap, &[], false, false)
    }

    /// Is all that is given for the method, and all given that it needs? All faults at once;
    /// `shap` are the options of that method which are given; `background` says whether other rows are,
    /// `plots` whether these are asked for.
    pub(super) fn fit(
        &self,
        method: Method,
        shap: &[&str],
        background: bool,
        plots: bool,
    ) -> anyhow::Result<()> {
        let name = |method: &Method| {
            method.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let mut faults: Vec<String> = self
            .given()
            .into_iter()
            .filter(|(_, given, of)| *given && !of.contains(&method))
            .map(|(option, _, of)| {
                let of: Vec<String> = of.iter().map(name).collect();
                format!("{option} is for --method {}", of.join(", "))
            })
            .collect();
        if ALL.contains(&method) {
            faults.extend(shap.iter().map(|option| format!("{option} is for --method shap")));
        }
        let alone = [Method::Permutation, Method::Pdp, Method::Ice, Method::Ale];
        if background && alone.contains(&method) {
            faults.push(format!(
                "--background is for --method shap, kernel, lime, counterfactual, groups; --method {} looks at the rows themselves",
                name(&method)
            ));
        }
        if plots && method == Method::Counterfactual {
            faults.push(
                "--plots: counterfactuals have none; --report shows them as tables".to_owned(),
            );
        }
        let mut needs = |option: &str, given: bool| {
            if !given {
                faults.push(format!("--method {} needs {option}", name(&method)));
            }
        };
        match method {
            Method::Permutation => needs("--target COLUMN", self.target.is_some()),
            Method::Groups => needs("--group COLUMN", self.group.is_some()),
            Method::Pdp => {
                needs("--feature FEATURE, or two of them", matches!(self.feature.len(), 1 | 2));
            }
            Method::Ice | Method::Ale => needs("one --feature FEATURE", self.feature.len() == 1),
            _ => {}
        }
        if faults.is_empty() { Ok(()) } else { Err(UsageError(faults.join("\n")).into()) }
    }

    /// The columns that a method reads beside the features.
    pub(super) fn beside(&self, method: Method) -> Beside {
        Beside {
            target: self.target.clone().filter(|_| method == Method::Permutation),
            group: self.group.clone().filter(|_| method == Method::Groups),
        }
    }
}
