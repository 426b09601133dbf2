//! People whom rows name: each is an active member at the moment when they are named.
//!
//! Who left stays named, so no foreign key can say it; and a row that is changed elsewhere is not
//! asked for people who stood in it before.

use std::collections::{BTreeSet, HashMap};

use ephor_kernel::{Fault, Problem};
use ephor_store::OrgTx;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Resource, ResourceSpec,
    refusal::{self, Doing},
};

/// A row of a request, and where it stands there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    /// The pointer of the row: empty, or `/3`.
    pub at: &'a str,
    /// What is to be written.
    pub row: &'a Value,
    /// The row as it is.
    pub old: Option<&'a Value>,
}

/// Somebody whom a row names anew.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    pointer: String,
    column: &'static str,
    person: Uuid,
}

/// What is wrong with the people whom the rows name, asked for all of them at once; a stranger's id
/// and one that nobody has are told alike. What is no id is left to the check of the types.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn faults(
    tx: &mut OrgTx,
    resource: &Resource,
    sent: &[Sent<'_>],
) -> Result<Vec<Fault>, Problem> {
    let named: Vec<_> = sent.iter().flat_map(|sent| named(&resource.spec, *sent)).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let people: BTreeSet<_> = named.iter().map(|named| named.person).collect();
    let known: Vec<(Uuid, bool)> =
        sqlx::query_as("select user_id, is_member from door.people_known($1)")
            .bind(people.into_iter().collect::<Vec<_>>())
            .fetch_all(tx.conn())
            .await
            .map_err(|error| refusal::problem(resource, Doing::Reading, error, ""))?;
    Ok(unknown(&resource.spec, named, &known.into_iter().collect()))
}

fn named(spec: &ResourceSpec, sent: Sent<'_>) -> Vec<Named> {
    let mut all = Vec::new();
    for column in spec.people.iter().chain(spec.people_above).copied() {
        let before: Vec<_> =
            ids(sent.old.and_then(|old| old.get(column))).map(|(_, id)| id).collect();
        for (place, person) in ids(sent.row.get(column)).filter(|(_, id)| !before.contains(id)) {
            let item = place.map(|place| format!("/{place}")).unwrap_or_default();
            all.push(Named { pointer: format!("{}/{column}{item}", sent.at), column, person });
        }
    }
    all
}

/// The ids in a value: the one, or each of an array with its place.
fn ids(value: Option<&Value>) -> impl Iterator<Item = (Option<usize>, Uuid)> {
    let one = value.and_then(Value::as_str).map(|text| (None, text));
    let several = value.and_then(Value::as_array).into_iter().flatten().enumerate();
    let several = several.filter_map(|(place, item)| Some((Some(place), item.as_str()?)));
    one.into_iter()
        .chain(several)
        .filter_map(|(place, text)| Some((place, Uuid::try_parse(text).ok()?)))
}

/// Of whom nobody knows, by who is known, and whether as a member here or of the holding above.
fn unknown(spec: &ResourceSpec, named: Vec<Named>, known: &HashMap<Uuid, bool>) -> Vec<Fault> {
    let fault = |Named { pointer, column, person }: Named| {
        let above = spec.people_above.contains(&column);
        let fine = known.get(&person).is_some_and(|is_member| *is_member || above);
        let whose = if above { "the organization, or of its holding" } else { "the organization" };
        (!fine).then(|| {
            let message = format!("`{column}` names nobody who is an active member of {whose}");
            Fault::new(pointer, "unknown_reference", message)
                .hint("it takes the `user_id` of a member, as `/v1/members` tells it")
        })
    };
    named.into_iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SPEC: ResourceSpec = ResourceSpec::new("work", "workforce.work")
        .people(&["owner_id"])
        .people_or_above(&["approver_ids"]);

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn pointers(row: &Value, old: Option<&Value>) -> Vec<String> {
        let sent = Sent { at: "/3", row, old };
        named(&SPEC, sent).into_iter().map(|named| named.pointer).collect()
    }

    #[test]
    fn each_person_is_found_where_they_stand() {
        let row =
            json!({ "owner_id": id(1), "approver_ids": [id(2), "no id", id(3)], "other": id(4) });
        let all = ["/3/owner_id", "/3/approver_ids/0", "/3/approver_ids/2"];
        assert_eq!(pointers(&row, None), all);
        assert!(pointers(&json!({ "owner_id": null, "approver_ids": "no id" }), None).is_empty());
        assert!(pointers(&json!([]), None).is_empty());
    }

    #[test]
    fn who_stood_there_before_is_not_asked_for() {
        let old = json!({ "owner_id": id(1), "approver_ids": [id(2), id(3)] });
        assert!(pointers(&old, Some(&old)).is_empty());
        let row = json!({ "owner_id": id(2), "approver_ids": [id(3), id(4), id(2)] });
        assert_eq!(pointers(&row, Some(&old)), ["/3/owner_id", "/3/approver_ids/1"]);
    }

    #[test]
    fn only_some_columns_name_people_of_the_holding() {
        let row = json!({ "owner_id": id(1), "approver_ids": [id(1), id(2)] });
        let named = named(&SPEC, Sent { at: "", row: &row, old: None });
        let faults = unknown(&SPEC, named, &HashMap::from([(id(1), false)]));
        let told: Vec<_> =
            faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
        assert_eq!(told, ["/owner_id unknown_reference", "/approver_ids/1 unknown_reference"]);
    }
}
