//! The compliance score has one definition and two implementations: Rust and SQL agree on random inputs.

use ephor_fairness::compliance_score;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

/// Values as metrics have them: any fraction, short decimals (whose sums meet halves), and extremes.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1.0,
        4 => (0_u32..=20_000).prop_map(|places| f64::from(places) / 20_000.0),
        1 => prop_oneof![Just(0.0), Just(1.0), Just(0.1), Just(5e-324), Just(1e-17), Just(1e30)],
    ]
}

#[tokio::test]
async fn sql_and_rust_agree() {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let analyses = prop::collection::vec(prop::collection::vec((number(), number()), 0..12), 2_000);
    let analyses = analyses.new_tree(&mut runner).unwrap().current();

    let db = ephor_store::testing::database().await;
    let given: Vec<Value> = analyses
        .iter()
        .map(|scored| {
            scored
                .iter()
                .map(|(value, threshold)| json!({ "value": value, "threshold": threshold }))
                .collect()
        })
        .collect();
    let found: Vec<Option<f64>> = sqlx::query_scalar(
        "select assurance.calculate_compliance_score(scored)::float8
           from jsonb_array_elements($1) with ordinality as given (scored, place) order by place",
    )
    .bind(Value::Array(given))
    .fetch_all(&db.admin())
    .await
    .unwrap();
    assert_eq!(found.len(), analyses.len());
    for (scored, sql) in analyses.iter().zip(found) {
        assert_eq!(sql, compliance_score(scored.iter().copied()), "{scored:?}");
    }
}
