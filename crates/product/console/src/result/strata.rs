//! Groups compared within strata, one card for each attribute or intersection.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{AttributeResult, Strata, StrataPair, metrics};

use crate::{
    plot,
    report::figures::probability,
    view::{Head, Html, Notice, Table, format},
};

/// One attribute's strata.
#[derive(Debug, Clone, Template)]
#[template(path = "result/strata.html")]
pub(super) struct StrataCard {
    pub(super) anchor: String,
    pub(super) name: String,
    /// An intersection, which is opened by whoever wants it.
    pub(super) folded: bool,
    /// How many strata there are, in words.
    pub(super) kept: String,
    pub(super) notes: Option<Notice>,
    pub(super) pairs: Option<Table>,
    pub(super) rates: Option<Table>,
    pub(super) small: Option<Table>,
}

impl HtmlSafe for StrataCard {}

impl StrataCard {
    /// `None` without strata.
    pub(super) fn new(result: &AttributeResult) -> Option<Self> {
        let strata = result.strata.as_ref()?;
        let name = result.attributes.join(" and ");
        let kept = format!(
            "{} of {}, {} of them too small",
            format::plural(strata.count, "stratum", "strata"),
            strata.column,
            format::count(strata.too_small_count)
        );
        Some(Self {
            anchor: plot::slug(&result.name),
            folded: result.attributes.len() > 1,
            kept,
            notes: (!strata.notes.is_empty()).then(|| {
                Notice::warning("The whole and its strata disagree").items(strata.notes.clone())
            }),
            pairs: pairs(strata, &name),
            rates: rates(strata, &name),
            small: small(strata),
            name,
        })
    }
}

fn title(metric: &str) -> String {
    metrics::find(metric).map_or_else(|| format::label(metric), |metric| metric.title.to_owned())
}

/// A number that may be missing.
fn known(value: Option<f64>) -> Html {
    Html::text(&value.map_or_else(|| "\u{2013}".to_owned(), format::decimal))
}

fn pairs(strata: &Strata, name: &str) -> Option<Table> {
    let row = |pair: &StrataPair| {
        let turned = if pair.reverses { "the opposite of all rows" } else { "" };
        let p = pair.p_value.map_or_else(|| "\u{2013}".to_owned(), probability);
        vec![
            Html::text(&format!("{} and {}", pair.group, pair.other)).sub(&title(&pair.metric)),
            known(pair.pooled),
            known(pair.conditional).sub(turned),
            known(pair.ratio),
            known(pair.odds_ratio),
            Html::text(&p),
            Html::text(&format::count(pair.strata)),
        ]
    };
    (!strata.pairs.is_empty()).then(|| Table {
        label: format!("Groups of {name} within strata"),
        heads: vec![
            Head::new("Groups"),
            Head::right("Difference, all rows"),
            Head::right("Within strata"),
            Head::right("Ratio within strata"),
            Head::right("Odds ratio"),
            Head::right("p"),
            Head::right("Strata"),
        ],
        rows: strata.pairs.iter().map(row).collect(),
    })
}

/// One line for each stratum and metric, one column for each group.
fn rates(strata: &Strata, name: &str) -> Option<Table> {
    let first = strata.strata.first()?;
    let mut groups: Vec<&str> = Vec::new();
    for rate in &first.rates {
        if !groups.contains(&rate.group.as_str()) {
            groups.push(&rate.group);
        }
    }
    let mut rows = Vec::new();
    for stratum in &strata.strata {
        // Rates stand by metric, and within each by group.
        for of_metric in stratum.rates.chunk_by(|one, other| one.metric == other.metric) {
            let metric = of_metric.first().map_or("", |rate| rate.metric.as_str());
            let mut cells = vec![
                Html::text(&stratum.stratum).sub(&title(metric)),
                Html::text(&format::count(stratum.n)),
            ];
            cells.extend(groups.iter().map(|group| {
                of_metric
                    .iter()
                    .find(|rate| rate.group == **group)
                    .map_or_else(Html::default, |rate| {
                        known(rate.value).sub(&format::plural(rate.n, "row", "rows"))
                    })
            }));
            rows.push(cells);
        }
    }
    let mut heads = vec![Head::new(&strata.column), Head::right("Rows")];
    heads.extend(groups.iter().map(|group| Head::right(*group)));
    let hidden = strata.compared.saturating_sub(strata.strata.len() as u64);
    let label = if hidden > 0 {
        format!(
            "Rates of {name} in the largest strata; {} more are compared too",
            format::count(hidden)
        )
    } else {
        format!("Rates of {name} in each stratum")
    };
    (!rows.is_empty()).then_some(Table { label, heads, rows })
}

fn small(strata: &Strata) -> Option<Table> {
    let hidden = strata.too_small_count.saturating_sub(strata.too_small.len() as u64);
    let mut rows: Vec<Vec<Html>> = strata
        .too_small
        .iter()
        .map(|small| vec![Html::text(&small.stratum), Html::text(&format::count(small.n))])
        .collect();
    if hidden > 0 {
        rows.push(vec![
            Html::text(&format!("and {} more", format::count(hidden))),
            Html::default(),
        ]);
    }
    (!rows.is_empty()).then(|| Table {
        label: "Strata that are too small".to_owned(),
        heads: vec![Head::new(&strata.column), Head::right("Rows")],
        rows,
    })
}
