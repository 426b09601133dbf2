//! Every metric of every group, with its interval.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{AnalysisResult, AttributeResult, Group, MetricValue, NotCompared, metrics};

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
    pub(super) fn new(all: &AnalysisResult, result: &AttributeResult) -> Self {
        let overall = &all.overall;
        let name = result.attributes.join(" and ");
        let known: Vec<&str> = overall.metrics.iter().map(|metric| metric.id.as_str()).collect();
        let first: Vec<&str> = FIRST.into_iter().filter(|id| known.contains(id)).collect();
        let rest: Vec<&str> = known
            .into_iter()
            .filter(|id| !first.contains(id) && *id != "count" && *id != "share")
            .collect();
        let groups: Vec<(&Group, Option<NotCompared>)> = result
            .groups
            .iter()
            .map(|group| (group, all.not_compared(result, group)))
            .chain([(overall, None)])
            .collect();
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

fn table(label: &str, name: &str, groups: &[(&Group, Option<NotCompared>)], ids: &[&str]) -> Table {
    let mut heads = vec![Head::new(name), Head::right("Rows")];
    heads.extend(ids.iter().map(|id| {
        Head::right(
            metrics::find(id).map_or_else(|| format::label(id), |metric| metric.title.to_string()),
        )
    }));
    let rows = groups
        .iter()
        .map(|(group, not_compared)| {
            let mark = not_compared.map_or("", NotCompared::title);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn what_is_counted_together_is_not_called_small() {
        let result = samples::pooled();
        let table = GroupCard::new(&result, &result.attributes[0]).first;
        let row = |name: &str| {
            let rows: Vec<String> = table
                .rows
                .iter()
                .map(|cells| cells[0].to_string())
                .filter(|cell| cell.contains(name))
                .collect();
            assert_eq!(rows.len(), 1, "{name}");
            rows.concat()
        };
        let other = row("(other)");
        assert!(other.contains("values counted together, not compared"), "{other}");
        assert!(!other.contains("small"), "{other}");
        assert!(row("few").contains("too small to be compared"));
        assert!(!row("everybody").contains("class=\"sub\""));
    }
}
