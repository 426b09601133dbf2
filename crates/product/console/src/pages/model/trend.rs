//! `GET /models/{id}/trend`: how fair a model was, version after version.

use askama::Template;
use axum::extract::State;
use ephor_assurance::{
    reports::metric_named,
    trend::{Line, Mark, Point, Trend, model_trend},
};
use ephor_fairness::{Status, catalogue, task::Task};
use ephor_kernel::ModelId;
use ephor_rest::Id;

use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::{analysis::verdict, resource::Action},
    plot::{TrendChart, TrendMark},
    view::{Badge, Choice, Field, Head, Html, Icon, Moment, Notice, Table, format},
    visit::{Answer, Visit},
};

/// The most lines that one page draws; with more, a disparity is chosen.
const MOST_DRAWN: usize = 24;
const BINARY: &str = Task::Binary.as_str();

/// A line with its table.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    title: String,
    verdict: Badge,
    chart: TrendChart,
    table: Table,
}

/// A model's analyses over its versions.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/model/trend.html")]
pub(crate) struct TrendPage {
    frame: Frame,
    lede: String,
    here: String,
    downloads: Vec<Action>,
    metric: Option<Field>,
    notice: Option<Notice>,
    score: Option<TrendChart>,
    analyses: Table,
    lines: Vec<Drawn>,
}

pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    visit.scope.require("models", "read")?;
    let metric = visit.query.get("metric").filter(|name| !name.is_empty());
    let metric = metric.map(metric_named).transpose()?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let trend = model_trend(&mut tx, id, metric).await?;
    tx.commit().await?;
    let frame = visit
        .frame("Trend", "/models")
        .crumb("Models", "/models")
        .crumb(&trend.model, format!("/models/{id}"));
    Ok(page(&TrendPage::new(frame, &trend)))
}

impl TrendPage {
    pub(crate) fn new(frame: Frame, trend: &Trend) -> Self {
        let id = trend.model_id;
        let many = trend.points.len() as u64;
        // Only analyses of yes or no have a score.
        let scored = trend.points.iter().filter(|point| point.task == BINARY).count();
        let undrawn = trend.lines.len().saturating_sub(MOST_DRAWN);
        Self {
            lede: format!(
                "{}: {}, in the order of its versions",
                trend.model,
                format::plural(many, "completed analysis", "completed analyses")
            ),
            here: format!("/models/{id}/trend"),
            downloads: vec![
                Action::new("Model card as HTML", format!("/models/{id}/card.html"), "download"),
                Action::new("Model card as PDF", format!("/models/{id}/card.pdf"), "download"),
                Action::new("Model card as Markdown", format!("/models/{id}/card.md"), "download"),
                Action::new("Model card as JSON", format!("/models/{id}/card.json"), "download"),
            ],
            metric: (many > 0).then(|| metric_field(trend.metric.as_deref())),
            notice: (trend.truncated || undrawn > 0).then(|| {
                Notice::info("Not all of it is shown")
                    .text("The latest 100 analyses are, and the lines that matter most. Choose a disparity to see it for every attribute.")
            }),
            score: (scored > 1).then(|| score(&trend.points)),
            analyses: analyses(&trend.points),
            lines: drawn(trend),
            frame,
        }
    }
}

fn metric_field(chosen: Option<&str>) -> Field {
    let all = std::iter::once(Choice::new("", "All that were judged"));
    let known = catalogue::disparity_ids().map(|(id, title)| Choice::new(id, title));
    let mut field = Field::new("metric", "Disparity")
        .select(all.chain(known).collect())
        .value(chosen.unwrap_or_default());
    // Not required: browsers take an empty choice for none, and would not send it.
    field.quiet = true;
    field
}

