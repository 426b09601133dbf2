//! Metrics and disparities by name, for whoever looks one up.

use std::sync::LazyLock;

use serde::Serialize;

use crate::{
    disparities::{self, Definition},
    drift, fault, flips,
    frame::{About, Quantity, names_of},
    individual,
    metrics::{self, Better, Metric},
    multiclass, ranking, regression,
    task::Task,
};

/// What a name stands for.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A metric of one group.
    Metric(&'static Metric),
    /// A disparity between groups.
    Disparity(&'static Definition),
}

/// One of the things that a name stands for, among all analyses.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Meaning {
    /// A metric of one group.
    Metric(&'static Metric),
    /// A disparity between groups.
    Disparity(&'static Definition),
    /// A test of drift.
    Drift(&'static drift::Definition),
    /// A metric, or a disparity, of an analysis of other than yes and no.
    Other {
        /// Which analysis: the id of its [`Kind`].
        analysis: &'static str,
        /// What is asked of each group; otherwise it is of all groups together.
        of_groups: bool,
        /// What it is.
        #[serde(flatten)]
        about: &'static About,
    },
}

/// The metrics of an analysis of other than yes and no.
#[derive(Debug, Clone, Serialize)]
pub struct Kind {
    /// What kind: the word of `--task`, or the type of analysis.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Each makes four disparities: `…_difference`, `…_ratio`, `…_difference_to_reference`, `…_ratio_to_reference`.
    pub metrics: Vec<&'static About>,
    /// The disparities that are no difference or ratio of these.
    pub disparities: Vec<&'static About>,
}

/// The analyses of other than yes and no, each with its metrics.
pub fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            id: "regression",
            title: "Metrics of predicted numbers",
            metrics: regression::registry().iter().map(|metric| &metric.about).collect(),
            disparities: regression::DISPARITIES.iter().collect(),
        },
        Kind {
            id: "multiclass",
            title: "Metrics of predicted classes",
            metrics: multiclass::registry().iter().map(|metric| &metric.about).collect(),
            disparities: multiclass::DISPARITIES.iter().collect(),
        },
        Kind {
            id: "ranking",
            title: "Metrics of ranked lists",
            metrics: ranking::METRICS.iter().collect(),
            disparities: ranking::DISPARITIES.iter().collect(),
        },
        Kind {
            id: "individual_fairness",
            title: "Metrics of individuals",
            metrics: vec![&individual::ABOUT],
            disparities: Vec::new(),
        },
        Kind {
            id: "flips",
            title: "Metrics of decisions under a changed attribute",
            metrics: flips::registry().iter().map(|metric| &metric.about).collect(),
            disparities: flips::DISPARITIES.iter().collect(),
        },
    ]
}

/// The metric or disparity with this id or alias.
pub fn find(name: &str) -> Option<Entry> {
    metrics::find(name).map(Entry::Metric).or_else(|| disparities::find(name).map(Entry::Disparity))
}

/// A disparity of a task other than yes or no.
struct Known {
    task: Task,
    id: String,
    title: String,
    ideal: f64,
    /// How far from its ideal it can be; `None` without a bound.
    greatest: Option<f64>,
}

/// The four disparities that a metric makes.
fn made(task: Task, quantity: Quantity<'_>) -> [Known; 4] {
    let (least, most) = quantity.range;
    let is_bounded = least.abs() < f64::MAX && most.abs() < f64::MAX;
    let width = is_bounded.then_some(most - least);
    [
        ("difference", "difference", 0.0),
        ("ratio", "ratio", 1.0),
        ("difference_to_reference", "greatest difference to the reference group", 0.0),
        ("ratio_to_reference", "least ratio to the reference group", 1.0),
    ]
    .map(|(ending, words, ideal)| Known {
        task,
        id: format!("{}_{ending}", quantity.id),
        title: format!("{} {words}", quantity.title),
        ideal,
        // Of a ratio, how far it falls short of 1.
        greatest: if ideal == 1.0 { Some(1.0) } else { width },
    })
}

/// All disparities of a kind.
fn known(task: Task, kind: &Kind) -> Vec<Known> {
    let made = kind.metrics.iter().flat_map(|about| made(task, about.quantity()));
    let own = kind.disparities.iter().map(|about| Known {
        task,
        id: about.id.to_owned(),
        title: about.title.to_owned(),
        ideal: 0.0,
        greatest: Some(about.range.1).filter(|most| *most < f64::MAX),
    });
    made.chain(own).collect()
}

static OF_TASKS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let tasks = kinds().into_iter().filter_map(|kind| Some((Task::named(kind.id)?, kind)));
    tasks.flat_map(|(task, kind)| known(task, &kind)).collect()
});

