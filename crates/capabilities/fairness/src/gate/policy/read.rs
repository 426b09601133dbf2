//! Reads a policy file: all of its faults at once, each with its line where the format knows it.

use std::collections::BTreeMap;

use super::{
    Allowed, Bound, Day, FailOn, MAX_POLICY_BYTES, Measured, Policy,
    tree::{self, Node, Value},
};
use crate::{
    Fault, catalogue,
    disparities::{self, Definition},
    fault::nearest,
    task::Task,
};

const FIELDS: [&str; 9] = [
    "fail_on",
    "required_attributes",
    "min_rows",
    "min_group_rows",
    "min_compliance_score",
    "metrics",
    "thresholds",
    "attributes",
    "allow",
];
/// Whole numbers up to here are exact.
const GREATEST_WHOLE: f64 = 9_007_199_254_740_992.0;

pub(super) fn read(text: &str, task: Task) -> Result<Policy, Vec<Fault>> {
    if text.len() > MAX_POLICY_BYTES {
        let message =
            format!("The policy has {} bytes; at most {MAX_POLICY_BYTES} can be read.", text.len());
        return Err(vec![Fault::new("", "too_large", message)]);
    }
    let root = tree::parse(text)?;
    let mut reader = Reader { task, faults: Vec::new() };
    let policy = reader.policy(&root);
    if reader.faults.is_empty() { Ok(policy) } else { Err(reader.faults) }
}

struct Reader {
    /// Whose disparities and metrics are named.
    task: Task,
    faults: Vec<Fault>,
}

/// Where a value stands: its path, and its line if that is known.
fn place(path: &str, line: Option<usize>) -> String {
    line.map_or_else(|| path.to_owned(), |line| format!("line {line}, {path}"))
}

impl Reader {
    fn fault(
        &mut self,
        path: &str,
        node: &Node,
        code: &str,
        message: String,
        hint: impl Into<String>,
    ) {
        self.faults.push(Fault::new(place(path, node.line), code, message).hint(hint));
    }

    fn wrong_kind(&mut self, path: &str, node: &Node, wanted: &str) {
        let message = format!("Here stands {}; {wanted} is wanted.", node.value.kind());
        self.faults.push(Fault::new(place(path, node.line), "wrong_kind", message));
    }

    fn policy(&mut self, root: &Node) -> Policy {
        let mut policy = Policy::default();
        for (name, node) in self.table("", root, &FIELDS) {
            let path = format!("/{name}");
            match name {
                "fail_on" => policy.fail_on = self.fail_on(&path, node),
                "required_attributes" => policy.required_attributes = self.texts(&path, node),
                "min_rows" => policy.min_rows = self.whole(&path, node),
                "min_group_rows" => policy.min_group_rows = self.whole(&path, node),
                "min_compliance_score" if self.task != Task::Binary => {
                    let message = "Only analyses of yes and no have a compliance score.".to_owned();
                    let hint = "Ask for disparities by thresholds, or for metrics.";
                    self.fault(&path, node, "not_available", message, hint);
                }
                "min_compliance_score" => {
                    policy.min_compliance_score = self.number(&path, node, 0.0..=100.0);
                }
                "metrics" => policy.metrics = self.bounds(&path, node),
                "thresholds" => policy.thresholds = self.thresholds(&path, node),
                "attributes" => policy.attribute_thresholds = self.attributes(&path, node),
                "allow" => policy.allow = self.allowed(&path, node),
                _ => {}
            }
        }
        policy
    }

