//! Saved views: what the database cannot say about them.

use ephor_kernel::Fault;
use serde_json::Value;

/// What is wrong with a view: each filter is a test as a list's address has it, or several.
pub(crate) fn faults(new: &Value, _: Option<&Value>) -> Vec<Fault> {
    let filters = new.get("filters").and_then(Value::as_object);
    filters
        .into_iter()
        .flatten()
        .filter(|(_, test)| !is_test(test))
        .map(|(column, _)| {
            let message = format!("The filter on `{column}` is no test, nor a list of tests");
            Fault::new(format!("/filters/{}", pointer(column)), "type", message)
                .hint("Write it as in a list's address: \"eq.active\".")
        })
        .collect()
}

fn is_test(test: &Value) -> bool {
    let one = |test: &Value| test.as_str().is_some_and(|test| test.contains('.'));
    match test {
        Value::Array(tests) => !tests.is_empty() && tests.iter().all(one),
        test => one(test),
    }
}

/// A member's name in a JSON pointer.
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::faults;

    #[test]
    fn a_filter_is_a_test_or_several() {
        let view = json!({"filters": {
            "status": "eq.active", "created_at": ["gte.2026-01-01", "lt.2026-02-01"],
        }});
        assert!(faults(&view, None).is_empty());
        let view = json!({"filters": {"status": 1, "a/b": "active", "c": []}});
        let found = faults(&view, None);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].pointer, "/filters/a~1b");
    }

    #[test]
    fn a_change_of_the_name_alone_is_right() {
        assert!(faults(&json!({"name": "Mine"}), None).is_empty());
    }
}
