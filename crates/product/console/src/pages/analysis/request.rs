//! What the form sends, as the analysis that is asked for; and faults, as fields of the form.

use std::borrow::Cow;

use ephor_assurance::analysis::AnalysisCreate;
use ephor_fairness::{
    AnalysisSpec, AnalysisType, catalogue,
    data::{DataSpec, representation::Population},
    disparities, flips,
    frame::Grouping,
    law::{LawSpec, Rule},
    multiclass::MulticlassSpec,
    ranking::RankingSpec,
    regression::{Loss, RegressionSpec},
    task::{Task, TaskSpec},
};
use ephor_kernel::{Fault, Problem};

use super::population;
use crate::pages::resource::edit::{Sent, sent};

/// Reads the form.
///
/// # Errors
/// `invalid` with every field that does not read as what it should be.
pub(super) fn analysis(form: &Sent) -> Result<AnalysisCreate, Problem> {
    let mut reader = Reader { form, faults: Vec::new() };
    let dataset = sent(form, "dataset_id").and_then(|id| id.parse().ok());
    if dataset.is_none() {
        reader.faults.push(Fault::new("/dataset", "required", "No data set is chosen."));
    }
    let task = reader.task();
    let protected: Vec<String> = reader.all("protected");
    let mut spec = AnalysisSpec::unlabelled(protected);
    spec.target = reader.text("target");
    if let Some(kind) = reader.analysis_type() {
        spec.analysis_type = kind;
    }
    spec.prediction = reader.text("prediction");
    spec.score = reader.text("score");
    spec.positive_label = reader.text("positive_label");
    spec.weight = reader.text("weight");
    spec.strata = reader.text("strata");
    spec.features = reader.all("features");
    spec.flipped = reader.text("flipped");
    spec.data = reader.data();
    spec.law = reader.law();
    reader.number("neighbours", "a whole number", &mut spec.neighbours);
    reader.number("score_threshold", "a number", &mut spec.score_threshold);
    reader.number("confidence", "a number such as 0.95", &mut spec.confidence);
    reader.number("min_group_size", "a whole number", &mut spec.min_group_size);
    reader.number("seed", "a whole number", &mut spec.seed);
    let mut depth = 0;
    if reader.number("intersection_depth", "a whole number", &mut depth) {
        spec.intersection_depth = Some(depth);
    }
    for attribute in &spec.protected {
        if let Some(group) = reader.text(&format!("reference.{attribute}")) {
            spec.reference_groups.insert(attribute.clone(), group);
        }
    }
    thresholds(&mut reader, task, &mut spec);
    let parameters = parameters(&mut reader, task, spec);
    let model_id = reader.text("model_id").and_then(|id| id.parse().ok());
    let (name, description) = (reader.text("name"), reader.text("description").unwrap_or_default());
    match dataset {
        Some(dataset_id) if reader.faults.is_empty() => {
            Ok(AnalysisCreate { name, description, dataset_id, model_id, parameters })
        }
        _ => {
            // What the form can't read hides nothing of what else is wrong.
            let more = parameters.faults().into_iter().map(|fault| {
                let made = Fault::new(fault.where_, fault.code, fault.message);
                match fault.hint {
                    Some(hint) => made.hint(hint),
                    None => made,
                }
            });
            Err(Problem::invalid(reader.faults.into_iter().chain(more).collect()))
        }
    }
}

/// The specification of the task. Fields that are filled in beforehand mean nothing to some tasks, and are left out; what
/// somebody chose and means nothing is told.
fn parameters(reader: &mut Reader<'_>, task: Task, spec: AnalysisSpec) -> TaskSpec {
    reader.misplaced(task, &spec);
    let groups = Grouping::from(&spec);
    let prediction = spec.prediction.clone().unwrap_or_default();
    match task {
        Task::Binary => spec.into(),
        Task::Regression => {
            let mut asked =
                RegressionSpec::new(spec.target.unwrap_or_default(), prediction, groups);
            if reader.text("loss").is_some_and(|word| word == "absolute") {
                asked.loss = Loss::Absolute;
            }
            let mut bound = 0.0;
            if reader.number("loss_bound", "a number", &mut bound) {
                asked.loss_bound = Some(bound);
            }
            TaskSpec::Regression(asked)
        }
        Task::Multiclass => {
            let target = spec.target.unwrap_or_default();
            TaskSpec::Multiclass(MulticlassSpec::new(target, prediction, groups))
        }
        Task::Ranking => {
            let position = reader.text("position");
            let mut asked = RankingSpec {
                list: reader.text("list"),
                // The score is filled in beforehand: a position that somebody chose goes before it.
                score: spec.score.filter(|_| position.is_none()),
                position,
                top: 10,
                groups,
            };
            reader.number("top", "a whole number", &mut asked.top);
            TaskSpec::Ranking(asked)
        }
    }
}

