//! Lists and single rows.

use super::{Bound, Statement};
use crate::{
    Resource,
    plan::{Inclusion, Plan, Sort, Tenancy},
    resource::Related,
};

/// Related rows shown in place, at most.
const RELATED_ROWS: u32 = 100;

/// The organization that the transaction is in, word for word as the policies of tenants' tables say it.
const HERE: &str = "nullif(current_setting('ephor.organization_id', true), '')::uuid";

/// The statement of a page. Its columns: the row as JSON text, and the keys of the order as texts.
/// It reads one row more than the limit, so that one knows whether there is a next page.
pub fn list(resource: &Resource, plan: &Plan) -> Statement {
    page_of(resource, plan, Named::Bound)
}

/// The same for an organization that has a large share of a table: it stands in the text.
///
/// What suits others does not suit it, so that PostgreSQL would plan a statement that all share anew each
/// time that this organization is bound to it. The plan of a statement of its own is kept.
pub fn list_of_large(resource: &Resource, plan: &Plan) -> Statement {
    page_of(resource, plan, Named::Written)
}

/// How a list's one organization is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Bound,
    Written,
}

fn page_of(resource: &Resource, plan: &Plan, named: Named) -> Statement {
    let mut sql = Statement::default();
    let related: Vec<_> = plan
        .includes
        .iter()
        .filter_map(|inclusion| {
            let related =
                resource.related.iter().find(|related| related.include.name == inclusion.name);
            Some((inclusion, related?))
        })
        .collect();
    let inner = inner_columns(plan, &related);

    // To-one and to-many includes name the organization again.
    let written = match plan.tenancy {
        Tenancy::One(organization) if named == Named::Written => Some(organization.uuid()),
        _ => None,
    };
    if written.is_none() {
        sql.values.extend(tenancy_bound(plan));
    }
    let organization = written.map_or_else(|| "$1".to_owned(), |id| format!("'{id}'::uuid"));

    sql.push("select ");
    item(&mut sql, plan, &related, &organization, inner == plan.columns);
    sql.push(" as item,\n  array[").each(&plan.order, ", ", |sql, sort| {
        sql.push("p.").name(&sort.column).push("::text");
    });
    sql.push("] as keys\nfrom (\n");
    match &plan.tenancy {
        Tenancy::Global => branch(&mut sql, resource, plan, &inner, None, plan.limit + 1),
        Tenancy::One(_) => {
            branch(&mut sql, resource, plan, &inner, Some(&organization), plan.limit + 1);
        }
        Tenancy::Many(_) => {
            // One ordered branch per organization: each is served by an index, and they are merged.
            sql.push("select b.* from unnest($1::uuid[]) as o (id)\ncross join lateral (\n");
            branch(&mut sql, resource, plan, &inner, Some("o.id"), plan.limit + 1);
            sql.push("\n) b");
            order_by(&mut sql, &plan.order, "b");
            sql.push("\nlimit ").push(&(plan.limit + 1).to_string());
        }
    }
    sql.push("\n) p");
    order_by(&mut sql, &plan.order, "p");
    sql
}

/// How many rows there are in all. Its one column: the count.
///
/// One organization is compared with the transaction's once, before anything is counted. Named in
/// the `where` beside the policy, it would become a node of the plan that hands on every row.
pub fn count(resource: &Resource, plan: &Plan) -> Statement {
    let mut sql = Statement::default();
    sql.values.extend(tenancy_bound(plan));
    match plan.tenancy {
        Tenancy::One(_) => {
            sql.push("select case when $1 = ").push(HERE).push(" then (\nselect count(*)");
            from_where(&mut sql, resource, plan, Some(&format!("= {HERE}")));
            sql.push("\n) else 0 end");
        }
        Tenancy::Global => {
            sql.push("select count(*)");
            from_where(&mut sql, resource, plan, None);
        }
        Tenancy::Many(_) => {
            sql.push("select count(*)");
            from_where(&mut sql, resource, plan, Some("= any ($1)"));
        }
    }
    sql
}

/// Where an export of at most `rows` rows ends: the keys of its last row, when there are more
/// behind it. Its one column: the keys.
pub fn export_end(resource: &Resource, plan: &Plan, rows: u32) -> Statement {
    let mut sql = Statement::default();
    sql.values.extend(tenancy_bound(plan));
    let names: Vec<String> = plan.order.iter().map(|sort| sort.column.clone()).collect();
    sql.push("select array[").each(&plan.order, ", ", |sql, sort| {
        sql.push("p.").name(&sort.column).push("::text");
    });
    sql.push("] as keys\nfrom (\n");
    match &plan.tenancy {
        Tenancy::Global => branch(&mut sql, resource, plan, &names, None, rows + 1),
        Tenancy::One(_) => branch(&mut sql, resource, plan, &names, Some("$1"), rows + 1),
        Tenancy::Many(_) => {
            sql.push("select b.* from unnest($1::uuid[]) as o (id)\ncross join lateral (\n");
            branch(&mut sql, resource, plan, &names, Some("o.id"), rows + 1);
            sql.push("\n) b");
        }
    }
    sql.push("\n) p");
    order_by(&mut sql, &plan.order, "p");
    sql.push("\noffset ").push(&rows.saturating_sub(1).to_string()).push(" limit 2");
    sql
}