/// The compliance score over the versions.
pub(crate) fn score(points: &[Point]) -> TrendChart {
    let value = |point: &Point| point.compliance_score?.to_string().parse().ok();
    TrendChart {
        label: format!(
            "Compliance score of {}; the table holds all values",
            format::plural(points.len() as u64, "analysis", "analyses")
        ),
        marks: points
            .iter()
            .map(|point| TrendMark {
                value: value(point),
                interval: None,
                tone: tone(point.outcome.as_deref()),
            })
            .collect(),
        versions: points.iter().map(version).collect(),
        limits: Vec::new(),
        axis: (0.0, 100.0),
    }
}

fn version(point: &Point) -> String {
    point.semantic_version.clone().unwrap_or_else(|| "\u{2013}".to_owned())
}

fn tone(word: Option<&str>) -> &'static str {
    match word {
        Some("pass") => "pass",
        Some("warning") => "warning",
        Some("fail") => "fail",
        _ => "",
    }
}

fn judged(word: Option<&str>) -> Badge {
    word.and_then(verdict).unwrap_or_else(|| Badge::verdict(None))
}

/// The latest first: that is what one looks for in a table.
fn analyses(points: &[Point]) -> Table {
    let row = |index: usize| {
        let point = &points[index];
        let score = point.compliance_score;
        // Numbers of two tasks have nothing to do with one another.
        let before = points[..index].iter().rev().find(|before| before.task == point.task);
        let earlier = before.map(|before| {
            let href =
                format!("/analyses/{}/compare?with={}", point.analysis_id, before.analysis_id);
            Html::link(&href, "Compare with the one before")
        });
        vec![
            Html::link(&format!("/analyses/{}", point.analysis_id), &point.name),
            Html::text(&version(point)),
            Html::of(&judged(point.outcome.as_deref())),
            Html::text(&score.map_or_else(|| "\u{2013}".to_owned(), |score| score.to_string())),
            Html::of(&Moment(point.completed_at)),
            earlier.unwrap_or_else(|| Html::text("\u{2013}")),
        ]
    };
    Table {
        label: "Analyses of the model, the latest first".to_owned(),
        heads: vec![
            Head::new("Analysis"),
            Head::new("Version"),
            Head::new("Verdict"),
            Head::right("Score"),
            Head::new("Completed"),
            Head::new("What changed"),
        ],
        rows: (0..points.len()).rev().map(row).collect(),
    }
}

/// The lines, what is worst now first.
fn drawn(trend: &Trend) -> Vec<Drawn> {
    let mut lines: Vec<&Line> = trend.lines.iter().collect();
    let status = |line: &Line| match line.marks.last().and_then(|mark| mark.status.as_deref()) {
        Some("fail") => Some(Status::Fail),
        Some("warning") => Some(Status::Warning),
        Some("pass") => Some(Status::Pass),
        _ => None,
    };
    // Stable: within a status the engine's order stays.
    lines.sort_by_key(|line| std::cmp::Reverse(status(line)));
    lines.truncate(MOST_DRAWN);
    lines.into_iter().map(|line| drawn_line(line, &trend.points, status(line))).collect()
}

fn drawn_line(line: &Line, points: &[Point], status: Option<Status>) -> Drawn {
    let mut title = format!("{} by {}", line.title, line.attribute);
    // Of several tasks, two may have a disparity of one name.
    if points.iter().any(|point| point.task != line.task) {
        title.push_str(&format!(" ({})", line.task));
    }
    let points: Vec<&Point> = points.iter().filter(|point| point.task == line.task).collect();
    let at = |point: &Point| line.marks.iter().find(|mark| mark.analysis_id == point.analysis_id);
    let threshold = line.marks.last().and_then(|mark| mark.threshold);
    let ideal = line.ideal.unwrap_or(0.0);
    let limits = threshold.map_or_else(Vec::new, |accepted| limits(line, ideal, accepted));
    let marks = points.iter().map(|&point| {
        at(point).map_or_else(TrendMark::default, |mark| TrendMark {
            value: mark.value,
            interval: mark.interval_low.zip(mark.interval_high),
            tone: tone(mark.status.as_deref()),
        })
    });
    Drawn {
        verdict: Badge::verdict(status),
        chart: TrendChart {
            label: format!("{title} over the versions; the table holds all values"),
            marks: marks.collect(),
            versions: points.iter().map(|&point| version(point)).collect(),
            limits,
            axis: (ideal.min(0.0), ideal),
        },
        table: Table {
            label: format!("{title}, the latest first"),
            heads: vec![
                Head::new("Version"),
                Head::new("Completed"),
                Head::new("Status"),
                Head::right("Value"),
                Head::right("Interval"),
                Head::right("Accepted deviation"),
            ],
            rows: points.iter().rev().filter_map(|&point| Some(row(point, at(point)?))).collect(),
        },
        title,
    }
}

