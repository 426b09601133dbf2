//! The plan of a list.

use std::collections::BTreeSet;

use ephor_kernel::{Fault, OrganizationId, Problem, Scope};
use uuid::Uuid;

use super::{Condition, Inclusion, Plan, Sort, Target, Tenancy, Test, check, order_text, search};
use crate::{
    Kind, ListRequest, Resource,
    cursor::{Binding, Cursors},
    filter::{self, MAX_CONDITIONS},
    nearest::hint,
    resource::{Order, direction},
    spec::Personal,
};

/// Rows on a page when the caller doesn't say.
pub const PAGE_ROWS: u32 = 50;
/// Rows on a page at most.
pub const MAX_ROWS: u32 = 500;
/// Parameters in one query string at most.
const MAX_PARAMETERS: usize = 200;

const RESERVED: [&str; 8] =
    ["q", "sort", "fields", "include", "limit", "cursor", "count", "organizations"];

/// The plan of a list as `scope` may see it; `rows` is the limit when none is given, and the
/// greatest. Everything that is wrong is said at once, with the parameter that it is wrong with.
pub fn plan(
    resource: &Resource,
    request: &ListRequest,
    scope: &Scope,
    cursors: &Cursors,
    rows: (u32, u32),
) -> Result<Plan, Problem> {
    let seen = resource.seen_with(scope.permissions());
    let mut planner = Planner::new(&seen, request, scope);
    let plan = planner.list(cursors, rows);
    Problem::unless_empty(planner.faults)?;
    Ok(plan)
}

/// The plan of one row: `request` may ask for `fields`, `include` and `organizations`.
/// The order is the version, when there is one, so that its key is at hand.
pub(crate) fn point(
    resource: &Resource,
    id: Uuid,
    request: &ListRequest,
    scope: &Scope,
) -> Result<Plan, Problem> {
    let seen = resource.seen_with(scope.permissions());
    let mut planner = Planner::new(&seen, request, scope);
    let mut plan = planner.point();
    Problem::unless_empty(planner.faults)?;
    plan.conditions.push(Condition::Test {
        negated: false,
        target: Target { column: "id".into(), path: Vec::new(), text: false, cast: "uuid".into() },
        test: Test::Compare("=", id.to_string()),
    });
    let version = resource.column("version").or_else(|| resource.column("id"));
    plan.order = version
        .map(|column| sort_of(&Order { column: column.clone(), descending: false }))
        .into_iter()
        .collect();
    Ok(plan)
}

struct Planner<'a> {
    resource: &'a Resource,
    request: &'a ListRequest,
    scope: &'a Scope,
    faults: Vec<Fault>,
}

/// The one person whose rows a personal resource shows to this scope.
pub(crate) fn owner(
    personal: Option<Personal>,
    permission: &str,
    scope: &Scope,
) -> Option<(&'static str, Uuid)> {
    let Personal { column, everybodys } = personal?;
    let may = everybodys.is_some_and(|action| scope.permissions().allows(permission, action));
    (!may).then(|| (column, scope.principal().uuid()))
}

fn sort_of(order: &Order) -> Sort {
    let column = &order.column;
    Sort {
        column: column.name.clone(),
        cast: check::cast(&column.kind, &column.sql_type).to_owned(),
        nullable: column.nullable,
        descending: order.descending,
    }
}

impl<'a> Planner<'a> {
    fn new(resource: &'a Resource, request: &'a ListRequest, scope: &'a Scope) -> Self {
        Self { resource, request, scope, faults: Vec::new() }
    }

    fn list(&mut self, cursors: &Cursors, rows: (u32, u32)) -> Plan {
        self.once_each(&RESERVED);
        let tenancy = self.tenancy();
        let order = self.order(&tenancy);
        Plan {
            conditions: self.conditions(),
            search: self.search(),
            after: self.after(cursors, &order, &tenancy),
            limit: self.limit(rows),
            count: self.count(),
            order,
            ..self.shape(tenancy)
        }
    }

    fn point(&mut self) -> Plan {
        const ALLOWED: [&str; 3] = ["fields", "include", "organizations"];
        self.once_each(&ALLOWED);
        for (name, _) in self.request.pairs() {
            if !ALLOWED.contains(&name.as_str()) {
                let message = format!("`{}` means nothing for a single row", shown(name));
                self.fault(name, "unknown_parameter", message, hint(name, ALLOWED));
            }
        }
        let tenancy = self.tenancy();
        self.shape(tenancy)
    }

    /// What both have in common.
    fn shape(&mut self, tenancy: Tenancy) -> Plan {
        Plan {
            resource: self.resource.spec.path,
            tenancy,
            owner: owner(self.resource.spec.personal, self.resource.spec.permission, self.scope),
            columns: self.columns(),
            includes: self.includes(),
            conditions: Vec::new(),
            search: None,
            order: Vec::new(),
            after: None,
            limit: 1,
            count: false,
        }
    }

