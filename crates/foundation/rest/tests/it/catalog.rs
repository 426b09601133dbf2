use ephor_rest::{Catalog, Engine, Kind, ResourceSpec};
use serde_json::json;

use crate::support::shelf;

#[tokio::test]
async fn the_catalog_knows_types_bounds_defaults_and_comments() {
    let (db, _) = shelf().await;
    let store = db.store();
    let catalog = Catalog::read(store.door().await.unwrap().conn()).await.unwrap();
    let items = catalog.table("shelf.items").unwrap();
    assert_eq!(items.comment.as_deref(), Some("Things on a shelf."));
    let column = |name: &str| items.column(name).unwrap();
    assert_eq!(column("name").bounds.max_length, Some(50));
    assert_eq!(column("name").comment.as_deref(), Some("What it is called."));
    assert_eq!(column("status").bounds.vocabulary, ["draft", "active", "retired"]);
    assert_eq!(column("status").default_value(), Some(json!("draft")));
    assert_eq!(column("metadata").bounds.json_types, ["object"]);
    assert_eq!(column("metadata").default_value(), Some(json!({})));
    assert_eq!(column("tags").default_value(), Some(json!([])));
    assert_eq!(column("count").default_value(), Some(json!(0)));
    assert_eq!(column("id").default_value(), None);
    assert_eq!(
        (column("score").bounds.minimum, column("score").bounds.maximum),
        (Some(0.0), Some(100.0))
    );
    assert_eq!(column("tags").kind, Kind::Array(Box::new(Kind::Text)));
    assert_eq!(items.referenced_by("maker_id"), Some("shelf.makers"));
    // What the application's role may not read is hidden without being told.
    assert!(!column("secret").readable && column("name").readable);
}

#[tokio::test]
async fn a_column_that_is_gone_stops_the_start() {
    let (db, _) = shelf().await;
    sqlx::raw_sql("alter table shelf.items rename description to about")
        .execute(&db.admin())
        .await
        .unwrap();
    let store = db.store();
    let catalog = Catalog::read(store.door().await.unwrap().conn()).await.unwrap();
    let spec = ResourceSpec::new("items", "shelf.items").search(&["name", "description"]);
    let error = Engine::new(&catalog, [spec], [0; 32]).unwrap_err().to_string();
    assert!(
        error.contains(
            "`items` (shelf.items): search names the column description, which is not there"
        ),
        "{error}"
    );
}