    /// The fields of a table, without those that are unknown, which are faults.
    fn table<'a>(
        &mut self,
        path: &str,
        node: &'a Node,
        known: &[&str],
    ) -> Vec<(&'a str, &'a Node)> {
        let Value::Table(fields) = &node.value else {
            self.wrong_kind(path, node, "a table");
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in fields {
            if known.contains(&name.as_str()) {
                found.push((name.as_str(), value));
                continue;
            }
            let hint = nearest(name, known.iter().copied()).map_or_else(
                || format!("Known are {}.", known.join(", ")),
                |meant| format!("Did you mean `{meant}`?"),
            );
            let message = format!("There is no field `{name}`.");
            self.fault(&format!("{path}/{name}"), value, "unknown_field", message, hint);
        }
        found
    }

    fn text(&mut self, path: &str, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Text(_) => {
                let fault = Fault::new(place(path, node.line), "required", "The text is empty.");
                self.faults.push(fault);
                None
            }
            _ => {
                self.wrong_kind(path, node, "a text");
                None
            }
        }
    }

    fn list<'a>(&mut self, path: &str, node: &'a Node) -> &'a [Node] {
        if let Value::List(items) = &node.value {
            return items;
        }
        self.wrong_kind(path, node, "a list");
        &[]
    }

    fn texts(&mut self, path: &str, node: &Node) -> Vec<String> {
        let items = self.list(path, node).iter().enumerate();
        items.filter_map(|(index, item)| self.text(&format!("{path}/{index}"), item)).collect()
    }

    fn number(
        &mut self,
        path: &str,
        node: &Node,
        range: std::ops::RangeInclusive<f64>,
    ) -> Option<f64> {
        let Value::Number(number) = node.value else {
            self.wrong_kind(path, node, "a number");
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        let message = format!("{number} is not between {} and {}.", range.start(), range.end());
        self.faults.push(Fault::new(place(path, node.line), "out_of_range", message));
        None
    }

    fn whole(&mut self, path: &str, node: &Node) -> Option<u64> {
        let number = self.number(path, node, 0.0..=GREATEST_WHOLE)?;
        if number.fract() == 0.0 {
            return Some(number as u64);
        }
        let message = format!("{number} is no whole number.");
        self.faults.push(Fault::new(place(path, node.line), "out_of_range", message));
        None
    }

    fn fail_on(&mut self, path: &str, node: &Node) -> Option<FailOn> {
        let word = self.text(path, node)?;
        let found = FailOn::ALL.into_iter().find(|one| one.as_str() == word);
        if found.is_none() {
            let words = FailOn::ALL.map(FailOn::as_str).join(", ");
            let message = format!("`{word}` is none of {words}.");
            self.faults.push(Fault::new(place(path, node.line), "unknown_word", message));
        }
        found
    }

    fn bounds(&mut self, path: &str, node: &Node) -> Vec<Bound> {
        let mut bounds = Vec::new();
        for (index, item) in self.list(path, node).iter().enumerate() {
            let path = format!("{path}/{index}");
            let Some(text) = self.text(&path, item) else { continue };
            match Bound::read(&text, self.task) {
                Ok(bound) => bounds.push(bound),
                Err((code, message, hint)) => self.fault(&path, item, code, message, hint),
            }
        }
        bounds
    }

    fn thresholds(&mut self, path: &str, node: &Node) -> BTreeMap<String, f64> {
        let mut thresholds = BTreeMap::new();
        let Value::Table(fields) = &node.value else {
            self.wrong_kind(path, node, "a table of disparities");
            return thresholds;
        };
        for (name, value) in fields {
            let path = format!("{path}/{name}");
            let greatest = if self.task == Task::Binary { 1e9 } else { 1e300 };
            let number = self.number(&path, value, 0.0..=greatest);
            let Some(id) = self.disparity(name) else {
                let hint = hint(self.nearest_disparity(name));
                let message = format!("There is no disparity `{name}`.");
                self.fault(&path, value, "unknown_disparity", message, hint);
                continue;
            };
            let Some(number) = number else { continue };
            if thresholds.insert(id.clone(), number).is_some() {
                let message = format!("`{name}` is another name of `{id}`.");
                self.fault(&path, value, "duplicate", message, "Name it once.");
            }
        }
        thresholds
    }

    /// The id of the task's disparity with this name.
    fn disparity(&self, name: &str) -> Option<String> {
        match self.task {
            Task::Binary => disparities::find(name).map(|definition| definition.id.clone()),
            task => catalogue::is_disparity(task, name).then(|| name.to_owned()),
        }
    }

    fn nearest_disparity(&self, name: &str) -> Option<&'static str> {
        match self.task {
            Task::Binary => {
                nearest(name, disparities::registry().iter().flat_map(Definition::names))
            }
            task => catalogue::nearest_disparity(task, name),
        }
    }

    /// The id of the task's disparity or metric with this name, or the nearest name.
    fn finding(&self, name: &str) -> Result<String, Option<&'static str>> {
        let metric = Measured::named(self.task, name);
        match (self.disparity(name), metric) {
            (Some(id), _) => Ok(id),
            (None, Ok(metric)) => Ok(metric.id.to_owned()),
            (None, Err(_)) if self.task == Task::Binary => Err(catalogue::nearest(name)),
            (None, Err(metric)) => Err(self.nearest_disparity(name).or(metric)),
        }
    }

    fn attributes(&mut self, path: &str, node: &Node) -> BTreeMap<String, BTreeMap<String, f64>> {
        let mut found = BTreeMap::new();
        let Value::Table(attributes) = &node.value else {
            self.wrong_kind(path, node, "a table of attributes");
            return found;
        };
        for (attribute, node) in attributes {
            let path = format!("{path}/{attribute}");
            for (name, node) in self.table(&path, node, &["thresholds"]) {
                let thresholds = self.thresholds(&format!("{path}/{name}"), node);
                found.insert(attribute.clone(), thresholds);
            }
        }
        found
    }

    fn allowed(&mut self, path: &str, node: &Node) -> Vec<Allowed> {
        let items = self.list(path, node).iter().enumerate();
        items
            .filter_map(|(index, item)| self.one_allowed(&format!("{path}/{index}"), item))
            .collect()
    }

    fn one_allowed(&mut self, path: &str, node: &Node) -> Option<Allowed> {
        const KNOWN: [&str; 4] = ["id", "attribute", "reason", "expires"];
        let mut texts: [Option<String>; 4] = Default::default();
        let fields = self.table(path, node, &KNOWN);
        let is_table = matches!(node.value, Value::Table(_));
        for (name, text) in KNOWN.into_iter().zip(&mut texts) {
            match fields.iter().find(|(field, _)| *field == name) {
                Some((_, value)) => *text = self.text(&format!("{path}/{name}"), value),
                None if is_table => {
                    let message = format!("A known finding needs `{name}`.");
                    let hint = "It has id, attribute, reason and expires.";
                    self.fault(&format!("{path}/{name}"), node, "required", message, hint);
                }
                None => {}
            }
        }
        let [id, attribute, reason, expires] = texts;
        let at =
            |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, node)| *node);
        let id = id.and_then(|id| match self.finding(&id) {
            Ok(id) => Some(id),
            Err(meant) => {
                let message = format!("There is no disparity or metric `{id}`.");
                let hint = hint(meant);
                self.fault(
                    &format!("{path}/id"),
                    at("id").unwrap_or(node),
                    "unknown_id",
                    message,
                    hint,
                );
                None
            }
        });
        let expires = expires.and_then(|text| {
            let day = Day::read(&text);
            if day.is_none() {
                let message = format!("`{text}` is no day.");
                let node = at("expires").unwrap_or(node);
                self.fault(
                    &format!("{path}/expires"),
                    node,
                    "not_a_day",
                    message,
                    "It is written 2026-12-31.",
                );
            }
            day
        });
        Some(Allowed {
            id: id?,
            attribute: attribute?,
            reason: reason?,
            expires: expires?,
            line: node.line,
        })
    }
}

fn hint(name: Option<&str>) -> String {
    name.map_or_else(
        || "`ephor metrics` lists them.".to_owned(),
        |name| format!("Did you mean `{name}`?"),
    )
}
