//! Graphs that only answer: as onnxruntime does, and whatever only asks a model explains them.

use ephor_explain::{
    CancellationToken, ExplainError, Format, Graph, Model, Rows, Scorer as _,
    counterfactual::{Goal, Settings as Sought, seek},
    kernel::{Settings as Kernel, explain},
    read,
};

use crate::{
    enumerated::shapley,
    support::{assert_near, bytes, first, flat, json},
};

const FOLDER: &str = "graphs";
const FEATURES: usize = 4;

fn graph(name: &str) -> Graph {
    let (format, model) = read(&bytes(FOLDER, &format!("{name}.onnx")))
        .unwrap_or_else(|fault| panic!("{name}: {fault}"));
    assert_eq!(format, Format::Onnx);
    let Model::Graph(graph) = model else { panic!("{name} is known from inside") };
    graph
}

fn rows() -> Rows {
    Rows::new(flat(&json(FOLDER, "expected.json")["rows"]), FEATURES)
}

#[test]
fn graphs_predict_what_onnxruntime_does() {
    let expected = json(FOLDER, "expected.json");
    let all = expected["predicted"].as_object().unwrap();
    assert!(all.len() >= 9);
    for (name, predicted) in all {
        let graph = graph(name);
        let given = if name == "imputed" { "rows_with_gaps" } else { "rows" };
        let rows = Rows::new(flat(&expected[given]), FEATURES);
        let found = Model::Graph(graph.clone()).score(&rows).unwrap();
        let expected = flat(predicted);
        assert_eq!(found.len(), graph.outputs() * rows.len(), "{name}");
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
            assert!(near, "{name}, value {place}: {found} is not {expected}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
    }
}

/// Batches are filled, and asked side by side: that changes no answer.
#[test]
fn a_row_s_answer_does_not_hang_on_the_others() {
    for name in ["layers", "one_row"] {
        let (graph, rows) = (graph(name), rows());
        let many: Vec<f64> = (0..300).flat_map(|at| rows.row(at % rows.len()).to_vec()).collect();
        let all = graph.predict(&Rows::new(many, FEATURES)).unwrap();
        assert_eq!(all.len(), 300);
        for (at, found) in all.iter().enumerate() {
            let row = Rows::new(rows.row(at % rows.len()).to_vec(), FEATURES);
            assert_near(found, &graph.predict(&row).unwrap()[0], 1e-6);
        }
        assert!(graph.predict(&Rows::new(Vec::new(), FEATURES)).unwrap().is_empty());
        let refused = graph.predict(&Rows::new(vec![1.0; 3], 3));
        assert!(matches!(refused, Err(ExplainError::Width { expected: 4, found: 3 })));
    }
}

#[test]
fn kernel_values_of_a_graph_are_those_of_all_coalitions() {
    let (graph, rows) = (graph("network_three"), rows());
    let model = Model::Graph(graph.clone());
    let (few, background) =
        (first(&rows, 2), Rows::new(rows.iter().skip(10).flatten().copied().collect(), FEATURES));
    let cancel = CancellationToken::new();
    let found = explain(&model, &few, &background, &Kernel::default(), &(), &cancel).unwrap();
    for (index, row) in few.iter().enumerate() {
        for output in 0..3 {
            let expected = shapley(FEATURES, |known| {
                let mixed: Vec<f64> = background
                    .iter()
                    .flat_map(|other| {
                        (0..FEATURES)
                            .map(move |at| if known >> at & 1 == 1 { row[at] } else { other[at] })
                    })
                    .collect();
                let all = graph.predict(&Rows::new(mixed, FEATURES)).unwrap();
                all.iter().map(|one| one[output]).sum::<f64>() / all.len() as f64
            });
            assert_near(found.explanation.row(index, output), &expected, 1e-6);
        }
    }
}

#[test]
fn a_graph_has_counterfactuals() {
    let (model, rows) = (Model::Graph(graph("network_two")), rows());
    let cancel = CancellationToken::new();
    let settings = Sought::new(Goal::Flip { output: 1, threshold: 0.5 });
    let found = seek(&model, &first(&rows, 3), &rows, &settings, &(), &cancel).unwrap();
    for sought in &found {
        let decided = sought.predicted[1] >= 0.5;
        assert!(!sought.found.is_empty());
        assert!(sought.found.iter().all(|one| (one.predicted[1] >= 0.5) != decided));
    }
}

/// What cannot be run, or would take any amount of memory or time, is refused before anything of it is computed.
#[test]
fn hostile_and_other_graphs_are_refused() {
    let expected = json(FOLDER, "expected.json");
    for (name, words) in expected["refused"].as_object().unwrap() {
        let Err(fault) = read(&bytes(FOLDER, &format!("{name}.onnx"))) else {
            panic!("{name} is read");
        };
        let (fault, words) = (fault.to_string(), words.as_str().unwrap());
        assert!(fault.contains(words), "{name}: {fault}");
    }
}

#[test]
fn a_graph_has_a_margin_and_other_names() {
    let (rows, model) = (rows(), Model::Graph(graph("network_two")));
    assert_near(&model.margin(rows.row(0)), &model.predict(&rows).unwrap()[0], 1e-6);
    assert!(model.margin(&[1.0]).iter().all(|value| value.is_nan()));
    let names: Vec<String> = ["a", "b", "c", "d"].map(ToOwned::to_owned).to_vec();
    let named = model.clone().named(names.clone()).unwrap();
    assert_eq!((named.features(), model.features()[0].as_str()), (&names[..], "f0"));
    assert_eq!((named.trees(), named == model, model == model.clone()), (0, false, true));
}
