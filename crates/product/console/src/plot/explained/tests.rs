//! Whatever a summary holds, its drawings are XML, hold nothing that is not a number, and fetch nothing.

use std::collections::BTreeSet;

use ephor_explain::{
    Explanation, Link, Rows,
    effects::{Accumulated, Pair, Partial},
    groups::{Difference, Tested},
    permutation::{Importances, Metric},
    summary::{
        About, Curves, Digest, Importance, Method, Near, Settings, Summary, Surface, Unit, Weight,
    },
};

use super::*;

/// Names that want to be markup, turn the reading, or do not fit.
const HOSTILE: [&str; 5] = [
    "</title><script>alert(1)</script>",
    "a & b \" ' ]]> <!--",
    "control\u{0}\u{8}\u{1b}letters\u{202e}turned\u{ffff}",
    "a_name_that_is_much_longer_than_any_room_that_there_is_for_it",
    "\u{6027}\u{5225}",
];

/// Numbers without chance.
fn number(at: usize) -> f64 {
    (((at * 7_919) % 1_009) as f64) / 1_009.0
}

/// Rows of so many features, whose values are about the features' own, each feature less than the one before.
fn made_up(rows: usize, features: usize) -> (Rows, Explanation) {
    let x: Vec<f64> =
        (0..rows * features).map(|at| if at % 37 == 5 { f64::NAN } else { number(at) }).collect();
    let values = x.iter().enumerate().map(|(at, x)| {
        let size = 1.0 / (at % features + 1) as f64;
        if x.is_nan() { 0.0 } else { size * (x - 0.5) }
    });
    let values = values.collect();
    (Rows::new(x, features), Explanation { base: vec![-1.2], values, features })
}

fn named(names: &[String]) -> Summary {
    let about =
        About { format: None, trees: 0, link: Some(Link::Logistic { scale: 1.0 }), outputs: 1 };
    Summary::new(Method::Shap, about, 0, Unit::Margin, names)
}

fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|at| {
            HOSTILE.get(at).map_or_else(|| format!("feature {at}"), |name| (*name).to_owned())
        })
        .collect()
}

/// All that can be drawn, of so many features with hostile names.
pub(crate) fn whole(features: usize) -> Summary {
    sample(&names(features), &HOSTILE[..3])
}

/// All that can be drawn, of these features and groups.
pub(crate) fn sample(names: &[String], groups: &[&str]) -> Summary {
    let features = names.len();
    let reference = groups[0].to_owned();
    let (rows, explanation) = made_up(60, features);
    let mut digest =
        Digest::new(named(names), &Settings::default()).by_group(Some("group".to_owned()));
    let groups: Vec<Option<String>> =
        (0..60).map(|row| Some(groups[row % groups.len()].to_owned())).collect();
    digest.add_grouped(&rows, &explanation, &groups).unwrap();
    let mut summary = digest.finish();
    // Pairs of the same features, in a digest of their own.
    let square = features * features;
    let pairs = Explanation {
        base: vec![0.0],
        values: (0..60 * square).map(number).collect(),
        features: square,
    };
    let mut digest = Digest::new(named(names), &Settings::default());
    digest.add_pairs(&rows, &pairs).unwrap();
    summary.interactions = digest.finish().interactions;
    let tested = Tested { difference: 0.1, low: 0.0, high: 0.2, p: 0.001, adjusted: 0.01 };
    if let Some(groups) = &mut summary.groups {
        groups.reference = Some(reference);
        groups.groups[1].differences =
            Some(vec![Difference { size: tested, value: tested }; features]);
    }
    let lost = |feature: usize| ephor_explain::permutation::Importance {
        mean: 0.1 / (feature + 1) as f64 - 0.01,
        deviation: 0.01,
        repeats: vec![0.1 / (feature + 1) as f64, -0.02],
    };
    let found = Importances { baseline: 0.8, features: (0..features).map(lost).collect() };
    summary.importance = Some(Importance::of(Metric::Accuracy, &found));
    let partial = Partial {
        grid: vec![0.0, 0.5, 1.0],
        average: vec![0.1, 0.4, 0.2],
        curves: vec![vec![0.0, 0.3, 0.1], vec![0.2, 0.5, 0.3]],
    };
    let ale = Accumulated { grid: vec![1.0, 2.0], effect: vec![-0.1, 0.1], rows: vec![30, 30] };
    summary.curves = vec![
        Curves::partial(0, false, false, &partial),
        Curves::partial(0, true, false, &Partial { curves: Vec::new(), ..partial }),
        Curves::accumulated(0, true, &ale),
    ];
    let pair = Pair {
        grids: [vec![0.0, 1.0], vec![0.0, 1.0, 2.0]],
        average: vec![vec![0.1, 0.2, 0.3], vec![0.3, 0.2, 0.1]],
    };
    summary.surface = Some(Surface::of([0, features - 1], &pair));
    summary.near = vec![Near {
        row: 3,
        prediction: 0.4,
        local: 0.35,
        intercept: 0.2,
        r2: None,
        weights: (0..features.min(20))
            .map(|feature| Weight {
                feature,
                above: Some(1.0),
                at_most: None,
                category: None,
                weight: number(feature) - 0.5,
                error: Some(0.05),
            })
            .collect(),
    }];
    summary
}

