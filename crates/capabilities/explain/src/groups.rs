//! Does the model reason differently about one group? Explanations compared between groups of people.

use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    ExplainError, Explanation,
    chance::chance,
    shap::Progress,
    statistics::{ascending, quantile},
};

/// How groups are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The group that the others are compared with; the largest by default.
    pub reference: Option<String>,
    /// Smaller groups are not compared.
    pub least: usize,
    /// How often rows are drawn again for the intervals, and shuffled for the p-values. By default 1000, or 20 for each test
    /// up to 10 000 in all, as fewer could call nothing a difference.
    pub resamples: Option<usize>,
    /// How sure the intervals are.
    pub confidence: f64,
    /// The chance by which.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { reference: None, least: 10, resamples: None, confidence: 0.95, seed: 0 }
    }
}

/// What the explanations say of each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The group that the others are compared with.
    pub reference: String,
    /// The groups, the largest first.
    pub groups: Vec<Group>,
    /// Rows that belong to no group, and are left out.
    pub without: usize,
    /// How often rows were drawn again and shuffled.
    pub resamples: usize,
    /// How many differences were tested, over all features, groups and both questions.
    pub tests: usize,
    /// The least adjusted p-value that so many shuffles can give to one of so many tests, however large the difference:
    /// tests / (resamples + 1), at most 1; 0 of no tests.
    pub least_p: f64,
    /// Where nothing was tested: why.
    pub untested: Option<String>,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many.
    pub rows: usize,
    /// By feature, the mean of its values' sizes: how much the feature counts.
    pub size: Vec<f64>,
    /// By feature, the mean of its values: which way it counts.
    pub value: Vec<f64>,
    /// By feature, how it differs from the reference; nothing of the reference itself, and of a group that is too small.
    pub differences: Option<Vec<Difference>>,
}

/// How a group differs from the reference in a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// In how much the feature counts.
    pub size: Tested,
    /// In which way it counts.
    pub value: Tested,
}

/// A difference, and whether chance explains it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// The group's mean less the reference's.
    pub difference: f64,
    /// Bootstrap interval: rows drawn again within both groups.
    pub low: f64,
    /// Its other end.
    pub high: f64,
    /// Permutation p-value: how often shuffled groups differ as much.
    pub p: f64,
    /// The same, adjusted after Holm for all features, groups and both questions.
    pub adjusted: f64,
}

const MOST_GROUPS: usize = 1_000;
/// With so many shuffles for each test the least adjusted p-value is 0.05; more than the most only who asks for them.
const SHUFFLES_FOR_A_TEST: usize = 20;
const MOST_BY_DEFAULT: usize = 10_000;
/// So many drawn differences are kept at once.
const MOST_KEPT: usize = 1 << 25;

/// Compares the values of an output between groups; `groups` names each row's.
///
/// # Errors
/// When the names are not as many as the rows, when there are fewer than two groups or no such reference, when a setting
/// cannot be met, and when it is cancelled.
pub fn compare(
    explanation: &Explanation,
    output: usize,
    groups: &[Option<String>],
    settings: &Settings,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Compared, ExplainError> {
    let members = members(groups);
    settings.check(explanation, output, groups, &members)?;
    let Some((first, _)) = members.first() else { return Err(ExplainError::NoRows) };
    let reference = settings.reference.clone().unwrap_or_else(|| first.clone());
    let rows = Values { explanation, output };
    let mut found: Vec<Group> = members
        .iter()
        .map(|(name, own)| Group {
            name: name.clone(),
            rows: own.len(),
            size: rows.means(own, f64::abs),
            value: rows.means(own, |value| value),
            differences: None,
        })
        .collect();
    let Some(base) = members.iter().position(|(name, _)| *name == reference) else {
        return Err(ExplainError::Asked(vec![format!("there is no group `{reference}`")]));
    };
    let enough = |own: &[usize]| own.len() >= settings.least.max(2);
    let compared: Vec<usize> = (0..members.len())
        .filter(|place| *place != base && enough(&members[*place].1) && enough(&members[base].1))
        .collect();
    let tests = 2 * explanation.features * compared.len();
    let resamples = settings.resamples.unwrap_or_else(|| {
        let enough = (SHUFFLES_FOR_A_TEST * tests).clamp(1_000, MOST_BY_DEFAULT);
        enough.min(most_resamples(explanation.features))
    });
    for (done, place) in compared.iter().enumerate() {
        progress.rows(done, compared.len());
        let mut chance = chance(settings.seed, *place as u64);
        let pair = [members[*place].1.as_slice(), members[base].1.as_slice()];
        let (size, value) = (
            [&found[*place].size, &found[base].size].map(Clone::clone),
            [&found[*place].value, &found[base].value].map(Clone::clone),
        );
        let means = [size, value];
        let tested = settings.test(&rows, pair, &means, resamples, &mut chance, cancel)?;
        let features = explanation.features;
        let differences = (0..features)
            .map(|feature| Difference { size: tested[feature], value: tested[features + feature] });
        found[*place].differences = Some(differences.collect());
    }
    progress.rows(compared.len(), compared.len());
    holm(&mut found);
    let without = groups.iter().filter(|group| group.is_none()).count();
    let least_p = (tests as f64 / (resamples + 1) as f64).min(1.0);
    let untested = (tests == 0).then(|| {
        let least = settings.least.max(2);
        format!("no group beside `{reference}` can be compared with it, as only those of {least} rows or more are")
    });
    Ok(Compared { reference, groups: found, without, resamples, tests, least_p, untested })
}

/// The most that may be asked for, of so many features: what is drawn is kept, for each of them.
pub fn most_resamples(features: usize) -> usize {
    MOST_KEPT / (2 * features).max(1)
}

/// Each group's rows, the largest group first.
fn members(groups: &[Option<String>]) -> Vec<(String, Vec<usize>)> {
    let mut by = std::collections::BTreeMap::<&str, Vec<usize>>::new();
    for (row, group) in groups.iter().enumerate() {
        if let Some(group) = group {
            by.entry(group).or_default().push(row);
        }
    }
    let mut all: Vec<_> = by.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
    all.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    all
}

/// The values of an output.
struct Values<'a> {
    explanation: &'a Explanation,
    output: usize,
}