/// What analyses of yes or no judge beside their own disparities: of individuals, and of flips.
static BESIDE: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let beside = kinds().into_iter().filter(|kind| Task::named(kind.id).is_none());
    beside.flat_map(|kind| known(Task::Binary, &kind)).collect()
});

/// The disparities of one class against the rest.
static OF_CLASSES: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let quantities = multiclass::of_one_class().into_iter();
    quantities.flat_map(|quantity| made(Task::Multiclass, quantity)).collect()
});

/// The disparities of a task other than yes or no, those of single classes last.
fn of_task(task: Task) -> impl Iterator<Item = &'static Known> {
    let of_classes = OF_CLASSES.iter().filter(move |_| task == Task::Multiclass);
    OF_TASKS.iter().filter(move |known| known.task == task).chain(of_classes)
}

/// Is this the id of a disparity of the task, or of one of its classes against the rest?
pub fn is_disparity(task: Task, id: &str) -> bool {
    match task {
        Task::Binary => disparities::find(id).is_some(),
        _ => of_task(task).any(|known| known.id == id),
    }
}

/// Is a metric of several classes, or a disparity of all of them together, their average or the worst of them? Of other classes
/// it is another number.
pub(crate) fn is_over_classes(task: Task, id: &str) -> bool {
    task == Task::Multiclass
        && (id.starts_with("macro_") || multiclass::DISPARITIES.iter().any(|about| about.id == id))
}

/// How far from its ideal a disparity can be: of a ratio, how far it falls short of 1. `None` without a bound, and of yes or
/// no.
pub fn greatest_gap(task: Task, id: &str) -> Option<f64> {
    of_task(task).find(|known| known.id == id)?.greatest
}

/// The metrics of one group of a task other than yes or no, in the order in which results list them.
pub fn abouts(task: Task) -> Vec<&'static About> {
    match task {
        Task::Binary => Vec::new(),
        Task::Regression => regression::registry().iter().map(|metric| &metric.about).collect(),
        Task::Multiclass => multiclass::registry().iter().map(|metric| &metric.about).collect(),
        Task::Ranking => ranking::METRICS.iter().collect(),
    }
}

/// Of the metrics of one group of a task other than yes or no, the id that somebody who typed `name` most likely meant.
pub fn nearest_metric(task: Task, name: &str) -> Option<&'static str> {
    fault::nearest(name, abouts(task).into_iter().map(|about| about.id))
}

/// The same of its disparities.
pub fn nearest_disparity(task: Task, name: &str) -> Option<&'static str> {
    fault::nearest(name, of_task(task).map(|known| known.id.as_str()))
}

/// A disparity of a task by its id: its name for people, and its value without any disparity.
pub fn disparity(task: Task, id: &str) -> Option<(String, f64)> {
    if task == Task::Binary {
        let beside = || BESIDE.iter().find(|known| known.id == id);
        return disparities::find(id)
            .map(|found| (found.title.clone(), found.ideal))
            .or_else(|| beside().map(|known| (known.title.clone(), known.ideal)));
    }
    let found = OF_TASKS.iter().find(|known| known.task == task && known.id == id)?;
    Some((found.title.clone(), found.ideal))
}

/// A metric of one group by its id, in analyses of a task: its name for people, and which way is better.
pub fn metric(task: Task, id: &str) -> Option<(&'static str, Better)> {
    if task == Task::Binary {
        return metrics::find(id).map(|metric| (metric.title, metric.better));
    }
    let found = abouts(task).into_iter().find(|about| about.id == id)?;
    Some((found.title, found.better))
}

/// The id of the disparity of any task with this id or alias.
pub fn disparity_named(name: &str) -> Option<&'static str> {
    let mut others = OF_TASKS.iter().chain(BESIDE.iter());
    disparities::find(name)
        .map(|found| found.id.as_str())
        .or_else(|| others.find(|known| known.id == name).map(|known| known.id.as_str()))
}

/// The disparities of all tasks with their names for people, each id once.
pub fn disparity_ids() -> impl Iterator<Item = (&'static str, &'static str)> {
    let binary = disparities::registry().iter().map(|one| (one.id.as_str(), one.title.as_str()));
    let others = OF_TASKS
        .iter()
        .enumerate()
        .filter(|(at, known)| OF_TASKS[..*at].iter().all(|before| before.id != known.id))
        .filter(|(_, known)| disparities::registry().iter().all(|one| one.id != known.id))
        .map(|(_, known)| (known.id.as_str(), known.title.as_str()));
    let beside = BESIDE.iter().map(|known| (known.id.as_str(), known.title.as_str()));
    binary.chain(beside).chain(others)
}