fn tenancy_bound(plan: &Plan) -> Option<Bound> {
    match &plan.tenancy {
        Tenancy::Global => None,
        Tenancy::One(organization) => Some(Bound::Uuid(organization.uuid())),
        Tenancy::Many(organizations) => Some(Bound::Uuids(
            organizations.iter().map(|organization| organization.uuid()).collect(),
        )),
    }
}

/// The shown columns, then those that only the order and the includes need.
fn inner_columns(plan: &Plan, related: &[(&Inclusion, &Related)]) -> Vec<String> {
    let mut columns = plan.columns.clone();
    let mut need = |name: &str| {
        if !columns.iter().any(|column| column == name) {
            columns.push(name.to_owned());
        }
    };
    plan.order.iter().for_each(|sort| need(&sort.column));
    for (_, related) in related {
        if plan.tenancy != Tenancy::Global {
            need("organization_id");
        }
        need(if related.include.many { "id" } else { related.include.column });
    }
    columns
}

/// The ordered rows of one organization.
fn branch(
    sql: &mut Statement,
    resource: &Resource,
    plan: &Plan,
    columns: &[String],
    organization: Option<&str>,
    limit: u32,
) {
    sql.push("select ").each(columns, ", ", |sql, column| {
        sql.push("t.").name(column);
    });
    let organization = organization.map(|organization| format!("= {organization}"));
    from_where(sql, resource, plan, organization.as_deref());
    sql.and_after(&plan.order, plan.after.as_ref());
    order_by(sql, &plan.order, "t");
    sql.push("\nlimit ").push(&limit.to_string());
}

fn from_where(sql: &mut Statement, resource: &Resource, plan: &Plan, organization: Option<&str>) {
    sql.push("\nfrom ").name(&resource.table.schema).push(".").name(&resource.table.name);
    match organization {
        Some(organization) => sql.push(" t\nwhere t.\"organization_id\" ").push(organization),
        None => sql.push(" t\nwhere true"),
    };
    if let Some((column, person)) = plan.owner {
        sql.push(" and t.").name(column).push(" = ").bind(Bound::Uuid(person));
    }
    sql.and_all(resource, &plan.conditions);
    sql.and_search(resource, plan.search.as_deref());
}

fn order_by(sql: &mut Statement, order: &[Sort], table: &str) {
    sql.push("\norder by ").each(order, ", ", |sql, sort| {
        sql.push(table).push(".").name(&sort.column);
        sql.push(if sort.descending { " desc" } else { "" });
    });
}

/// The row as JSON text.
fn item(
    sql: &mut Statement,
    plan: &Plan,
    related: &[(&Inclusion, &Related)],
    organization: &str,
    whole: bool,
) {
    if whole && related.is_empty() {
        sql.push("row_to_json(p)::text");
        return;
    }
    sql.push("row_to_json((select r from (select ").each(&plan.columns, ", ", |sql, column| {
        sql.push("p.").name(column);
    });
    for (inclusion, related) in related {
        sql.push(",\n  ");
        related_rows(sql, plan, inclusion, related, organization);
        sql.push(" as ").name(related.include.name);
    }
    sql.push(") r))::text");
}

fn related_rows(
    sql: &mut Statement,
    plan: &Plan,
    inclusion: &Inclusion,
    related: &Related,
    organization: &str,
) {
    let many = related.include.many;
    sql.push(if many {
        "coalesce((select json_agg(i) from (select "
    } else {
        "(select row_to_json(i) from (select "
    });
    sql.each(&related.columns, ", ", |sql, column| {
        sql.push("t.").name(&column.name);
    });
    sql.push(" from ").name(&related.table.schema).push(".").name(&related.table.name);
    sql.push(" t where ");
    match plan.tenancy {
        _ if related.spec.global => {}
        Tenancy::Many(_) => {
            sql.push("t.\"organization_id\" = p.\"organization_id\" and ");
        }
        Tenancy::One(_) | Tenancy::Global => {
            sql.push("t.\"organization_id\" = ").push(organization).push(" and ");
        }
    }
    let (inside, outside) =
        if many { (related.include.column, "id") } else { ("id", related.include.column) };
    sql.push("t.").name(inside).push(" = p.").name(outside);
    if let Some((column, person)) = inclusion.owner {
        sql.push(" and t.").name(column).push(" = ").bind(Bound::Uuid(person));
    }
    if many {
        sql.push(" order by ").each(&related.order, ", ", |sql, order| {
            sql.push("t.").name(&order.column.name);
            sql.push(if order.descending { " desc" } else { "" });
        });
        sql.push(", t.\"id\" limit ").push(&RELATED_ROWS.to_string());
        sql.push(") i), '[]')");
    } else {
        sql.push(") i)");
    }
}