/// Two numbers of the form stand for the thresholds of all differences and of all ratios; those
/// that are the engine's own are left to it.
fn thresholds(reader: &mut Reader<'_>, task: Task, spec: &mut AnalysisSpec) {
    let mut difference = disparities::DIFFERENCE_THRESHOLD;
    let mut ratio = disparities::RATIO_THRESHOLD;
    reader.number("difference_threshold", "a number such as 0.1", &mut difference);
    reader.number("ratio_threshold", "a number such as 0.2", &mut ratio);
    if task != Task::Binary {
        for (id, default, is_ratio) in catalogue::judged(task) {
            let wanted = if is_ratio { ratio } else { difference };
            if wanted != default {
                spec.thresholds.insert(id, wanted);
            }
        }
        return;
    }
    for disparity in disparities::registry() {
        let Some(default) = disparity.default_threshold else { continue };
        let wanted = if disparity.ideal == 1.0 { ratio } else { difference };
        if wanted != default {
            spec.thresholds.insert(disparity.id.clone(), wanted);
        }
    }
    if spec.flipped.is_some() {
        let wanted = flips::judged().filter(|(_, default)| difference != *default);
        spec.thresholds.extend(wanted.map(|(id, _)| (id, difference)));
    }
}

struct Reader<'a> {
    form: &'a Sent,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        sent(self.form, name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Reads a number if there is one; says whether there was.
    fn number<T: std::str::FromStr>(
        &mut self,
        name: &'static str,
        what: &str,
        into: &mut T,
    ) -> bool {
        let Some(text) = self.text(name) else { return false };
        match text.parse() {
            Ok(number) => *into = number,
            Err(_) => self.faults.push(Fault::new(
                format!("/{name}"),
                "type",
                format!("`{}` is not {what}.", text.chars().take(40).collect::<String>()),
            )),
        }
        true
    }

    fn task(&mut self) -> Task {
        let Some(word) = self.text("task") else { return Task::Binary };
        Task::named(&word).unwrap_or_else(|| {
            self.faults.push(Fault::new("/task", "vocabulary", "There is no such task."));
            Task::Binary
        })
    }

    /// What the report of the data alone is asked, if it is ticked.
    fn data(&mut self) -> Option<DataSpec> {
        let (features, shares) = (self.all("data_features"), self.text("data_population"));
        if sent(self.form, "data_report").is_none() {
            for (name, is_given) in
                [("data_features", !features.is_empty()), ("data_population", shares.is_some())]
            {
                if is_given {
                    let message = "It goes with the report of the data alone, which is not ticked.";
                    self.faults.push(Fault::new(format!("/{name}"), "misplaced", message));
                }
            }
            return None;
        }
        let read = shares.map_or_else(|| Ok(Population::new()), |text| population::read(&text));
        let population = read.unwrap_or_else(|message| {
            self.faults.push(Fault::new("/data_population", "type", message));
            Population::new()
        });
        Some(DataSpec { features, population })
    }

    /// The reports of the law that are ticked.
    fn law(&mut self) -> Option<LawSpec> {
        let rules = [("law_ll144", Rule::Ll144), ("law_eeoc", Rule::Eeoc)];
        let ticked: Vec<Rule> = rules
            .into_iter()
            .filter(|(name, _)| sent(self.form, name).is_some())
            .map(|(_, rule)| rule)
            .collect();
        if ticked.is_empty() {
            for name in ["law_unknown", "law_exclude_below", "law_exclude_reason"] {
                if self.text(name).is_some() {
                    let message = "It goes with a report of the law, and none is ticked.";
                    self.faults.push(Fault::new(format!("/{name}"), "misplaced", message));
                }
            }
            return None;
        }
        let mut law = LawSpec::new(ticked);
        let mut share = 0.0;
        if self.number("law_exclude_below", "a number such as 0.02", &mut share) {
            law.exclude_below = Some(share);
        }
        law.exclude_reason = self.text("law_exclude_reason");
        let unknown = self.text("law_unknown").unwrap_or_default();
        let values = unknown.split(',').map(str::trim).filter(|value| !value.is_empty());
        law.unknown = values.map(str::to_owned).collect();
        Some(law)
    }

    /// What somebody chose and the task has no use for.
    fn misplaced(&mut self, task: Task, spec: &AnalysisSpec) {
        const BINARY: &[Task] = &[Task::Binary];
        const WEIGHED: &[Task] = &[Task::Binary, Task::Regression, Task::Multiclass];
        let given: [(&str, bool, &[Task]); 10] = [
            ("strata", spec.strata.is_some(), BINARY),
            ("features", !spec.features.is_empty(), BINARY),
            ("flipped", spec.flipped.is_some(), BINARY),
            ("data_report", spec.data.is_some(), BINARY),
            ("law_ll144", spec.law.is_some(), BINARY),
            ("analysis_type", spec.analysis_type != AnalysisType::Comprehensive, BINARY),
            ("weight", spec.weight.is_some(), WEIGHED),
            ("loss_bound", self.text("loss_bound").is_some(), &[Task::Regression]),
            ("list", self.text("list").is_some(), &[Task::Ranking]),
            ("position", self.text("position").is_some(), &[Task::Ranking]),
        ];
        for (name, _, tasks) in
            given.into_iter().filter(|(_, given, tasks)| *given && !tasks.contains(&task))
        {
            let words: Vec<&str> = tasks.iter().map(|task| task.as_str()).collect();
            let message = format!(
                "It goes with the task {}, and means nothing to {}.",
                words.join(" or "),
                task.as_str()
            );
            self.faults
                .push(Fault::new(format!("/{name}"), "misplaced", message).hint("Leave it empty."));
        }
    }

    fn analysis_type(&mut self) -> Option<AnalysisType> {
        let word = self.text("analysis_type")?;
        let known = KINDS.iter().find(|(kind, ..)| kind.as_str() == word);
        if known.is_none() {
            self.faults.push(Fault::new(
                "/analysis_type",
                "vocabulary",
                "There is no such kind of analysis.",
            ));
        }
        known.map(|(kind, ..)| *kind)
    }
}

