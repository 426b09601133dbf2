//! Files that are not what they say, and rows that do not fit.

use ephor_explain::{CancellationToken, ExplainError, Model, Rows, read, shap};
use proptest::prelude::*;

use crate::support::{bytes, forest, forest_of};

#[test]
fn what_is_no_model_is_refused_with_its_place() {
    for (content, words) in [
        (&b""[..], "no model"),
        (b"PK\x03\x04", "no model"),
        (b"{", "no JSON"),
        (b"{\"learner\": {}}", "/learner/learner_model_param"),
        (b"{\"a\": 1}", "/learner: it is missing"),
        (b"tree\nversion=v4\n", "`feature_names` is missing"),
        (b"tree\n\xff", "no UTF-8"),
        (b"\x80\x04\x95", "a pickle, which can run code"),
        (b"{U\x01aZ}", "/learner: it is missing"),
        (b"\x08\x08\x3a", "no ONNX"),
        (b"\x08\x08", "no graph"),
        (b"\x08\x08\x3a\x00", "no output of numbers"),
        (b"{\"kind\": \"SVC\"}", "the kind `SVC` cannot be read"),
        (b"{\"kind\": \"linear\"}", "/coef: a list is missing"),
        (b"{\"kind\": \"linear\", \"coef\": [[1, 2], [3]]}", "not of one length"),
        (
            b"{\"kind\": \"linear\", \"coef\": [1], \"intercept\": [1, 2]}",
            "2 numbers are given for 1",
        ),
        (
            b"{\"kind\": \"linear\", \"coef\": [1], \"features\": [\"a\", \"b\"]}",
            "2 names are given",
        ),
        (
            b"{\"kind\": \"logistic\", \"coef\": [1], \"classes\": [0, 1, 2]}",
            "do not fit the classes",
        ),
        (b"{\"kind\": \"DecisionTreeRegressor\", \"trees\": []}", "there are none"),
    ] {
        let fault = read(content).unwrap_err().to_string();
        assert!(fault.contains(words), "{fault}");
    }
}

/// Text knows numbers that are none.
#[test]
fn lightgbm_asks_and_adds_numbers() {
    let text = String::from_utf8(bytes("origins", "lgb_rf_number.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("threshold=")).unwrap();
    let first = line.split(' ').next().unwrap();
    for (from, to, words) in [
        (first, "threshold=nan", "tree 0: node 0 has no threshold"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=60000", "is none of 60000 outputs"),
    ] {
        assert!(text.contains(from), "{from}");
        let fault = read(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(fault.contains(words), "{fault}");
    }
    assert!(read(text.as_bytes()).is_ok());
}

/// A few bytes are not a million parts.
#[test]
fn onnx_of_empty_parts_is_refused() {
    let empty = [0x0a, 0x00].repeat(1 << 21);
    let length: Vec<u8> = [
        0x80 | (empty.len() & 0x7f),
        0x80 | (empty.len() >> 7 & 0x7f),
        0x80 | (empty.len() >> 14 & 0x7f),
        empty.len() >> 21,
    ]
    .map(|byte| byte as u8)
    .to_vec();
    let content = [&[0x08, 0x08, 0x3a][..], &length, &empty].concat();
    let fault = read(&content).unwrap_err().to_string();
    assert!(fault.contains("a model has fewer"), "{fault}");
}

/// A few bytes are not a hundred of memory, neither in JSON nor in UBJSON.
#[test]
fn objects_without_end_are_refused() {
    let json = [&b"{\"a\": ["[..], &b"{\"\":0},".repeat(1 << 21), b"0]}"].concat();
    let empty = [&b"{U\x01a["[..], &b"{}".repeat(6 << 20), b"]}"].concat();
    let named = [&b"{U\x01a["[..], &b"{U\0U\0}".repeat(1 << 21), b"]}"].concat();
    let lists = [&b"{U\x01a["[..], &b"[U\0]".repeat(3 << 20), b"]}"].concat();
    for content in [json, empty, named, lists] {
        let fault = read(&content).unwrap_err().to_string();
        assert!(fault.contains("MiB of memory, which no model"), "{fault}");
    }
    // Numbers take as much as they should: these are read, and are no model.
    let numbers = [&b"{\"a\": ["[..], &b"0,".repeat(6 << 20), b"0]}"].concat();
    let fault = read(&numbers).unwrap_err().to_string();
    assert!(fault.contains("/learner: it is missing"), "{fault}");
}

#[test]
fn what_changes_a_model_s_sums_is_refused() {
    let scaled = bytes("small", "scaled_logistic.onnx");
    let other = |from: &[u8], to: &[u8]| {
        let at = scaled.windows(from.len()).position(|part| part == from).unwrap();
        let mut content = scaled.clone();
        content[at..at + to.len()].copy_from_slice(to);
        read(&content).unwrap_err().to_string()
    };
    let fault = other(b"\"\x06Scaler", b"\"\x06Binary");
    assert!(fault.contains("(Binary): it changes what the model sees"), "{fault}");
    let fault = other(b"LOGISTIC", b"SQUAREDD");
    assert!(fault.contains("`SQUAREDD` of 2 sums"), "{fault}");
}

#[test]
fn rows_of_another_width_are_refused() {
    let forest = forest("xgb_binary", "model.json");
    let rows = Rows::new(vec![1.0; 10], 10);
    let refused = shap::path_dependent(&forest, &rows, &(), &CancellationToken::new());
    assert!(matches!(refused, Err(ExplainError::Width { expected: 11, found: 10 })));
    let none = Rows::new(Vec::new(), 11);
    let fits = Rows::new(vec![1.0; 11], 11);
    let refused = shap::interventional(&forest, &fits, &none, &(), &CancellationToken::new());
    assert!(matches!(refused, Err(ExplainError::NoBackground)));
}

#[test]
fn a_file_says_how_training_rows_went_or_not() {
    assert!(forest("xgb_binary", "model.json").has_covers());
    for (name, expected) in [
        ("boosted_two.json", true),
        ("boosted_two.onnx", false),
        ("logistic_two.json", false),
        ("logistic_two.onnx", false),
    ] {
        let (_, model) = read(&bytes("small", name)).unwrap();
        assert_eq!(model.has_covers(), expected, "{name}");
    }
}

#[test]
fn it_can_be_cancelled() {
    let forest = forest("xgb_binary", "model.json");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let rows = Rows::new(vec![1.0; 11 * 100], 11);
    let stopped = shap::path_dependent(&forest, &rows, &(), &cancel);
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
}

#[test]
fn a_few_digits_make_no_room_and_no_overflow() {
    let text = String::from_utf8(bytes("lgb_binary_cat", "model.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("left_child=")).unwrap();
    let rest = line.split_once(' ').unwrap().1;
    let hostile = text.replacen(line, &format!("left_child={} {rest}", i64::MIN), 1);
    let fault = read(hostile.as_bytes()).unwrap_err().to_string();
    assert!(fault.contains("tree 0: there is no node"), "{fault}");

    // A tree of nodes, each of which asks for a category of eight digits.
    let count: usize = 1_001;
    let inner = count / 2;
    let list =
        |value: &dyn Fn(usize) -> String| (0..count).map(value).collect::<Vec<_>>().join(",");
    let nodes =
        |value: &dyn Fn(usize) -> String| (0..inner).map(value).collect::<Vec<_>>().join(",");
    let child = |node: usize, of: usize| {
        if node < inner { (2 * node + of).to_string() } else { "-1".to_owned() }
    };
    let tree = format!(
        r#"{{"left_children":[{}],"right_children":[{}],"split_indices":[{zeros}],"default_left":[{zeros}],
        "split_conditions":[{zeros}],"sum_hessian":[{ones}],"split_type":[{}],"categories_nodes":[{}],
        "categories_segments":[{}],"categories_sizes":[{}],"categories":[16777215]}}"#,
        list(&|node| child(node, 1)),
        list(&|node| child(node, 2)),
        list(&|node| u8::from(node < inner).to_string()),
        nodes(&|node| node.to_string()),
        nodes(&|_| "0".to_owned()),
        nodes(&|_| "1".to_owned()),
        zeros = list(&|_| "0".to_owned()),
        ones = list(&|_| "1".to_owned()),
    );
    let model = format!(
        r#"{{"learner":{{"learner_model_param":{{"num_feature":"1","num_class":"0","base_score":"5E-1"}},
        "objective":{{"name":"binary:logistic"}},"gradient_booster":{{"name":"gbtree",
        "model":{{"tree_info":[0],"trees":[{tree}]}}}}}}}}"#
    );
    let fault = read(model.as_bytes()).unwrap_err().to_string();
    assert!(fault.contains("more than 128 MiB"), "{fault}");
    assert!(read(model.replace("16777215", "63").as_bytes()).is_ok());
}

