//! Profiles and the roles that follow from them.

use ephor_tabular::{
    ColumnProfile, OpenOptions, Profile, Value, ValueKind, profile, suggest_roles,
};
use proptest::prelude::*;

use crate::support::{read, read_with};

async fn profiled(content: &str) -> Profile {
    profile(&read(content).await.unwrap()).await.unwrap()
}

fn column<'p>(profile: &'p Profile, name: &str) -> &'p ColumnProfile {
    profile.columns.iter().find(|column| column.name == name).unwrap()
}

#[tokio::test]
async fn every_kind_of_column() {
    let found = profiled(
        "n,x,ok,day,at,text,none\n\
         1,1.5,true,2024-01-01,2024-01-01T10:00,b,\n\
         2,NaN,false,1969-12-31,2024-01-01T09:00,a,\n\
         3,-0.5,true,,,b,\n\
         10,inf,,,,,\n",
    )
    .await;
    insta::assert_json_snapshot!(found);
    let back: Profile = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(back.rows, 4);
}

#[tokio::test]
async fn many_values_are_estimated_and_said_to_be() {
    let mut content = String::from("id,x,name,group\n");
    for row in 0..60_000_u32 {
        let name = if row % 4 == 0 { "often".to_owned() } else { format!("n{row}") };
        content += &format!("{row},{:.4},{name},g{}\n", f64::from(row) / 60_000.0, row % 3);
    }
    let options = OpenOptions { partitions: Some(3), ..OpenOptions::default() };
    let found = profile(&read_with(content, options).await.unwrap()).await.unwrap();
    assert_eq!(found.rows, 60_000);
    let id = column(&found, "id");
    assert!(
        !id.distinct.exact && (id.distinct.count as f64 / 60_000.0 - 1.0).abs() < 0.04,
        "{:?}",
        id.distinct
    );
    assert_eq!((&id.min, &id.max), (&Some(Value::Integer(0)), &Some(Value::Integer(59_999))));
    assert!((id.mean.unwrap() - 29_999.5).abs() < 1e-6);
    for quantile in &column(&found, "x").quantiles {
        assert!((quantile.value - quantile.q).abs() < 0.01, "{quantile:?}");
    }
    let name = column(&found, "name");
    assert_eq!(name.top[0].value, Value::Text("often".into()));
    assert!(
        !name.top_exact && name.top[0].count <= 15_000 && name.top[0].count >= 15_000 - 60,
        "{:?}",
        name.top[0]
    );
    let group = column(&found, "group");
    assert!(group.distinct.exact && group.top_exact);
    assert_eq!(group.top.iter().map(|top| top.count).collect::<Vec<_>>(), [20_000; 3]);
}

#[tokio::test]
async fn long_texts_are_cut_and_json_is_whole() {
    let found = profiled(&format!("{{\"a\":\"{}\"}}\n{{\"a\":\"b\"}}\n", "é".repeat(500))).await;
    let Some(Value::Text(max)) = &column(&found, "a").max else { panic!() };
    assert_eq!(max.chars().count(), 201);
    assert_eq!(column(&found, "a").kind, ValueKind::Text);
}

#[tokio::test]
async fn roles_are_suggested() {
    let mut content = String::from("age,workclass,sex,race,hours-per-week,y_true,y_pred,score\n");
    for row in 0..200 {
        content += &format!(
            "{},Private,{},{},40,{},{},{:.3}\n",
            20 + row % 45,
            ["Male", "Female"][row % 2],
            ["White", "Black", "Other"][row % 3],
            row % 2,
            (row / 2) % 2,
            row as f64 / 200.0
        );
    }
    let roles = suggest_roles(&profiled(&content).await);
    assert_eq!(roles.target[0].column, "y_true");
    assert_eq!(roles.prediction[0].column, "y_pred");
    assert_eq!(roles.score[0].column, "score");
    let protected: Vec<&str> =
        roles.protected.iter().map(|candidate| candidate.column.as_str()).collect();
    assert_eq!(protected, ["sex", "race", "age"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// However the rows are split over threads, the figures are those of a plain loop.
    #[test]
    fn figures_are_those_of_a_plain_loop(values in proptest::collection::vec(proptest::option::weighted(0.9, -1000_i64..1000), 1..400)) {
        prop_assume!(values.iter().any(Option::is_some));
        let mut content = String::from("row,v\n");
        for (row, value) in values.iter().enumerate() {
            content += &format!("{row},{}\n", value.map_or(String::new(), |value| value.to_string()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(profiled(&content));
        let found = column(&found, "v");
        let known: Vec<i64> = values.iter().flatten().copied().collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<i64>() as f64 / n;
        prop_assert_eq!(found.nulls as usize, values.len() - known.len());
        prop_assert!((found.mean.unwrap() - mean).abs() < 1e-9);
        prop_assert_eq!(&found.min, &known.iter().min().map(|min| Value::Integer(*min)));
        prop_assert_eq!(&found.max, &known.iter().max().map(|max| Value::Integer(*max)));
        let different: std::collections::HashSet<i64> = known.iter().copied().collect();
        prop_assert_eq!(found.distinct.count as usize, different.len());
        if known.len() > 1 {
            let variance = known.iter().map(|value| (*value as f64 - mean).powi(2)).sum::<f64>() / (n - 1.0);
            prop_assert!((found.std.unwrap() - variance.sqrt()).abs() < 1e-6);
        }
        let mut sorted = known.clone();
        sorted.sort_unstable();
        let median = (sorted[(known.len() - 1) / 2] + sorted[known.len() / 2]) as f64 / 2.0;
        prop_assert_eq!(found.quantiles[2].value, median);
    }
}
