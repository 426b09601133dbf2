//! Every metric of every group, with its interval.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{AttributeResult, Group, MetricValue, metrics};

use crate::{
    plot,
    view::{Head, Html, Table, format},
};

/// What most readers look for first; the rest is one click away.
const FIRST: [&str; 7] =
    ["base_rate", "selection_rate", "tpr", "fpr", "ppv", "accuracy", "roc_auc"];

/// One attribute's groups.
#[derive(Debug, Clone, Template)]
#[template(path = "result/groups.html")]
pub(super) struct GroupCard {
    pub(super) anchor: String,
    pub(super) name: String,
    /// An intersection, which is opened by whoever wants it.
    pub(super) folded: bool,
    pub(super) first: Table,
    pub(super) rest: Table,
}

impl HtmlSafe for GroupCard {}

impl GroupCard {
    pub(super) fn new(result: &AttributeResult, overall: &Group) -> Self {
        let name = result.attributes.join(" and ");
        let known: Vec<&str> = overall.metrics.iter().map(|metric| metric.id.as_str()).collect();
        let first: Vec<&str> = FIRST.into_iter().filter(|id| known.contains(id)).collect();
        let rest: Vec<&str> = known
            .into_iter()
            .filter(|id| !first.contains(id) && *id != "count" && *id != "share")
            .collect();
        let groups: Vec<&Group> = result.groups.iter().chain([overall]).collect();
        Self {
            anchor: plot::slug(&result.name),
            folded: result.attributes.len() > 1,
            first: table(&format!("Group metrics by {name}"), &name, &groups, &first),
            rest: table(&format!("More group metrics by {name}"), &name, &groups, &rest),
            name,
        }
    }

    pub(super) fn has_rest(&self) -> bool {
        self.rest.heads.len() > 2
    }
}

fn table(label: &str, name: &str, groups: &[&Group], ids: &[&str]) -> Table {
    let mut heads = vec![Head::new(name), Head::right("Rows")];
    heads.extend(ids.iter().map(|id| {
        Head::right(
            metrics::find(id).map_or_else(|| format::label(id), |metric| metric.title.to_string()),
        )
    }));
    let rows = groups
        .iter()
        .map(|group| {
            let mark = if group.small { "too small to compare" } else { "" };
            let shown = if group.values.is_empty() {
                "everybody".to_owned()
            } else {
                group.values.join(" · ")
            };
            let mut cells = vec![Html::text(&shown).sub(mark), Html::text(&format::count(group.n))];
            cells.extend(ids.iter().map(|id| group.metric(id).map_or_else(Html::default, cell)));
            cells
        })
        .collect();
    Table { label: label.to_owned(), heads, rows }
}

fn cell(metric: &MetricValue) -> Html {
    let Some(value) = metric.value else {
        return Html::text("undefined").sub(metric.undefined.as_deref().unwrap_or_default());
    };
    let interval = metric.interval.as_ref().map_or_else(String::new, |interval| {
        format!("{}\u{2013}{}", format::decimal(interval.lower), format::decimal(interval.upper))
    });
    Html::text(&format::decimal(value)).sub(&interval)
}
