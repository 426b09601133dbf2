//! From a recommendation to a mitigation, a new data set, and the comparison, without scripts.

use axum::http::StatusCode;

use crate::support::{until, world};

/// Women are scored lower: 400 rows.
fn csv() -> Vec<u8> {
    let mut text = String::from("label,score,sex\n");
    for index in 0..400 {
        let (sex, off) = if index % 2 == 0 { ("Female", 0.2) } else { ("Male", 0.0) };
        let label = index % 4 / 2;
        let score = f64::from(index % 50) / 100.0 + f64::from(label) * 0.4 + 0.2 - off;
        text.push_str(&format!("{label},{score:.4},{sex}\n"));
    }
    text.into_bytes()
}

#[tokio::test]
async fn from_a_recommendation_to_the_comparison() {
    let world = world().await;
    let workers = world.workers();
    let mut owner = world.owner("ada@example.org").await;
    let answer = owner.upload("scores", &csv()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let dataset =
        answer.body.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", "label"),
        ("score", "score"),
        ("protected", "sex"),
    ];
    let analysis = owner.submit("/analyses", &fields).await.location().to_owned();
    owner.get(&format!("{analysis}/events")).await.shows("event: ended");
    let page = owner.get(&analysis).await;
    page.shows("None yet: weights or thresholds");
    page.shows("Compute this mitigation");
    let forms = page.body.split("/mitigate?").skip(1).map(|rest| rest.split('"').next().unwrap());
    let form = forms.clone().find(|query| query.starts_with("method=threshold")).unwrap();
    let query = form.replace("&#38;", "&").replace("&amp;", "&");
    let form = owner.get(&format!("{analysis}/mitigate?{query}")).await;
    form.shows("selected>Thresholds: one score threshold for each group");
    form.shows("Title VII");

    let refused = owner
        .submit(
            &format!("{analysis}/mitigate"),
            &[
                ("method", "threshold"),
                ("constraint", "equalized_odds"),
                ("tolerance", "7"),
                ("score", "scoer"),
                ("name", "Kept"),
            ],
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for wanted in [
        "field-tolerance-fault-0",
        "field-score-fault-0",
        "field-randomized-fault-0",
        "value=\"Kept\"",
    ] {
        refused.shows(wanted);
    }

    let asked = owner
        .submit(
            &format!("{analysis}/mitigate"),
            &[
                ("method", "threshold"),
                ("constraint", "equal_opportunity"),
                ("protected", "[\"sex\"]"),
                ("name", "Fair <scores>"),
            ],
        )
        .await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let place = asked.location().to_owned();
    owner.get(&format!("{place}/events")).await.shows("event: ended");
    let page = owner.get(&place).await;
    for wanted in [
        "What it is expected to do",
        "data-plot=\"plot-frontier\"",
        "Title VII",
        "Fair &#60;scores&#62;",
        "Nothing yet.",
    ] {
        page.shows(wanted);
    }
    assert!(owner.get(&format!("{place}/artifact.json")).await.body.contains("ephor-mitigation/1"));
    owner.get(&analysis).await.shows("Expected disparity");
    owner.get("/resources/mitigation_artifacts").await.shows(&place);

    let apply = format!("{place}/apply");
    let refused = owner.submit(&apply, &[("dataset_id", &dataset), ("column", "sex")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("field-column-fault-0");
    let applied = owner.submit(&apply, &[("dataset_id", &dataset), ("column", "fair")]).await;
    assert_eq!(applied.status, StatusCode::SEE_OTHER, "{}", applied.body);
    owner.get(&format!("{place}/events")).await.shows("event: ended");
    let page = owner.get(&place).await;
    page.shows("of scores");
    let compare = page.body.split("/compare?with=").next().unwrap();
    let after = compare.rsplit("href=\"").next().unwrap().to_owned();
    let with = page.body.split("/compare?with=").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("{after}/compare?with={with}");
    until("the comparison is there", async || {
        (owner.clone().get(&path).await.status == StatusCode::OK).then_some(())
    })
    .await;
    assert!(analysis.ends_with(with), "the analysis that was there is what was before");

    let deleted = owner
        .submit(
            &format!(
                "{}/delete",
                place.replace("/mitigations/", "/resources/mitigation_artifacts/")
            ),
            &[],
        )
        .await;
    assert_eq!(deleted.status, StatusCode::SEE_OTHER, "{}", deleted.body);
    assert_eq!(owner.get(&place).await.status, StatusCode::NOT_FOUND);
    owner.get("/datasets").await.shows("Fair &lt;scores&gt;");
    workers.shutdown().await;
}

#[tokio::test]
async fn a_mitigation_that_waits_is_followed_and_strangers_find_nothing() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let answer = owner.upload("scores", &csv()).await;
    let dataset =
        answer.body.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", "label"),
        ("score", "score"),
        ("protected", "sex"),
    ];
    let analysis = owner.submit("/analyses", &fields).await.location().to_owned();
    // There is no worker: it waits.
    let form = [("method", "reweighing")];
    let asked = owner.submit(&format!("{analysis}/mitigate"), &form).await;
    let again = owner.submit(&format!("{analysis}/mitigate"), &form).await;
    assert_eq!((asked.status, asked.location()), (StatusCode::SEE_OTHER, again.location()));
    let place = asked.location().to_owned();
    let page = owner.get(&place).await;
    page.shows("Waiting for a worker");
    page.shows("sse-connect");
    let early = owner.submit(&format!("{place}/apply"), &[("dataset_id", &dataset)]).await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    let mut stranger = world.owner("eve@example.org").await;
    for path in [
        place.clone(),
        format!("{place}/events"),
        format!("{place}/artifact.json"),
        format!("{analysis}/mitigate"),
    ] {
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
