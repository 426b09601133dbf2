//! What the form sends, as the analysis that is asked for.

mod fields;
mod parameters;
mod reader;
mod reports;
mod thresholds;
mod words;

use ephor_assurance::analysis::AnalysisCreate;
use ephor_fairness::AnalysisSpec;
use ephor_kernel::{Fault, Problem};

pub(super) use fields::as_fields;
use parameters::parameters;
use reader::Reader;
use thresholds::thresholds;
pub(super) use words::KINDS;
pub(crate) use words::TASKS;

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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use ephor_fairness::{
        law::Rule,
        regression::Loss,
        task::{Task, TaskSpec},
    };

    use super::{fields::is_ratio, *};

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
}