/// The kinds of analysis that the engine has, and what each looks for.
pub(super) const KINDS: [(AnalysisType, &str); 4] = [
    (AnalysisType::Comprehensive, "Comprehensive: everything the columns allow"),
    (AnalysisType::DemographicParity, "Demographic parity: selected equally often"),
    (AnalysisType::EqualizedOdds, "Equalized odds: equally right about each group"),
    (AnalysisType::IndividualFairness, "Individual fairness: similar people treated alike"),
];

/// What models predict.
pub(crate) const TASKS: [(Task, &str); 4] = [
    (Task::Binary, "Yes or no"),
    (Task::Regression, "Numbers"),
    (Task::Multiclass, "One class of several"),
    (Task::Ranking, "The order of lists"),
];

/// The same problem with each fault pointing at the field of the form that it is about.
pub(super) fn as_fields(problem: &Problem) -> Problem {
    let faults = problem
        .faults
        .iter()
        .map(|fault| {
            let place = fault.pointer.strip_prefix("/parameters").unwrap_or(&fault.pointer);
            let pointer = match place.strip_prefix("/thresholds/") {
                Some(id) if is_ratio(id) => "/ratio_threshold".to_owned(),
                Some(_) => "/difference_threshold".to_owned(),
                None => match place {
                    place if place.starts_with("/reference_groups") => "/protected".to_owned(),
                    "/data" => "/data_report".to_owned(),
                    place if place.starts_with("/data/features") => "/data_features".to_owned(),
                    place if place.starts_with("/data/population") => "/data_population".to_owned(),
                    place if place.starts_with("/law/rules") => "/law_ll144".to_owned(),
                    place if place.starts_with("/law/") => place.replacen("/law/", "/law_", 1),
                    "/dataset_id" => "/dataset".to_owned(),
                    place => place.to_owned(),
                },
            };
            Fault { pointer: Cow::Owned(pointer), ..fault.clone() }
        })
        .collect();
    Problem { faults, ..problem.clone() }
}