/// A chain of so many nodes, each with a leaf beside it.
fn chain(length: usize) -> String {
    let lines = |value: &dyn Fn(usize) -> String, count: usize| {
        (0..count).map(value).collect::<Vec<_>>().join(" ")
    };
    let next = |node: usize| {
        if node + 1 < length { (node + 1).to_string() } else { format!("-{}", length + 1) }
    };
    format!(
        "tree\nfeature_names=a\nnum_tree_per_iteration=1\nobjective=regression\n\nTree=0\nnum_leaves={}\nnum_cat=0\n\
         split_feature={zeros}\nthreshold={zeros}\ndecision_type={zeros}\nleft_child={}\nright_child={}\n\
         internal_count={}\nleaf_value={leaves}\nleaf_count={leaves}\n\nend of trees\n",
        length + 1,
        lines(&|node| format!("-{}", node + 1), length),
        lines(&next, length),
        lines(&|_| "1".to_owned(), length),
        zeros = lines(&|_| "0".to_owned(), length),
        leaves = lines(&|_| "1".to_owned(), length + 1),
    )
}

#[test]
fn a_tree_without_end_is_refused() {
    let forest = forest_of(chain(4_096).as_bytes());
    assert_eq!(forest.margin(&[1.0]), [1.0]);
    let fault = read(chain(4_097).as_bytes()).unwrap_err().to_string();
    assert!(fault.contains("tree 0: it is deeper than 4096"), "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A file with damaged bytes is refused, or read as another model: it never breaks anything.
    #[test]
    fn damaged_files_do_no_harm(
        of_xgboost: bool, damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (folder, file) =
            if of_xgboost { ("xgb_binary", "model.json") } else { ("lgb_binary_cat", "model.txt") };
        let mut content = bytes(folder, file);
        for (place, byte) in damage {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        if let Ok((_, Model::Forest(forest))) = read(&content) {
            let width = forest.features.len().max(1);
            let rows = Rows::new([f64::NAN, 1.0, -1e300, f64::INFINITY].repeat(width), width);
            drop(shap::path_dependent(&forest, &rows, &(), &CancellationToken::new()));
            drop(shap::interventional(&forest, &rows, &rows, &(), &CancellationToken::new()));
        }
    }
}