/// The disparities of a task other than yes or no that are judged unless a spec says otherwise: id, threshold, and whether it is a
/// ratio.
pub fn judged(task: Task) -> Vec<(String, f64, bool)> {
    let mut found = Vec::new();
    for kind in kinds().into_iter().filter(|kind| Task::named(kind.id) == Some(task)) {
        for about in kind.metrics {
            let thresholds = [
                ("difference", about.difference_threshold, false),
                ("ratio", about.ratio_threshold, true),
            ];
            found.extend(thresholds.into_iter().filter_map(|(ending, threshold, is_ratio)| {
                Some((format!("{}_{ending}", about.id), threshold?, is_ratio))
            }));
        }
        let own = kind.disparities.into_iter();
        found.extend(
            own.filter_map(|about| Some((about.id.to_owned(), about.difference_threshold?, false))),
        );
    }
    found
}

/// All that a name stands for, over all analyses: several of them have an `accuracy`. The name of a disparity that a metric makes
/// finds the metric.
pub fn meanings(name: &str) -> Vec<Meaning> {
    let known = find(name).map(|entry| match entry {
        Entry::Metric(metric) => Meaning::Metric(metric),
        Entry::Disparity(definition) => Meaning::Disparity(definition),
    });
    let of_drift = drift::registry::find(name).map(Meaning::Drift);
    let others = kinds().into_iter().flat_map(|kind| {
        let analysis = kind.id;
        let made = move |about: &About| about.id == name || names(about).any(|made| made == name);
        let metrics = kind.metrics.into_iter().filter(move |about| made(about));
        let disparities = kind.disparities.into_iter().filter(move |about| about.id == name);
        let metrics = metrics.map(move |about| Meaning::Other { analysis, of_groups: true, about });
        metrics.chain(disparities.map(move |about| Meaning::Other {
            analysis,
            of_groups: false,
            about,
        }))
    });
    known.into_iter().chain(of_drift).chain(others).collect()
}

/// What the disparities that a metric makes are called.
fn names(about: &About) -> impl Iterator<Item = String> {
    names_of([about.quantity()]).into_iter()
}

/// Of all names that [`meanings`] knows, the one that somebody who typed `name` most likely meant.
pub fn nearest_meaning(name: &str) -> Option<String> {
    let kinds = kinds();
    let metrics = || kinds.iter().flat_map(|kind| &kind.metrics);
    let made: Vec<String> = metrics().flat_map(|about| names(about)).collect();
    let mut all: Vec<&str> = known_names().collect();
    all.extend(drift::registry::all().iter().map(|test| test.id));
    all.extend(
        metrics().chain(kinds.iter().flat_map(|kind| &kind.disparities)).map(|about| about.id),
    );
    all.extend(made.iter().map(String::as_str));
    fault::nearest(name, all).map(str::to_owned)
}

fn known_names() -> impl Iterator<Item = &'static str> {
    let metrics = metrics::registry()
        .iter()
        .flat_map(|metric| std::iter::once(&metric.id).chain(metric.aliases).copied());
    metrics.chain(disparities::registry().iter().flat_map(Definition::names))
}

/// Of all ids and aliases, the one that somebody who typed `name` most likely meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    fault::nearest(name, known_names())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_or_the_nearest_is_known() {
        assert!(matches!(find("recall"), Some(Entry::Metric(metric)) if metric.id == "tpr"));
        assert!(
            matches!(find("for_parity_ratio"), Some(Entry::Disparity(found)) if found.id == "for_ratio")
        );
        assert!(find("selection_rat").is_none());
        assert_eq!(nearest("selection_rat"), Some("selection_rate"));
    }

    #[test]
    fn a_name_means_all_that_any_analysis_calls_by_it() {
        let analyses = |name: &str| -> Vec<&str> {
            let word = |meaning: &Meaning| match meaning {
                Meaning::Metric(_) => "metric",
                Meaning::Disparity(_) => "disparity",
                Meaning::Drift(_) => "drift",
                Meaning::Other { analysis, .. } => analysis,
            };
            meanings(name).iter().map(word).collect()
        };
        assert_eq!(analyses("accuracy"), ["metric", "multiclass"]);
        assert_eq!(analyses("kolmogorov_smirnov"), ["metric", "drift"]);
        assert_eq!(analyses("r2_difference"), ["regression"]);
        assert_eq!(analyses("consistency"), ["individual_fairness"]);
        assert_eq!(analyses("greatest_flip_rate"), ["flips"]);
        assert_eq!(analyses("nothing"), [""; 0]);
        assert_eq!(nearest_meaning("consistence").as_deref(), Some("consistency"));
        for kind in kinds() {
            for about in kind.metrics.iter().chain(&kind.disparities) {
                assert!(analyses(about.id).contains(&kind.id), "{}", about.id);
            }
        }
    }

    #[test]
    fn no_name_is_both() {
        for metric in metrics::registry() {
            for name in std::iter::once(&metric.id).chain(metric.aliases) {
                assert!(disparities::find(name).is_none(), "{name} is a disparity too");
            }
        }
    }
}