impl Values<'_> {
    fn row(&self, row: usize) -> &[f64] {
        self.explanation.row(row, self.output)
    }

    fn means(&self, rows: &[usize], of: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.explanation.features];
        for row in rows {
            for (sum, value) in sums.iter_mut().zip(self.row(*row)) {
                *sum += of(*value);
            }
        }
        sums.into_iter().map(|sum| sum / rows.len().max(1) as f64).collect()
    }

    /// Sums of sizes, then of values, over rows.
    fn add(&self, rows: impl Iterator<Item = usize>, sums: &mut [f64]) {
        let features = self.explanation.features;
        sums.fill(0.0);
        for row in rows {
            for (feature, value) in self.row(row).iter().enumerate() {
                sums[feature] += value.abs();
                sums[features + feature] += value;
            }
        }
    }
}

impl Settings {
    fn check(
        &self,
        explanation: &Explanation,
        output: usize,
        groups: &[Option<String>],
        members: &[(String, Vec<usize>)],
    ) -> Result<(), ExplainError> {
        let mut faults = Vec::new();
        let each = (explanation.features * explanation.base.len()).max(1);
        let rows = explanation.values.len() / each;
        if groups.len() != rows {
            faults.push(format!("there are {rows} rows, and {} names of groups", groups.len()));
        }
        if output >= explanation.base.len() {
            faults.push(format!("there is no output {output}"));
        }
        if !(2..=MOST_GROUPS).contains(&members.len()) {
            faults.push(format!(
                "there are {} groups; between 2 and {MOST_GROUPS} can be compared",
                members.len()
            ));
        }
        if let Some(name) = &self.reference
            && !members.iter().any(|(group, _)| group == name)
        {
            faults.push(format!("there is no group `{name}`"));
        }
        let most = most_resamples(explanation.features);
        if self.resamples.is_some_and(|asked| !(20..=most).contains(&asked)) {
            faults.push(format!("resamples: between 20 and {most} of so many features"));
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            faults.push("confidence: between 0 and 1".to_owned());
        }
        if explanation.values.iter().any(|value| !value.is_finite()) {
            faults.push("a value is no number".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(ExplainError::Asked(faults)) }
    }

    /// By feature: in sizes, then in values.
    fn test(
        &self,
        rows: &Values<'_>,
        pair: [&[usize]; 2],
        means: &[[Vec<f64>; 2]; 2],
        resamples: usize,
        chance: &mut ChaCha8Rng,
        cancel: &CancellationToken,
    ) -> Result<Vec<Tested>, ExplainError> {
        let width = 2 * rows.explanation.features;
        let [own, others] = pair;
        let (n, m) = (own.len() as f64, others.len() as f64);
        let found: Vec<f64> = means
            .iter()
            .flat_map(|[own, others]| own.iter().zip(others).map(|(own, other)| own - other))
            .collect();
        let (mut one, mut two) = (vec![0.0; width], vec![0.0; width]);
        let mut drawn = vec![Vec::with_capacity(resamples); width];
        let mut pool: Vec<usize> = own.iter().chain(others).copied().collect();
        let mut all = vec![0.0; width];
        rows.add(pool.iter().copied(), &mut all);
        let mut as_far = vec![0_usize; width];
        // Sums in another order differ by rounding, which is no difference.
        let slack: Vec<f64> = all.iter().map(|sum| 1e-12 * (sum.abs() + 1.0) / n.min(m)).collect();
        for _ in 0..resamples {
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            rows.add((0..own.len()).map(|_| own[chance.random_range(0..own.len())]), &mut one);
            rows.add(
                (0..others.len()).map(|_| others[chance.random_range(0..others.len())]),
                &mut two,
            );
            for (place, drawn) in drawn.iter_mut().enumerate() {
                drawn.push(one[place] / n - two[place] / m);
            }
            let (picked, _) = pool.partial_shuffle(chance, own.len());
            rows.add(picked.iter().copied(), &mut one);
            for place in 0..width {
                let shuffled = one[place] / n - (all[place] - one[place]) / m;
                as_far[place] += usize::from(shuffled.abs() + slack[place] >= found[place].abs());
            }
        }
        let outside = (1.0 - self.confidence) / 2.0;
        let each = drawn.into_iter().zip(found).zip(as_far);
        Ok(each
            .map(|((drawn, difference), as_far)| {
                let drawn = ascending(drawn);
                let p = (as_far + 1) as f64 / (resamples + 1) as f64;
                Tested {
                    difference,
                    low: quantile(&drawn, outside),
                    high: quantile(&drawn, 1.0 - outside),
                    p,
                    adjusted: p,
                }
            })
            .collect())
    }
}

/// The least p-value times the number of all, the next times one less, and so on; never less than the one before.
fn holm(groups: &mut [Group]) {
    let mut all: Vec<&mut Tested> = groups
        .iter_mut()
        .filter_map(|group| group.differences.as_mut())
        .flatten()
        .flat_map(|difference| [&mut difference.size, &mut difference.value])
        .collect();
    all.sort_by(|a, b| a.p.total_cmp(&b.p));
    let (count, mut before) = (all.len(), 0.0_f64);
    for (place, tested) in all.into_iter().enumerate() {
        before = before.max(tested.p * (count - place) as f64).min(1.0);
        tested.adjusted = before;
    }
}
