//! The gate: what holds, what stops it, and what it writes.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, Status,
    gate::{
        Check, Compared, Day, FailOn, Gate, Policy, gate,
        junit::junit,
        markdown::markdown,
        read_baseline,
        sarif::{Place, sarif},
    },
};
use proptest::prelude::*;
use quick_xml::{Reader, events::Event};

use crate::{sarif_schema::Schema, support::run_batch};

/// Groups with the number selected, of so many rows; every other row is positive.
pub async fn selected(groups: &[(&str, usize, usize)]) -> AnalysisResult {
    let spec = AnalysisSpec { prediction: Some("p".to_owned()), ..AnalysisSpec::new("y", ["sex"]) };
    selected_with(groups, spec).await
}

/// The same by a spec; without a bootstrap.
pub async fn selected_with(groups: &[(&str, usize, usize)], spec: AnalysisSpec) -> AnalysisResult {
    let (mut labels, mut predictions, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (name, chosen, rows) in groups {
        for row in 0..*rows {
            labels.push((row % 2) as i64);
            predictions.push(i64::from(row < *chosen));
            names.push(*name);
        }
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", Arc::new(Int64Array::from(labels))),
        ("p", Arc::new(Int64Array::from(predictions))),
        ("sex", Arc::new(StringArray::from(names))),
    ];
    let spec = AnalysisSpec { bootstrap_draws: 0, ..spec };
    run_batch(columns, &spec).await.unwrap()
}

async fn uneven() -> AnalysisResult {
    selected(&[("f", 300, 1_000), ("m", 600, 1_000)]).await
}

pub fn today() -> Day {
    Day::read("2026-06-15").unwrap()
}

pub fn policy(text: &str) -> Policy {
    Policy::read(text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

pub fn judged(result: &AnalysisResult, text: &str, fail_on: FailOn) -> Gate {
    gate(result, &policy(text), fail_on, None, today())
}

pub fn check<'a>(gate: &'a Gate, key: &str) -> &'a Check {
    gate.checks.iter().find(|check| check.key == key).unwrap_or_else(|| {
        let keys: Vec<&str> = gate.checks.iter().map(|check| check.key.as_str()).collect();
        panic!("no {key} in {keys:?}")
    })
}

const PARITY: &str = "sex/demographic_parity_difference";

#[test]
fn all_faults_of_a_policy_are_told_at_once_with_their_lines() {
    let faults = Policy::read(
        "fail_onn = 'fail'\n\
         min_rows = -1\n\
         metrics = ['overall.acuracy >= 0.8', 'nonsense', 7]\n\
         [thresholds]\n\
         demographic_parity_diference = 0.1\n\
         equalized_odds_difference = 'much'\n\
         [attributes.sex.thresholds]\n\
         demographic_parity_difference = -0.1\n\
         [[allow]]\n\
         id = 'equal_oportunity_difference'\n\
         attribute = 'sex'\n\
         expires = '2026-02-30'\n",
    )
    .unwrap_err();
    let found: Vec<(&str, &str)> =
        faults.iter().map(|fault| (fault.where_.as_str(), fault.code.as_str())).collect();
    for expected in [
        ("line 1, /fail_onn", "unknown_field"),
        ("line 2, /min_rows", "out_of_range"),
        ("line 3, /metrics/0", "unknown_metric"),
        ("line 3, /metrics/1", "not_a_bound"),
        ("line 3, /metrics/2", "wrong_kind"),
        ("line 5, /thresholds/demographic_parity_diference", "unknown_disparity"),
        ("line 6, /thresholds/equalized_odds_difference", "wrong_kind"),
        ("line 8, /attributes/sex/thresholds/demographic_parity_difference", "out_of_range"),
        ("line 10, /allow/0/id", "unknown_id"),
        ("line 12, /allow/0/expires", "not_a_day"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is missing in {found:#?}");
    }
    assert!(
        found.iter().any(|(place, code)| place.ends_with("/allow/0/reason") && *code == "required")
    );
    let hints: Vec<String> = faults.iter().map(ToString::to_string).collect();
    for name in [
        "`fail_on`",
        "`accuracy`",
        "`demographic_parity_difference`",
        "`equal_opportunity_difference`",
    ] {
        assert!(hints.iter().any(|hint| hint.contains(name)), "{name} is missing in {hints:#?}");
    }
}

#[test]
fn what_is_no_policy_says_where() {
    for (text, code, part) in [
        ("a = = 1", "not_toml", ""),
        ("{\"fail_on\": }", "not_json", "line 1"),
        ("thresholds:\n  a: 1\n", "not_toml", ""),
        ("fail_on = 'sometimes'", "unknown_word", "warning"),
        ("thresholds = 3", "wrong_kind", "a table"),
    ] {
        let faults = Policy::read(text).unwrap_err();
        assert_eq!((faults.len(), faults[0].code.as_str()), (1, code), "{text}: {faults:?}");
        assert!(faults[0].to_string().contains(part), "{faults:?}");
    }
    assert_eq!(Policy::read("").unwrap(), Policy::default());
    let large = " ".repeat((1 << 20) + 1);
    assert_eq!(Policy::read(&large).unwrap_err()[0].code, "too_large");
}

#[test]
fn toml_and_json_say_the_same() {
    let toml = policy(
        "fail_on = 'regression'\nmin_rows = 10\nrequired_attributes = ['sex']\n\
         metrics = ['overall.recall >= 0.8']\n[thresholds]\nfor_parity_ratio = 0.2\n",
    );
    let json = policy(
        "{\"fail_on\": \"regression\", \"min_rows\": 10, \"required_attributes\": [\"sex\"],
          \"metrics\": [\"overall.tpr >= 0.8\"], \"thresholds\": {\"for_ratio\": 0.2}}",
    );
    assert_eq!(toml, json);
    assert_eq!(toml.fail_on, Some(FailOn::Regression));
}

#[tokio::test]
async fn what_fails_stops_and_what_is_known_does_not_until_it_expires() {
    let result = uneven().await;
    let found = judged(&result, "", FailOn::Fail);
    assert!(found.stopped && check(&found, PARITY).stops);
    assert!(!judged(&result, "", FailOn::Never).stopped);

    let mut allow = String::new();
    let failing: std::collections::BTreeSet<&str> =
        found.stopping().filter_map(|check| check.id.as_deref()).collect();
    for id in failing {
        allow.push_str(&format!(
            "[[allow]]\nid = '{id}'\nattribute = 'sex'\nreason = 'being mended'\nexpires = 2026-06-15\n"
        ));
    }
    let known = judged(&result, &allow, FailOn::Fail);
    assert!(!known.stopped, "{:?}", known.stopping().collect::<Vec<_>>());
    assert_eq!(check(&known, PARITY).known.as_ref().unwrap().reason, "being mended");
    let tomorrow = Day::read("2026-06-16").unwrap();
    let expired = gate(&result, &policy(&allow), FailOn::Fail, None, tomorrow);
    assert!(
        expired.stopped && expired.notes.iter().any(|note| note.contains("expired on 2026-06-15"))
    );

    let fair = selected(&[("f", 500, 1_000), ("m", 500, 1_000)]).await;
    let stale = judged(&fair, &allow, FailOn::Fail);
    assert!(!stale.stopped && stale.notes.iter().any(|note| note.contains("a finding no more")));
}

#[tokio::test]
async fn thresholds_of_one_attribute_judge_it_and_change_the_score() {
    let mut result = uneven().await;
    let text = "[attributes.sex.thresholds]\ndemographic_parity_difference = 0.5\n";
    let before = result.compliance_score.unwrap();
    let mut overridden = result.clone();
    policy(text).judge(&mut overridden, &["demographic_parity_difference".to_owned()]);
    assert_eq!(overridden, result, "what the command line says counts more");
    policy(text).judge(&mut result, &[]);
    let found = judged(&result, "", FailOn::Fail);
    assert_eq!(check(&found, PARITY).status, Some(Status::Pass));
    assert!(check(&found, PARITY).sentence.contains("50"), "{}", check(&found, PARITY).sentence);
    assert!(result.compliance_score.unwrap() > before);
    let judged = result.attributes[0].disparities.iter().filter(|one| one.status.is_some()).count();
    assert_eq!(result.counts.pass + result.counts.warning + result.counts.fail, judged as u64);
}

#[tokio::test]
async fn a_policy_asks_for_rows_attributes_metrics_and_a_score() {
    let result = selected(&[("f", 500, 1_000), ("m", 500, 1_000), ("x", 5, 10)]).await;
    let found = judged(
        &result,
        "required_attributes = ['sex', 'race']\nmin_rows = 3000\nmin_group_rows = 50\n\
         min_compliance_score = 100\n\
         metrics = ['overall.accuracy >= 0.9', 'overall.accuracy <= 0.9', 'sex.tpr >= 0.505',\n\
                    'overall.roc_auc >= 0.7', 'race.tpr >= 0.5']\n\
         [attributes.sx.thresholds]\naccuracy_ratio = 0.1\n",
        FailOn::Fail,
    );
    let status = |key: &str| check(&found, key).status;
    assert_eq!(status("sex/required_attribute"), Some(Status::Pass));
    assert_eq!(status("race/required_attribute"), Some(Status::Fail));
    assert_eq!(status("overall/rows"), Some(Status::Fail));
    assert_eq!(status("sex/group_rows/f"), Some(Status::Pass));
    assert_eq!(status("sex/group_rows/x"), Some(Status::Fail));
    assert_eq!(status("overall/accuracy_at_least"), Some(Status::Fail));
    assert_eq!(status("overall/accuracy_at_most"), Some(Status::Pass));
    // 0.5 is below 0.505, but not beyond noise.
    assert_eq!(status("sex/tpr_at_least/f"), Some(Status::Warning));
    assert_eq!(status("sex/tpr_at_least/x"), None, "too small to be judged");
    // What cannot be shown does not hold.
    assert_eq!(status("overall/roc_auc_at_least"), Some(Status::Fail));
    assert_eq!(status("race/tpr_at_least"), Some(Status::Fail));
    let unknown = check(&found, "sx/accuracy_ratio");
    assert_eq!((unknown.status, unknown.stops), (Some(Status::Fail), true));
    assert!(unknown.sentence.contains("did you mean sex?"), "{}", unknown.sentence);
}

#[tokio::test]
async fn on_regression_only_what_became_worse_stops() {
    let (bad, worse) = (uneven().await, selected(&[("f", 100, 1_000), ("m", 600, 1_000)]).await);
    let of = |was: &AnalysisResult, is: &AnalysisResult, text: &str| {
        let compared = Compared::new(was, is);
        gate(is, &policy(text), FailOn::Regression, Some(&compared), today())
    };
    assert!(!of(&bad, &bad, "").stopped, "as bad as it was");
    assert!(!of(&worse, &bad, "").stopped, "better than it was");
    let found = of(&bad, &worse, "");
    assert!(found.stopped && check(&found, PARITY).change.as_ref().unwrap().regression);
    // A metric's bound regresses likewise; what the baseline knows nothing of counts as it is.
    let fair = selected(&[("f", 500, 1_000), ("m", 500, 1_000)]).await;
    let text = "metrics = ['overall.selection_rate >= 0.6']";
    assert!(!of(&fair, &fair, text).stopped);
    assert!(of(&fair, &worse, text).stopping().any(|check| check.rule == "metric_bound"));
    assert!(of(&fair, &fair, "min_rows = 1000000").stopped);
    // What held then and cannot be shown now is no better than what fails.
    let text = "metrics = ['overall.roc_auc >= 0.1']";
    let mut scored = fair.clone();
    let mut auc = scored.overall.metric("accuracy").unwrap().clone();
    auc.id = "roc_auc".to_owned();
    scored.overall.metrics.push(auc);
    assert!(!of(&scored, &scored, text).stopped);
    assert!(of(&scored, &fair, text).stopped);
}

#[tokio::test]
async fn a_saved_result_is_a_baseline() {
    let result = uneven().await;
    let text = serde_json::to_string_pretty(&result).unwrap();
    assert_eq!(read_baseline(&text).unwrap(), result);
    // Whatever a newer printing adds beside it is left aside.
    let more = text.replacen('{', "{\"gate\": {\"stopped\": true},", 1);
    assert_eq!(read_baseline(&more).unwrap(), result);
    let other = text.replacen(ephor_fairness::ENGINE_VERSION, "99.0.0", 1);
    assert!(read_baseline(&other).unwrap_err().contains("99.0.0"));
}

#[tokio::test]
async fn sarif_holds_what_its_readers_require() {
    let (fair, result) = (selected(&[("f", 500, 1_000), ("m", 500, 1_000)]).await, uneven().await);
    let text = "min_rows = 5000\n[[allow]]\nid = 'disparate_impact'\nattribute = 'sex'\n\
                reason = 'known'\nexpires = 2027-01-01\n";
    let compared = Compared::new(&fair, &result);
    let found = gate(&result, &policy(text), FailOn::Fail, Some(&compared), today());
    let place = Place { path: "data/scores of may.csv".to_owned() };
    let log = sarif(&found, &place);
    assert_eq!(log, sarif(&found, &place));
    let schema = Schema::sarif();
    assert_eq!(schema.faults(&log), Vec::<String>::new());
    assert_eq!(
        (log["version"].as_str(), log["runs"].as_array().unwrap().len()),
        (Some("2.1.0"), 1)
    );
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), found.checks.iter().filter(|check| check.is_finding()).count());
    let mut prints = std::collections::HashSet::new();
    for one in results {
        let index = usize::try_from(one["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], one["ruleId"]);
        assert!(["error", "warning"].contains(&one["level"].as_str().unwrap()));
        assert!(!one["message"]["text"].as_str().unwrap().is_empty());
        let location = &one["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "data/scores%20of%20may.csv");
        assert_eq!(location["region"]["startLine"], 1);
        assert!(prints.insert(one["partialFingerprints"]["ephorFinding/v1"].as_str().unwrap()));
        let state = one["baselineState"].as_str();
        assert!(matches!(state, None | Some("new" | "unchanged" | "updated")));
    }
    for one in rules {
        for field in ["shortDescription", "fullDescription", "help"] {
            assert!(!one[field]["text"].as_str().unwrap().is_empty(), "{one}");
        }
        assert!(one["name"].as_str().unwrap().chars().all(|letter| letter.is_ascii_alphanumeric()));
    }
    let parity =
        results.iter().find(|one| one["ruleId"] == "demographic_parity_difference").unwrap();
    assert_eq!(
        (parity["level"].as_str(), parity["baselineState"].as_str()),
        (Some("error"), Some("new"))
    );
    assert!(results.iter().any(|one| one["ruleId"] == "rows"));

    // The same findings of another run are the same alerts, though the numbers are others.
    let later = selected(&[("f", 310, 1_000), ("m", 610, 1_000)]).await;
    let later = sarif(&gate(&later, &Policy::default(), FailOn::Fail, None, today()), &place);
    assert_eq!(schema.faults(&later), Vec::<String>::new());
    let again = later["runs"][0]["results"].as_array().unwrap();
    let again = again.iter().find(|one| one["ruleId"] == "demographic_parity_difference").unwrap();
    assert_eq!(again["partialFingerprints"], parity["partialFingerprints"]);
    assert_ne!(again["message"], parity["message"]);
}

/// An element of `JUnit`'s: what it must say of itself, what else it may, and where it stands.
struct Element {
    name: &'static str,
    must: &'static [&'static str],
    may: &'static [&'static str],
    within: &'static str,
}

/// What the format's readers (Jenkins, GitLab, GitHub's reporters) know.
const JUNIT: [Element; 6] = [
    Element {
        name: "testsuites",
        must: &[],
        may: &["name", "tests", "failures", "skipped", "errors", "time"],
        within: "",
    },
    Element {
        name: "testsuite",
        must: &["name", "tests"],
        may: &["failures", "skipped", "errors", "time"],
        within: "testsuites",
    },
    Element { name: "testcase", must: &["name", "classname"], may: &["time"], within: "testsuite" },
    Element { name: "failure", must: &[], may: &["type", "message"], within: "testcase" },
    Element { name: "skipped", must: &[], may: &["message"], within: "testcase" },
    Element { name: "system-out", must: &[], may: &[], within: "testcase" },
];

/// Each element stands where its readers look for it, says what they need, and counts what is in it.
fn holds_to_junit(xml: &str) {
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<String> = Vec::new();
    // Of the suite that is open: what it says, and what it holds.
    let (mut said, mut held) = ([0; 3], [0; 3]);
    loop {
        let event = reader.read_event().unwrap();
        let (Event::Start(element) | Event::Empty(element)) = &event else {
            match event {
                Event::End(_) => {
                    let ended = open.pop().unwrap();
                    assert!(ended != "testsuite" || said == held, "{said:?} {held:?} {xml}");
                }
                Event::Text(text) => {
                    let is_blank = text.iter().all(u8::is_ascii_whitespace);
                    let name = open.last().map_or("", String::as_str);
                    assert!(is_blank || ["failure", "system-out"].contains(&name), "{xml}");
                }
                Event::Eof => break,
                _ => {}
            }
            continue;
        };
        let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
        let Element { must, may, within, .. } = JUNIT.iter().find(|one| one.name == name).unwrap();
        assert_eq!(open.last().map_or("", String::as_str), *within, "{name}");
        let attributes: Vec<(String, String)> = element
            .attributes()
            .map(|attribute| {
                let attribute = attribute.unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                (text(attribute.key.as_ref()), text(&attribute.value))
            })
            .collect();
        assert!(must.iter().all(|one| attributes.iter().any(|(key, _)| key == one)), "{name}");
        for (key, value) in &attributes {
            assert!(must.contains(&key.as_str()) || may.contains(&key.as_str()), "{name} {key}");
            if ["tests", "failures", "skipped", "errors", "time"].contains(&key.as_str()) {
                assert!(value.parse::<u64>().is_ok(), "{name} {key} {value}");
            }
        }
        let number = |key| attributes.iter().find(|one| one.0 == key).unwrap().1.parse().unwrap();
        match name.as_str() {
            "testsuite" => (said, held) = (["tests", "failures", "skipped"].map(number), [0; 3]),
            "testcase" => held[0] += 1,
            "failure" => held[1] += 1,
            "skipped" => held[2] += 1,
            _ => {}
        }
        if matches!(event, Event::Start(_)) {
            open.push(name);
        }
    }
    assert!(open.is_empty());
}

/// How often each element starts, and all texts and attributes of the document.
fn parsed(xml: &str) -> (std::collections::BTreeMap<String, usize>, String) {
    let (mut reader, mut counts, mut texts) =
        (Reader::from_str(xml), std::collections::BTreeMap::new(), String::new());
    let mut open = 0_i32;
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}"));
        match &event {
            Event::Start(element) | Event::Empty(element) => {
                open += i32::from(matches!(event, Event::Start(_)));
                let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                *counts.entry(name).or_default() += 1;
                for attribute in element.attributes() {
                    texts.push_str(&String::from_utf8_lossy(&attribute.unwrap().value));
                }
            }
            Event::End(_) => open -= 1,
            Event::Text(text) => texts.push_str(&String::from_utf8_lossy(text)),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, 0);
    (counts, texts)
}

#[tokio::test]
async fn junit_counts_what_the_exit_code_says() {
    let result = uneven().await;
    let text = "[[allow]]\nid = 'demographic_parity_difference'\nattribute = 'sex'\n\
                reason = 'known & <old>'\nexpires = 2027-01-01\n";
    let found = judged(&result, text, FailOn::Fail);
    holds_to_junit(&junit(&found));
    let (counts, texts) = parsed(&junit(&found));
    assert_eq!(counts["testcase"], found.checks.len());
    assert_eq!(counts["failure"], found.stopping().count());
    assert!(counts["skipped"] >= 1 && texts.contains("known &amp; &lt;old&gt;"), "{texts}");
    let never = junit(&judged(&result, "", FailOn::Never));
    assert!(parsed(&never).0["failure"] > 0, "a report that stops nothing shows what fails");
}

#[tokio::test]
async fn markdown_sums_up_for_a_pull_request() {
    let (fair, result) = (selected(&[("f", 500, 1_000), ("m", 500, 1_000)]).await, uneven().await);
    let compared = Compared::new(&fair, &result);
    let found = gate(&result, &Policy::default(), FailOn::Regression, Some(&compared), today());
    let text = markdown(&result, &found, Some(&compared), "a|b.csv");
    for part in [
        "## Stopped: bias analysis of a\\|b.csv",
        "| **fail** | sex |",
        "Since the baseline",
        "| worse, fails now | sex |",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_name_breaks_what_is_written(name in "\\PC{0,12}|[<>&\"'\u{0}-\u{1f}\u{7f}-\u{9f}|`-]{1,12}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut result = runtime.block_on(selected(&[("f", 30, 100), ("m", 60, 100)]));
        result.attributes[0].name.clone_from(&name);
        result.attributes[0].groups[0].name.clone_from(&name);
        let mut asked = policy("min_group_rows = 1000\nmetrics = ['groups.tpr >= 0.99']");
        asked.required_attributes.push(name.clone());
        let found = gate(&result, &asked, FailOn::Fail, None, today());
        let xml = junit(&found);
        parsed(&xml);
        holds_to_junit(&xml);
        prop_assert!(!xml.chars().any(|letter| letter.is_control() && letter != '\n'));
        let text = markdown(&result, &found, None, &name);
        prop_assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
        let table = text.lines().filter(|line| line.starts_with("| "));
        for line in table {
            let bars = line.replace("\\|", "").matches('|').count();
            prop_assert_eq!(bars, 6, "{}", line);
        }
        let log = sarif(&found, &Place { path: name.clone() });
        prop_assert_eq!(Schema::sarif().faults(&log), Vec::<String>::new());
        prop_assert!(serde_json::from_str::<serde_json::Value>(&log.to_string()).is_ok());
    }
}