/// What is accepted, on each side of the ideal that has values.
fn limits(line: &Line, ideal: f64, accepted: f64) -> Vec<f64> {
    let values = || {
        let drawn = |mark: &Mark| [mark.value, mark.interval_low, mark.interval_high];
        line.marks.iter().flat_map(drawn).flatten()
    };
    let (below, above) = if ideal == 1.0 && accepted < 1.0 {
        (1.0 - accepted, 1.0 / (1.0 - accepted))
    } else {
        (ideal - accepted, ideal + accepted)
    };
    let mut limits = Vec::new();
    if values().any(|value| value < ideal) {
        limits.push(below);
    }
    if values().any(|value| value > ideal) || limits.is_empty() {
        limits.push(above);
    }
    limits
}

fn row(point: &Point, mark: &Mark) -> Vec<Html> {
    let interval = mark.interval_low.zip(mark.interval_high).map_or_else(
        || "\u{2013}".to_owned(),
        |(low, high)| format!("{} to {}", format::decimal(low), format::decimal(high)),
    );
    vec![
        Html::link(&format!("/analyses/{}", point.analysis_id), &version(point)),
        Html::of(&Moment(point.completed_at)),
        Html::of(&judged(mark.status.as_deref())),
        mark.value.map_or_else(
            || Html::text("undefined").sub(mark.undefined_reason.as_deref().unwrap_or_default()),
            |value| Html::text(&format::decimal(value)),
        ),
        Html::text(&interval),
        Html::text(&mark.threshold.map(format::decimal).unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use ephor_kernel::AnalysisId;

    use super::*;

    fn limits_of(values: &[f64], ideal: f64, accepted: f64) -> Vec<f64> {
        let mark = |value: &f64| Mark {
            analysis_id: AnalysisId::new(),
            value: Some(*value),
            interval_low: None,
            interval_high: None,
            threshold: Some(accepted),
            status: None,
            undefined_reason: None,
        };
        let line = Line {
            task: "binary".into(),
            attribute: "sex".into(),
            metric: "any".into(),
            title: "Any".into(),
            ideal: Some(ideal),
            marks: values.iter().map(mark).collect(),
        };
        limits(&line, ideal, accepted)
    }

    #[test]
    fn what_is_accepted_is_drawn_where_there_are_values() {
        assert_eq!(limits_of(&[0.02, 0.3], 0.0, 0.1), [0.1]);
        assert_eq!(limits_of(&[-0.02, 0.3], 0.0, 0.1), [-0.1, 0.1]);
        assert_eq!(limits_of(&[0.7, 1.0], 1.0, 0.2), [0.8]);
        assert_eq!(limits_of(&[0.7, 1.4], 1.0, 0.2), [0.8, 1.25]);
        assert_eq!(limits_of(&[1.4], 1.0, 0.2), [1.25]);
        assert_eq!(limits_of(&[0.0], 0.0, 0.1), [0.1]);
    }

    #[test]
    fn all_disparities_can_be_chosen_again() {
        let field = metric_field(Some("demographic_parity_difference")).to_string();
        assert!(field.contains("All that were judged") && !field.contains(" required"), "{field}");
    }
}
