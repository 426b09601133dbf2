//! Conditions.

use super::{Bound, Statement};
use crate::{
    Resource,
    cursor::Keys,
    plan::{Condition, Sort, Target, Test},
};

impl Statement {
    /// `and` with each condition, on the table `t`.
    pub(super) fn and_all(&mut self, resource: &Resource, conditions: &[Condition]) -> &mut Self {
        for condition in conditions {
            self.push("\n  and ").condition(resource, condition);
        }
        self
    }

    fn condition(&mut self, resource: &Resource, condition: &Condition) {
        match condition {
            Condition::Group { negated, any, members } => {
                self.push(if *negated { "not (" } else { "(" });
                let separator = if *any { " or " } else { " and " };
                self.each(members, separator, |sql, member| sql.condition(resource, member));
                self.push(")");
            }
            Condition::Test { negated, target, test } => {
                self.push(if *negated { "not (" } else { "(" });
                self.test(resource, target, test).push(")");
            }
        }
    }

    fn test(&mut self, resource: &Resource, target: &Target, test: &Test) -> &mut Self {
        match test {
            Test::Compare(sign, value) => {
                self.target(resource, target).push(" ").push(sign).push(" ");
                self.bind_text(value, &target.cast)
            }
            Test::OneOf(values) => {
                self.target(resource, target).push(" = any (");
                self.bind(Bound::Texts(values.clone())).push("::").push(&target.cast).push("[])")
            }
            Test::Like { pattern, insensitive } => {
                self.target(resource, target).push(if *insensitive { " ilike " } else { " like " });
                self.bind_text(pattern, "text")
            }
            Test::Is(word) => self.target(resource, target).push(" is ").push(word),
            Test::Has(value) => {
                self.bind_text(value, &target.cast).push(" = any (");
                self.target(resource, target).push(")")
            }
        }
    }

    fn target(&mut self, resource: &Resource, target: &Target) -> &mut Self {
        if target.path.is_empty() {
            return self.push("t.").name(&target.column);
        }
        let plain_json =
            resource.column(&target.column).is_some_and(|column| column.sql_type == "json");
        self.push("(t.").name(&target.column);
        self.push(if plain_json { "::jsonb" } else { "" });
        self.push(if target.text { " #>> " } else { " #> " });
        self.bind(Bound::Texts(target.path.clone())).push("::text[])")
    }

    /// The full-text condition on the search columns.
    pub(super) fn and_search(&mut self, resource: &Resource, search: Option<&str>) -> &mut Self {
        let Some(query) = search else { return self };
        self.push("\n  and to_tsvector('simple', ");
        self.each(resource.spec.search, " || ' ' || ", |sql, column| {
            sql.push("coalesce(t.").name(column).push(", '')");
        });
        self.push(") @@ to_tsquery('simple', ").bind_text(query, "text").push(")")
    }

    /// Keeps the rows that stand behind the keys in the order. Nulls count as greatest.
    pub(super) fn and_after(&mut self, order: &[Sort], after: Option<&Keys>) -> &mut Self {
        let Some(keys) = after else { return self };
        let pairs: Vec<_> = order.iter().zip(keys).collect();
        self.push("\n  and ");
        let uniform =
            order.iter().all(|sort| !sort.nullable && sort.descending == order[0].descending);
        if uniform {
            // One comparison of rows: what an index on the order serves directly.
            self.push("(").each(&pairs, ", ", |sql, (sort, _)| {
                sql.push("t.").name(&sort.column);
            });
            self.push(if order[0].descending { ") < (" } else { ") > (" });
            self.each(&pairs, ", ", |sql, (sort, key)| {
                sql.bind_text(key.as_deref().unwrap_or_default(), &sort.cast);
            });
            return self.push(")");
        }
        self.behind_all(&pairs)
    }

    /// What stands behind the first key, or at it and behind the others.
    fn behind_all(&mut self, pairs: &[(&Sort, &Option<String>)]) -> &mut Self {
        let Some((&(sort, key), others)) = pairs.split_first() else { return self };
        match key {
            _ if others.is_empty() => self.behind(sort, key.as_deref()),
            Some(key) if !sort.nullable => {
                // An index is entered at the key by the first half. PostgreSQL takes the second for true of nearly all
                // rows, as it is, and so keeps one plan for every key; of `<` and `=` it would expect a ninth of the
                // rows, and plan each page anew.
                self.push("t.").name(&sort.column);
                self.push(if sort.descending { " <= " } else { " >= " });
                self.bind_text(key, &sort.cast).push(" and (t.").name(&sort.column);
                self.push(" <> ").bind_text(key, &sort.cast).push(" or ").behind_all(others);
                self.push(")");
            }
            key => {
                self.push("(").behind(sort, key.as_deref());
                self.push(" or (").equal(sort, key.as_deref());
                self.push(" and ").behind_all(others).push("))");
            }
        }
        self
    }

    fn equal(&mut self, sort: &Sort, key: Option<&str>) {
        self.push("t.").name(&sort.column);
        match key {
            Some(key) => self.push(" = ").bind_text(key, &sort.cast),
            None => self.push(" is null"),
        };
    }

    fn behind(&mut self, sort: &Sort, key: Option<&str>) {
        match (key, sort.descending) {
            // Nothing is greater than null; everything else is less.
            (None, false) => {
                self.push("false");
            }
            (None, true) => {
                self.push("t.").name(&sort.column).push(" is not null");
            }
            (Some(key), true) => {
                self.push("t.").name(&sort.column).push(" < ").bind_text(key, &sort.cast);
            }
            (Some(key), false) => {
                self.push("(t.").name(&sort.column).push(" > ").bind_text(key, &sort.cast);
                if sort.nullable {
                    self.push(" or t.").name(&sort.column).push(" is null");
                }
                self.push(")");
            }
        }
    }
}
