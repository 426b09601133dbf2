//! The law of the fuzz target, on its corpus and on damaged files of it.

use std::{fs, path::Path};

use ephor_explain::{Format, Model, Rows, read};
use proptest::prelude::*;

use crate::{
    enumerated::{game, shapley},
    support::{assert_near, interventional, path_dependent},
};

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/models.rs"]
mod targets;

#[test]
fn the_corpus_keeps_the_law() {
    corpus::corpus("model", targets::model);
}

/// All files of the corpus.
fn files() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/model");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// XGBoost's and LightGBM's of all kinds, DART and several classes too: eleven features, 2 048 coalitions.
#[test]
fn forests_of_the_corpus_have_the_values_of_all_coalitions() {
    let mut seen = 0;
    for content in files() {
        let Ok((Format::XgboostJson | Format::LightgbmText, Model::Forest(forest))) =
            read(&content)
        else {
            continue;
        };
        let width = forest.features.len();
        seen += 1;
        let value = |at: usize| match at % 11 {
            7 => f64::NAN,
            of => ((at * 7919) % [60, 16, 6_000, 3, 50, 8, 6, 14, 5, 5, 2][of]) as f64,
        };
        let rows = |from: usize, count: usize| {
            Rows::new((from * width..(from + count) * width).map(value).collect(), width)
        };
        let (rows, background) = (rows(0, 2), rows(5, 3));
        let (found, ways) =
            (interventional(&forest, &rows, &background), path_dependent(&forest, &rows));
        for (index, row) in rows.iter().enumerate() {
            for output in 0..forest.outputs() {
                let expected = shapley(width, |known| {
                    let margin = |other: &[f64]| {
                        let value =
                            |at: usize| if known >> at & 1 == 1 { row[at] } else { other[at] };
                        forest.margin(&(0..width).map(value).collect::<Vec<_>>())[output]
                    };
                    background.iter().map(margin).sum::<f64>() / background.len() as f64
                });
                assert_near(found.row(index, output), &expected, 1e-9);
                let expected = shapley(width, game(&forest, row, output));
                assert_near(ways.row(index, output), &expected, 1e-9);
            }
        }
    }
    assert!(seen >= 10, "{seen}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn damaged_files_keep_the_law(
        file in prop::sample::select(files()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut content = file;
        for (at, byte) in damage {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        targets::model(&content);
    }

    #[test]
    fn bytes_keep_the_law(head in prop::sample::select(vec![&b"{L"[..], b"{\"kind\":", b"tree\n", b"\x08\x01", b""]), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        targets::model(&[head, &bytes[..]].concat());
    }
}