fn is_ratio(id: &str) -> bool {
    disparities::find(id).map_or_else(|| id.ends_with("_ratio"), |disparity| disparity.ideal == 1.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Sent {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const DATASET: (&str, &str) = ("dataset_id", "01930b2e-7c1a-7def-8000-1b2c3d4e5f60");

    #[test]
    fn a_form_becomes_a_specification() {
        let create = analysis(&form(&[
            DATASET,
            ("target", "y_true"),
            ("prediction", ""),
            ("score", "score"),
            ("protected", "sex"),
            ("protected", "race"),
            ("reference.sex", "Male"),
            ("reference.race", ""),
            ("strata", "job"),
            ("confidence", "0.9"),
            ("difference_threshold", "0.05"),
            ("ratio_threshold", "0.2"),
        ]))
        .unwrap();
        let TaskSpec::Binary(spec) = create.parameters else { panic!("a task of its own") };
        assert_eq!(spec.protected, ["sex", "race"]);
        assert_eq!((spec.prediction, spec.strata.as_deref()), (None, Some("job")));
        assert_eq!(spec.reference_groups.len(), 1);
        assert_eq!(spec.confidence, 0.9);
        assert_eq!(spec.thresholds.get("demographic_parity_difference"), Some(&0.05));
        assert!(spec.thresholds.keys().all(|id| !is_ratio(id)), "the engine's own are left to it");
    }

    #[test]
    fn a_form_becomes_a_specification_of_its_task() {
        let asked = |pairs: &[(&str, &str)]| {
            let mut all = vec![
                DATASET,
                ("target", "y"),
                ("prediction", "p"),
                ("score", "s"),
                ("protected", "sex"),
                ("difference_threshold", "0.05"),
                ("ratio_threshold", "0.2"),
            ];
            all.extend_from_slice(pairs);
            analysis(&form(&all))
        };
        let spec =
            asked(&[("task", "regression"), ("loss", "absolute"), ("loss_bound", "3")]).unwrap();
        let TaskSpec::Regression(spec) = spec.parameters else { panic!("another task") };
        assert_eq!((spec.loss, spec.loss_bound), (Loss::Absolute, Some(3.0)));
        assert_eq!(spec.groups.thresholds.get("prediction_distance"), Some(&0.05));
        let spec = asked(&[("task", "multiclass")]).unwrap().parameters;
        assert_eq!(spec.task(), Task::Multiclass);
        let spec = asked(&[("task", "ranking"), ("position", "at"), ("top", "3")]).unwrap();
        let TaskSpec::Ranking(spec) = spec.parameters else { panic!("another task") };
        assert_eq!((spec.position.as_deref(), spec.score, spec.top), (Some("at"), None, 3));
        let spec = asked(&[("law_ll144", "true"), ("law_unknown", "n/a, ?")]).unwrap();
        let TaskSpec::Binary(spec) = spec.parameters else { panic!("another task") };
        assert_eq!((&spec.data, &spec.flipped), (&None, &None));
        let law = spec.law.unwrap();
        assert_eq!((law.rules.as_slice(), law.unknown.len()), (&[Rule::Ll144][..], 2));

        let spec = asked(&[
            ("flipped", "q"),
            ("data_report", "true"),
            ("data_features", "postcode"),
            ("data_features", "height"),
            ("data_population", "sex=f:0.5,m:0.5"),
        ])
        .unwrap();
        let TaskSpec::Binary(spec) = spec.parameters else { panic!("another task") };
        assert_eq!(spec.flipped.as_deref(), Some("q"));
        assert_eq!(spec.thresholds.get("greatest_flip_rate"), Some(&0.05));
        let data = spec.data.unwrap();
        assert_eq!(data.features, ["postcode", "height"]);
        assert_eq!(data.population["sex"]["m"], 0.5);

        let problem = asked(&[
            ("task", "ranking"),
            ("flipped", "q"),
            ("data_population", "sex=f:1"),
            ("strata", "job"),
            ("weight", "w"),
            ("features", "a"),
            ("law_exclude_below", "0.01"),
            ("loss_bound", "x"),
        ])
        .unwrap_err();
        let pointers: Vec<&str> = problem.faults.iter().map(|fault| &*fault.pointer).collect();
        for wanted in [
            "/strata",
            "/weight",
            "/features",
            "/flipped",
            "/data_population",
            "/law_exclude_below",
            "/loss_bound",
        ] {
            assert!(pointers.contains(&wanted), "{wanted} is not in {pointers:?}");
        }
        assert!(asked(&[("task", "poetry")]).is_err());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let problem = analysis(&form(&[
            DATASET,
            ("target", ""),
            ("confidence", "many"),
            ("min_group_size", "-3"),
        ]))
        .unwrap_err();
        let pointers: Vec<&str> = problem.faults.iter().map(|fault| &*fault.pointer).collect();
        for wanted in ["/confidence", "/min_group_size", "/target", "/protected"] {
            assert!(pointers.contains(&wanted), "{wanted} is not in {pointers:?}");
        }
    }

    #[test]
    fn faults_of_the_specification_point_at_fields_of_the_form() {
        let problem = Problem::invalid(vec![
            Fault::new("/parameters/target", "unknown_column", "no such column"),
            Fault::new(
                "/parameters/thresholds/demographic_parity_ratio",
                "out_of_range",
                "too big",
            ),
            Fault::new("/parameters/reference_groups/sex", "unknown_group", "no such group"),
        ]);
        let pointers: Vec<String> =
            as_fields(&problem).faults.iter().map(|fault| fault.pointer.to_string()).collect();
        assert_eq!(pointers, ["/target", "/ratio_threshold", "/protected"]);
    }
}
