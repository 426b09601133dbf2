//! The one place where SQL is built from values: what a transaction carries to row-level security.
//!
//! `BEGIN` and all `SET LOCAL` travel as one simple query, which takes no parameters. So each value is
//! of a form that cannot hold a quote: ids as PostgreSQL writes them, words of an enum, and everything
//! foreign (address, user agent) as JSON in hexadecimal.

use std::fmt::Write;

use ephor_kernel::{OrganizationId, RequestContext, Scope};
use serde::Serialize;

/// Under which policies a transaction reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The scope's organization; the role is the connection's own.
    One,
    /// All that the scope may read, and no writing: role ephor_reach.
    Reach,
}

/// What `ephor.request` is told: the request, the operator's reason when there is one, and from which
/// organization it is acted when that is another.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    request: RequestContext,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_from: Option<OrganizationId>,
}

/// The statement that opens a transaction for `scope`.
pub(crate) fn begin(scope: &Scope, access: Access) -> String {
    let mut sql = String::with_capacity(512);
    sql.push_str(match access {
        Access::One => "BEGIN",
        Access::Reach => "BEGIN READ ONLY; SET LOCAL ROLE ephor_reach",
    });
    let principal = scope.principal();
    let readable: Vec<String> = match access {
        Access::One => vec![scope.organization().to_string()],
        Access::Reach => scope.readable().iter().map(OrganizationId::to_string).collect(),
    };
    // Writing to a String cannot fail.
    let _ = write!(
        sql,
        "; SET LOCAL ephor.organization_id = '{}'; SET LOCAL ephor.readable = '{{{}}}'; \
         SET LOCAL ephor.actor_type = '{}'; SET LOCAL ephor.actor_id = '{}'; \
         SET LOCAL ephor.request = '{}'",
        scope.organization(),
        readable.join(","),
        principal.actor_type().as_str(),
        principal.uuid(),
        request(scope),
    );
    sql
}

/// The request in hexadecimal.
fn request(scope: &Scope) -> String {
    let RequestContext { ip, user_agent, request_id } = scope.request().clone();
    let told = Told {
        request: RequestContext { ip, user_agent: user_agent.as_deref().map(kept), request_id },
        reason: scope.reason(),
        acting_from: scope.home(),
    };
    // Strings, addresses and ids: that always is JSON.
    serde_json::to_vec(&told).map(hex::encode).unwrap_or_default()
}

/// A user agent within its bound, without what PostgreSQL's JSON cannot hold.
fn kept(user_agent: &str) -> String {
    let end = user_agent.floor_char_boundary(RequestContext::USER_AGENT_BYTES);
    user_agent[..end].replace('\0', " ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use ephor_kernel::{PermissionSet, Principal, RequestId, SystemPart, UserId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(0x0193_0b2e_7c1a_7def_8000_0000_0000_0000 + number)
    }

    fn scope(user_agent: Option<&str>) -> Scope {
        let request = RequestContext {
            ip: Some("192.0.2.7".parse().unwrap()),
            user_agent: user_agent.map(str::to_owned),
            request_id: Some(RequestId::from(id(9))),
        };
        Scope::new(
            Principal::User(UserId::from(id(1))),
            OrganizationId::from(id(2)),
            PermissionSet::all(),
            request,
        )
    }

    fn decoded(sql: &str) -> serde_json::Value {
        let hex = sql.rsplit_once("ephor.request = '").unwrap().1.trim_end_matches('\'');
        serde_json::from_slice(&hex::decode(hex).unwrap()).unwrap()
    }

    #[test]
    fn the_context_of_a_request() {
        insta::assert_snapshot!(begin(&scope(Some("curl/8")), Access::One).replace("; ", ";\n"), @r"
        BEGIN;
        SET LOCAL ephor.organization_id = '01930b2e-7c1a-7def-8000-000000000002';
        SET LOCAL ephor.readable = '{01930b2e-7c1a-7def-8000-000000000002}';
        SET LOCAL ephor.actor_type = 'user';
        SET LOCAL ephor.actor_id = '01930b2e-7c1a-7def-8000-000000000001';
        SET LOCAL ephor.request = '7b226970223a223139322e302e322e37222c22757365725f6167656e74223a226375726c2f38222c22726571756573745f6964223a2230313933306232652d376331612d376465662d383030302d303030303030303030303039227d'
        ");
    }

    #[test]
    fn the_context_of_a_holding_that_reads() {
        let scope = scope(None).reading([id(3), id(4)].map(OrganizationId::from));
        insta::assert_snapshot!(begin(&scope, Access::Reach).replace("; ", ";\n"), @r"
        BEGIN READ ONLY;
        SET LOCAL ROLE ephor_reach;
        SET LOCAL ephor.organization_id = '01930b2e-7c1a-7def-8000-000000000002';
        SET LOCAL ephor.readable = '{01930b2e-7c1a-7def-8000-000000000002,01930b2e-7c1a-7def-8000-000000000003,01930b2e-7c1a-7def-8000-000000000004}';
        SET LOCAL ephor.actor_type = 'user';
        SET LOCAL ephor.actor_id = '01930b2e-7c1a-7def-8000-000000000001';
        SET LOCAL ephor.request = '7b226970223a223139322e302e322e37222c22726571756573745f6964223a2230313933306232652d376331612d376465662d383030302d303030303030303030303039227d'
        ");
    }

    #[test]
    fn a_scope_that_may_read_more_still_works_in_one_organization() {
        let scope = scope(None).reading([OrganizationId::from(id(3))]);
        assert!(!begin(&scope, Access::One).contains(&id(3).to_string()));
    }

    #[test]
    fn the_operators_reason_is_kept_with_the_request() {
        let scope = Scope::platform(OrganizationId::from(id(2)), "restoring a'; drop table x --");
        let sql = begin(&scope, Access::One);
        assert!(sql.contains("ephor.actor_type = 'platform'"));
        assert!(!sql.contains("drop table"));
        assert_eq!(decoded(&sql)["reason"], "restoring a'; drop table x --");
        assert_eq!(scope.principal(), Principal::System(SystemPart::Operator));
    }

    #[test]
    fn who_acts_below_a_holding_is_known_by_it() {
        let [holding, subsidiary] = [2, 3].map(|number| OrganizationId::from(id(number)));
        let scope = scope(None).reading([subsidiary]);
        let below = scope.below(subsidiary, PermissionSet::default()).unwrap();
        let sql = begin(&below, Access::One);
        assert!(sql.contains(&format!("ephor.organization_id = '{subsidiary}'")));
        assert_eq!(decoded(&sql)["acting_from"], holding.to_string());
        assert!(decoded(&begin(&scope, Access::One)).get("acting_from").is_none());
    }

    #[test]
    fn a_nul_in_a_user_agent_does_not_reach_postgresql() {
        assert_eq!(decoded(&begin(&scope(Some("a\0b")), Access::One))["user_agent"], "a b");
    }

    proptest! {
        #[test]
        fn no_user_agent_gets_out_of_its_literal(agent in any::<String>()) {
            let sql = begin(&scope(Some(&agent)), Access::One);
            let kept: String = kept(&agent);
            prop_assert!(kept.len() <= RequestContext::USER_AGENT_BYTES);
            prop_assert_eq!(&decoded(&sql)["user_agent"], &serde_json::Value::String(kept));
            prop_assert_eq!(sql.matches('\'').count(), 10);
            prop_assert_eq!(sql.matches(';').count(), 5);
        }
    }
}