/// Is it XML, with one root, of which nothing runs or is fetched? The classes that it uses.
fn classes(svg: &str) -> BTreeSet<String> {
    use quick_xml::{Reader, events::Event};
    let mut reader = Reader::from_str(svg);
    let (mut depth, mut found) = (0, BTreeSet::new());
    let known = [
        "svg", "title", "desc", "style", "g", "text", "line", "rect", "path", "circle", "polygon",
        "polyline",
    ];
    loop {
        let event = reader.read_event().unwrap();
        if let Event::Start(element) | Event::Empty(element) = &event {
            let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
            assert!(known.contains(&name.as_str()), "{name}");
            for attribute in element.attributes() {
                let attribute = attribute.unwrap();
                let value = String::from_utf8(attribute.value.to_vec()).unwrap();
                match attribute.key.as_ref() {
                    b"class" => found.extend(value.split(' ').map(ToOwned::to_owned)),
                    b"style" | b"href" | b"onload" => panic!("{value}"),
                    _ => {}
                }
            }
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    for wrong in ["NaN", "inf", "<script", "\u{0}", "\u{202e}", "\u{ffff}"] {
        assert!(!svg.contains(wrong), "`{wrong}` in {svg}");
    }
    found.remove("drawn");
    found.remove("");
    found
}

#[test]
fn every_drawing_is_xml_however_features_are_called() {
    let sheet = crate::assets::inline_stylesheet();
    for features in [1, 2, 5, 33] {
        let all = drawings(&whole(features));
        let kinds: BTreeSet<&str> =
            all.iter().filter_map(|drawing| drawing.name.split('-').next()).collect();
        let expected = [
            "beeswarm",
            "dependence",
            "effect",
            "groups",
            "importance",
            "near",
            "permutation",
            "surface",
            "waterfall",
        ];
        assert!(expected.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
        assert_eq!(kinds.contains("interactions"), features > 1, "a pair takes two");
        let ids: BTreeSet<&str> = all.iter().map(|drawing| drawing.name.as_str()).collect();
        assert_eq!(ids.len(), all.len(), "names are of one drawing each");
        for drawing in &all {
            let (inline, alone) = (drawing.to_string(), drawing.standalone());
            let used = classes(&inline);
            classes(&alone);
            for class in used {
                let rule = |sheet: &str| {
                    sheet.contains(&format!(".{class}{{"))
                        || sheet.contains(&format!(".{class} {{"))
                        || sheet.contains(&format!(".{class},"))
                };
                assert!(rule(&sheet), "the stylesheet has no `{class}`");
                assert!(rule(&alone), "a file of its own has no `{class}`");
            }
            assert!(alone.starts_with("<?xml") && alone.contains("xmlns="));
            assert!(!drawing.description.is_empty() && !drawing.reading.is_empty());
            assert!(inline.contains(&format!("id=\"drawn-{}-desc\"", drawing.name)));
            assert_eq!(super::drawing(&whole(features), &drawing.name).as_ref(), Some(drawing));
        }
    }
}

#[test]
fn what_is_beyond_twenty_features_is_summed() {
    let summary = whole(33);
    let svg = drawing(&summary, "importance").unwrap().to_string();
    assert!(svg.contains("and 13 others"), "{svg}");
    let svg = drawing(&summary, "waterfall-2").unwrap().to_string();
    assert!(svg.contains("and 13 others"), "{svg}");
    assert_eq!(svg.matches("<polygon").count(), 21);
    let beeswarm = drawing(&summary, "beeswarm").unwrap();
    assert!(beeswarm.reading.contains("13 features that count less"), "{}", beeswarm.reading);
}

#[test]
fn a_long_name_is_cut_and_told_in_full() {
    let svg = drawing(&whole(5), "importance").unwrap().to_string();
    assert!(svg.contains(&format!("<title>{}</title>", HOSTILE[3])));
    assert!(svg.contains("a_name_that_is_m…") || svg.contains("a_name_that_is_…"), "{svg}");
}

#[test]
fn nothing_is_drawn_of_nothing() {
    assert!(drawings(&named(&[])).is_empty());
    assert!(drawings(&named(&names(3))).is_empty());
    assert!(drawings(&Digest::new(named(&names(3)), &Settings::default()).finish()).is_empty());
    for name in ["", "waterfall-", "waterfall-99", "dependence-99", "../x"] {
        assert!(drawing(&whole(3), name).is_none());
    }
}

#[test]
fn what_is_always_the_same_is_drawn_too() {
    for (own, value) in [(0.0, 0.0), (5.0, 0.25), (f64::NAN, 0.0), (1e300, -1e-300), (3.0, 1e300)] {
        let rows = Rows::new(vec![own; 40], 2);
        let explanation = Explanation { base: vec![value], values: vec![value; 40], features: 2 };
        let mut digest = Digest::new(named(&names(2)), &Settings::default());
        digest.add(&rows, &explanation).unwrap();
        let all = drawings(&digest.finish());
        assert!(all.len() >= 12, "{own} {value}");
        for drawing in all {
            classes(&drawing.to_string());
        }
    }
}

#[test]
fn a_waterfall_says_what_is_predicted() {
    let drawing = drawing(&whole(2), "waterfall-0").unwrap();
    assert!(drawing.reading.contains("is a prediction of 0."), "{}", drawing.reading);
    let svg = drawing.to_string();
    assert!(svg.contains(">margin<") && svg.contains(">base<"));
}

#[test]
fn figures_carry_their_words() {
    let drawing = drawing(&whole(2), "importance").unwrap();
    let html = Figure(&drawing).to_string();
    assert!(html.contains("<figcaption>") && html.contains(&drawing.reading));
    assert!(html.contains("<svg class=\"drawn\""));
}

#[test]
fn a_picture_is_as_large_as_its_file_says() {
    let summary = whole(5);
    // Hostile names are on all of them.
    for name in ["importance", "beeswarm", "waterfall-2"] {
        let drawing = drawing(&summary, name).unwrap();
        let picture = drawing.png().unwrap();
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
        let side = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        assert_eq!(side(16), 1_920, "{name}");
        let file = drawing.standalone();
        let tall = file.split(" height=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(side(20), 2 * tall.parse::<u32>().unwrap(), "{name}");
        // There is more on it than its title.
        let blank = Drawing { body: String::new(), ..drawing.clone() }.png().unwrap();
        assert!(picture.len() > blank.len(), "{name}");
    }
}
