//! The gate of predicted numbers, classes and ranked lists.

use ephor_fairness::{
    CancellationToken, Status,
    gate::{
        Check, Compared, FailOn, Gate, Policy, gate_task,
        junit::junit,
        markdown::markdown_task,
        sarif::{Place, sarif},
    },
    task::{Task, TaskResult, TaskSpec, analyze},
};
use serde_json::{Value, json};

use crate::{gate::today, kinds_support::input, sarif_schema::Schema};

async fn found(json: &Value) -> TaskResult {
    let spec = TaskSpec::read(json).unwrap();
    analyze(input().await, &spec, &(), &CancellationToken::new()).await.unwrap()
}

async fn numbers() -> TaskResult {
    found(&json!({ "task": "regression", "target": "price", "prediction": "guess", "protected": ["group"] })).await
}

fn policy(text: &str, task: Task) -> Policy {
    Policy::read_for(text, task).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Judges as a program does that reads a policy: its thresholds are a part of what is asked.
fn judged(result: &TaskResult, text: &str) -> Gate {
    let policy = policy(text, result.task());
    let mut result = result.clone();
    policy.judge_task(&mut result, &[]);
    gate_task(&result, &policy, FailOn::Fail, None, today())
}

fn check<'a>(gate: &'a Gate, key: &str) -> &'a Check {
    gate.checks.iter().find(|check| check.key == key).unwrap_or_else(|| {
        let keys: Vec<&str> = gate.checks.iter().map(|check| check.key.as_str()).collect();
        panic!("no {key} in {keys:?}")
    })
}

#[tokio::test]
async fn a_policy_judges_every_task_by_its_own_names() {
    let result = numbers().await;
    let found = judged(
        &result,
        "required_attributes = ['group', 'sex']\nmin_rows = 100000\n\
         metrics = ['overall.mae <= 0', 'groups.mae >= 0', 'group.r2 <= 1']\n\
         [attributes.group.thresholds]\nmae_difference = 1e9\nmae_ratio = 1\n",
    );
    let status = |key: &str| check(&found, key).status;
    assert_eq!(status("group/required_attribute"), Some(Status::Pass));
    assert_eq!(status("sex/required_attribute"), Some(Status::Fail));
    assert_eq!(status("overall/rows"), Some(Status::Fail));
    assert_eq!(status("overall/mae_at_most"), Some(Status::Fail));
    assert_eq!(status("group/mae_difference"), Some(Status::Pass), "by its own threshold");
    assert!(found.stopped);

    let faults = Policy::read_for(
        "min_compliance_score = 80\nmetrics = ['overall.acuracy >= 0.8']\n\
         [thresholds]\ndemographic_parity_difference = 0.1\nmae_diference = 1\n",
        Task::Regression,
    )
    .unwrap_err();
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    for code in ["not_available", "unknown_metric", "unknown_disparity"] {
        assert!(codes.contains(&code), "{code} is missing in {faults:?}");
    }
    assert!(faults.iter().any(|fault| fault.to_string().contains("`mae_difference`")));
}

#[tokio::test]
async fn what_a_task_cannot_show_does_not_hold() {
    let json = json!({
        "task": "regression", "target": "price", "prediction": "guess", "protected": ["group"],
        "min_group_size": 1_000_000, "loss_bound": 5.0, "thresholds": { "mae_difference": 0.5 },
    });
    let small = found(&json).await;
    assert!(small.unjudged().unwrap().contains("group: "));
    let gate = judged(&small, "");
    for key in ["group/mae_difference", "group/bounded_group_loss"] {
        let found = check(&gate, key);
        assert_eq!((found.status, found.stops), (Some(Status::Fail), true), "{found:?}");
        assert!(found.unshown.is_some(), "{found:?}");
    }
    // Distances of distributions are judged by default: nobody named them.
    assert_eq!(check(&gate, "group/prediction_distance").status, None);
}

#[tokio::test]
async fn single_classes_are_told_apart_and_combinations_have_no_ndkl() {
    let classes = found(&json!({
        "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["group"],
        "thresholds": { "tpr_difference": 0.0 },
    }))
    .await;
    let gate = judged(&classes, "");
    let of_one: Vec<&Check> =
        gate.checks.iter().filter(|one| one.rule == "tpr_difference").collect();
    assert!(of_one.len() > 1 && of_one.iter().all(|one| one.class.is_some()), "{of_one:?}");
    assert!(gate.checks.iter().all(|one| one.key != "group/tpr_difference"), "it is of classes");
    let log = sarif(&gate, &Place { path: "a.csv".to_owned() });
    assert_eq!(Schema::sarif().faults(&log), Vec::<String>::new());
    let xml = junit(&gate);
    assert!(xml.contains("tpr_difference ("), "{xml}");
    let text = markdown_task(&classes, &gate, None, "a.csv");
    assert!(text.contains("bias analysis of a.csv") && !text.contains("compliance"), "{text}");

    let lists = found(&json!({
        "task": "ranking", "list": "query", "score": "rating", "protected": ["group", "region"],
        "thresholds": { "ndkl": 100.0 },
    }))
    .await;
    let gate = judged(&lists, "");
    assert_eq!(check(&gate, "group/ndkl").status, Some(Status::Pass));
    assert!(gate.checks.iter().all(|one| one.key != "group|region/ndkl"));
}

#[tokio::test]
async fn a_baseline_of_a_task_tells_what_regressed() {
    let (was, is) = (numbers().await, numbers().await);
    let compared = Compared::of_tasks(&was, &is).unwrap();
    let asked = policy("fail_on = 'regression'", Task::Regression);
    let found = gate_task(&is, &asked, FailOn::Regression, Some(&compared), today());
    assert!(!found.stopped, "{:?}", found.stopping().collect::<Vec<_>>());
    assert!(found.checks.iter().all(|check| check.change.is_some()));
    let text = markdown_task(&is, &found, Some(&compared), "a.csv");
    assert!(text.contains("Since the baseline"), "{text}");
    let lists = self::found(
        &json!({ "task": "ranking", "list": "query", "score": "rating", "protected": ["group"] }),
    )
    .await;
    assert!(Compared::of_tasks(&was, &lists).is_err());
}
