//! The choice of a role, in the forms that let somebody in or change what they may do.

use ephor_kernel::Problem;
use ephor_rest::ListRequest;
use ephor_store::OrgTx;
use serde_json::Value;

use crate::{
    ConsoleState,
    view::{Choice, Field, json},
};

/// The built-in role that whoever comes begins with: nobody gets more than it because a form was
/// sent as it stood.
const BEGINS_AS: &str = "member";

/// The field, holding the role with the id `held`, else the one that new members begin with.
pub(super) async fn role_field(
    state: &ConsoleState,
    tx: &mut OrgTx,
    held: Option<&str>,
) -> Result<Field, Problem> {
    let roles = state.engine.list(tx, "roles", &ListRequest::new().limit(500)).await?.data;
    Ok(field(&roles, held))
}

fn field(roles: &[Value], held: Option<&str>) -> Field {
    let begins = || {
        let role = roles.iter().find(|role| json::text(role, "builtin_code") == BEGINS_AS);
        role.map(|role| json::text(role, "id")).unwrap_or_default()
    };
    let mut choices: Vec<Choice> =
        roles.iter().map(|role| Choice::new(json::text(role, "id"), json::title(role))).collect();
    let value = held.unwrap_or_else(begins).to_owned();
    if value.is_empty() {
        // Else browsers take the first.
        choices.insert(0, Choice::new("", "Choose"));
    }
    Field::new("role_id", "Role")
        .select(choices)
        .value(value)
        .hint("You can only give a role that may do no more than you may.")
        .required()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::Control;

    #[test]
    fn whoever_comes_begins_as_a_member() {
        let admin = json!({"id": "1", "name": "Admin", "builtin_code": "admin"});
        let member = json!({"id": "2", "name": "Member", "builtin_code": "member"});
        let roles = [admin.clone(), member];
        assert_eq!(field(&roles, None).value, "2");
        assert_eq!(field(&roles, Some("1")).value, "1");
        // Without such a role nobody is let in as what happens to stand first.
        let open = field(&[admin], None);
        assert_eq!(open.value, "");
        let Control::Select(choices) = open.control else { unreachable!("it is a choice") };
        assert_eq!(choices.first().map(|choice| choice.value.as_str()), Some(""));
    }
}