    fn fault(
        &mut self,
        parameter: &str,
        code: &'static str,
        message: String,
        hint: Option<String>,
    ) {
        let fault = Fault::new(format!("query:{}", shown(parameter)), code, message);
        self.faults.push(match hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        });
    }

    fn once_each(&mut self, names: &[&str]) {
        let pairs = self.request.pairs();
        if pairs.len() > MAX_PARAMETERS {
            let message =
                format!("there are {} parameters; {MAX_PARAMETERS} are the most", pairs.len());
            self.fault("*", "too_many", message, None);
        }
        for name in names {
            if pairs.iter().filter(|(pair, _)| pair == name).count() > 1 {
                self.fault(name, "repeated", format!("`{name}` is given more than once"), None);
            }
        }
    }

    /// A list of names separated by commas, each known and given once.
    fn names(&mut self, parameter: &str, known: &[&'a str]) -> Option<Vec<&'a str>> {
        let text = self.request.get(parameter)?;
        let mut names = Vec::new();
        for name in text.split(',').map(str::trim) {
            match known.iter().find(|known| **known == name) {
                Some(known) if names.contains(known) => {
                    let message = format!("`{name}` is named more than once");
                    self.fault(parameter, "repeated", message, None);
                }
                Some(known) => names.push(*known),
                None => {
                    let plural = self.resource.spec.plural;
                    let message = format!("{plural} have no `{}` to ask for here", shown(name));
                    self.fault(
                        parameter,
                        "unknown_column",
                        message,
                        hint(name, known.iter().copied()),
                    );
                }
            }
        }
        Some(names)
    }

    fn tenancy(&mut self) -> Tenancy {
        let readable = self.scope.readable();
        let own = if self.resource.spec.global {
            Tenancy::Global
        } else {
            Tenancy::One(self.scope.organization())
        };
        let Some(text) = self.request.get("organizations") else { return own };
        if !self.resource.spec.reach {
            let plural = self.resource.spec.plural;
            let message = match own {
                Tenancy::Global => format!("{plural} are the same for all organizations"),
                _ => format!("{plural} are read in one organization at a time"),
            };
            self.fault("organizations", "operator", message, None);
            return own;
        }
        if text == "all" {
            return Tenancy::Many(readable.to_vec());
        }
        let mut chosen = BTreeSet::new();
        for word in text.split(',') {
            match word.trim().parse::<OrganizationId>() {
                Ok(id) if readable.contains(&id) => {
                    chosen.insert(id);
                }
                // One that may not be read looks like one that does not exist.
                _ => self.fault(
                    "organizations",
                    "unknown_reference",
                    format!("`{}` is not an organization that you may read", shown(word)),
                    Some("give ids of your organization or its subsidiaries, or `all`".into()),
                ),
            }
        }
        Tenancy::Many(chosen.into_iter().collect())
    }

    fn columns(&mut self) -> Vec<String> {
        let resource = self.resource;
        let known: Vec<_> = resource.names().collect();
        let chosen = self.names("fields", &known).unwrap_or(known);
        chosen.into_iter().map(str::to_owned).collect()
    }

    fn includes(&mut self) -> Vec<Inclusion> {
        let resource = self.resource;
        let known: Vec<_> = resource.related.iter().map(|related| related.include.name).collect();
        let chosen = self.names("include", &known).unwrap_or_default();
        let mut includes = Vec::new();
        for related in &resource.related {
            if !chosen.contains(&related.include.name) {
                continue;
            }
            if related.spec.readable_in(self.scope) {
                let owner = owner(related.spec.personal, related.spec.permission, self.scope);
                includes.push(Inclusion { name: related.include.name, owner });
            } else {
                let word = related.spec.permission;
                let message =
                    format!("`{}` needs the permission {word}:read", related.include.name);
                self.fault("include", "forbidden", message, None);
            }
        }
        includes
    }

    fn conditions(&mut self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let mut size = 0;
        for (name, value) in self.request.pairs() {
            if RESERVED.contains(&name.as_str()) {
                continue;
            }
            if !self.is_filter(name) {
                let known = self.resource.names().chain(RESERVED).collect::<Vec<_>>();
                let plural = self.resource.spec.plural;
                let message =
                    format!("{plural} have neither a column nor a parameter `{}`", shown(name));
                self.fault(name, "unknown_parameter", message, hint(name, known));
                continue;
            }
            match filter::parameter(name, value) {
                Ok(filter) => {
                    size += filter.size();
                    let pointer = format!("query:{}", shown(name));
                    conditions.extend(check::check(
                        self.resource,
                        filter,
                        &pointer,
                        &mut self.faults,
                    ));
                }
                Err(error) => self.fault(name, "filter", error.message, Some(error.hint.into())),
            }
        }
        if size > MAX_CONDITIONS {
            let message = format!("there are {size} conditions; {MAX_CONDITIONS} are the most");
            self.fault("*", "too_many", message, None);
        }
        conditions
    }

    fn is_filter(&self, name: &str) -> bool {
        let word = name.strip_prefix("not.").unwrap_or(name);
        let column = name.split("->").next().unwrap_or(name);
        matches!(word, "and" | "or") || self.resource.column(column).is_some()
    }

    fn search(&mut self) -> Option<String> {
        let text = self.request.get("q")?;
        if self.resource.spec.search.is_empty() {
            let message = format!("{} have no text to search", self.resource.spec.plural);
            self.fault("q", "operator", message, None);
        } else if text.chars().count() > 500 {
            self.fault("q", "too_long", "the search has more than 500 characters".into(), None);
        }
        search::terms(text)
    }

    fn order(&mut self, tenancy: &Tenancy) -> Vec<Sort> {
        let mut order = match self.request.get("sort") {
            None => self.resource.order.iter().map(sort_of).collect(),
            Some(text) => self.sort_keys(text),
        };
        // The id makes the order total; upwards, as in the tables' indexes
        // (organization_id, created_at desc, id).
        let mut ties = vec!["id"];
        if matches!(tenancy, Tenancy::Many(_)) {
            ties.push("organization_id");
        }
        for tie in ties {
            if let (Some(column), false) =
                (self.resource.table.column(tie), order.iter().any(|sort| sort.column == tie))
            {
                order.push(sort_of(&Order { column: column.clone(), descending: false }));
            }
        }
        order
    }

    fn sort_keys(&mut self, text: &str) -> Vec<Sort> {
        let mut order: Vec<Sort> = Vec::new();
        for key in text.split(',').map(str::trim) {
            let (descending, name) = direction(key);
            let resource = self.resource;
            match resource.column(name) {
                Some(column) if !column.kind.ordered() => {
                    let message = format!(
                        "lists cannot be sorted by `{name}`, which is {}",
                        column.kind.noun()
                    );
                    self.fault("sort", "operator", message, None);
                }
                Some(_) if order.iter().any(|sort| sort.column == name) => {
                    self.fault(
                        "sort",
                        "repeated",
                        format!("`{name}` is named more than once"),
                        None,
                    );
                }
                Some(column) => order.push(sort_of(&Order { column: column.clone(), descending })),
                None => {
                    let message =
                        format!("{} have no column `{}`", resource.spec.plural, shown(name));
                    let sortable = resource.columns().filter(|column| column.kind.ordered());
                    let names: Vec<_> = sortable.map(|column| column.name.as_str()).collect();
                    self.fault("sort", "unknown_column", message, hint(name, names));
                }
            }
        }
        if order.len() > 5 {
            self.fault("sort", "too_many", "lists are sorted by 5 columns at most".into(), None);
        }
        order
    }

    fn after(
        &mut self,
        cursors: &Cursors,
        order: &[Sort],
        tenancy: &Tenancy,
    ) -> Option<crate::cursor::Keys> {
        let cursor = self.request.get("cursor")?;
        let text = order_text(order);
        let binding = Binding {
            resource: self.resource.spec.path,
            order: &text,
            organizations: tenancy.organizations(),
        };
        let keys = cursors.open(binding, cursor).filter(|keys| keys.len() == order.len());
        if keys.is_none() {
            self.fault(
                "cursor",
                "cursor",
                "the cursor is not one that this list gave: it belongs to another resource, order or organization, or was altered".into(),
                Some("send `next` of the page before unchanged, with the same `sort` and `organizations`, or start again without a cursor".into()),
            );
        }
        keys
    }

    fn limit(&mut self, (default, most): (u32, u32)) -> u32 {
        let Some(text) = self.request.get("limit") else { return default };
        match Kind::Integer(32).parse(text).and_then(|number| number.parse().ok()) {
            Some(limit) if (1..=most).contains(&limit) => limit,
            _ => {
                let message = format!("`{}` is not a whole number from 1 to {most}", shown(text));
                self.fault("limit", "out_of_range", message, None);
                default
            }
        }
    }

    fn count(&mut self) -> bool {
        match self.request.get("count") {
            None => false,
            Some("exact") => true,
            Some(other) => {
                let message = format!("`{}` is not a way of counting", shown(other));
                self.fault("count", "vocabulary", message, Some("write count=exact".into()));
                false
            }
        }
    }
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}
