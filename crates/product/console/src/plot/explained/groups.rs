//! What features add in each group of people.

use ephor_explain::summary::{Group, Summary};

use super::{
    MOST,
    canvas::{Drawing, Rows, Scale, WIDTH, brief, line, safe, signed, words},
    of_output,
};
use crate::view::format;

const LEFT: f64 = 150.0;
const RIGHT: f64 = WIDTH - 70.0;
/// More groups cannot be told apart; the largest are drawn.
const MOST_GROUPS: usize = 6;
/// So many names of groups stand beside one another.
const ACROSS: usize = 3;
/// What is less likely by chance is called a difference.
const SURE: f64 = 0.05;

/// Which of the means is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// How much features count.
    Size,
    /// Which way they count.
    Value,
}

impl What {
    fn of(self, group: &Group, feature: usize) -> Option<f64> {
        let means = match self {
            Self::Size => &group.size,
            Self::Value => &group.value,
        };
        means.get(feature).copied().filter(|mean| mean.is_finite())
    }

    /// Does the group differ from the reference beyond chance?
    fn differs(self, group: &Group, feature: usize) -> bool {
        let difference = group.differences.as_ref().and_then(|all| all.get(feature));
        difference.is_some_and(|both| {
            let tested = match self {
                Self::Size => &both.size,
                Self::Value => &both.value,
            };
            tested.adjusted < SURE
        })
    }
}

/// A mark for each group in each feature's row. `None` where there are no groups.
pub(super) fn compared(summary: &Summary, what: What) -> Option<Drawing> {
    let all = summary.groups.as_ref()?;
    let groups: Vec<&Group> = all.groups.iter().take(MOST_GROUPS).collect();
    let mut order: Vec<usize> = (0..summary.features.len()).collect();
    let most = |feature: usize| {
        let sizes = groups.iter().filter_map(|group| What::Size.of(group, feature));
        sizes.fold(0.0, f64::max)
    };
    order.sort_by(|one, two| most(*two).total_cmp(&most(*one)).then(one.cmp(two)));
    let left_out = order.len().saturating_sub(MOST);
    order.truncate(MOST);
    if groups.is_empty() || order.is_empty() {
        return None;
    }
    let top = 12.0 + 18.0 * groups.len().div_ceil(ACROSS) as f64;
    let numbers =
        groups.iter().flat_map(|group| order.iter().filter_map(|feature| what.of(group, *feature)));
    let scale = Scale::new(numbers.chain([0.0]), LEFT + 8.0, RIGHT - 8.0);
    let rows = Rows { left: LEFT, scale, top, count: order.len() };
    let unit = summary.unit_words();
    let axis = match what {
        What::Size => format!("mean size of what it adds, {unit}"),
        What::Value => format!("mean of what it adds, {unit}"),
    };
    let mut body = legend(&groups) + &rows.axis(&axis);
    let mut told = Vec::new();
    for (row, feature) in order.iter().enumerate() {
        let (name, middle) = (summary.name(*feature), rows.middle(row));
        body.push_str(&rows.label(row, name));
        let means: Vec<f64> = groups.iter().filter_map(|group| what.of(group, *feature)).collect();
        let least = means.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if least <= greatest {
            body.push_str(&line("zero", (scale.at(least), middle), (scale.at(greatest), middle)));
        }
        for (series, group) in groups.iter().enumerate() {
            let Some(mean) = what.of(group, *feature) else { continue };
            let number = if what == What::Value { signed(mean) } else { brief(mean) };
            let title = format!("{name}, {}: {number}", group.name);
            body.push_str(&mark(series, scale.at(mean), middle, &title));
        }
        if groups.iter().any(|group| what.differs(group, *feature)) {
            body.push_str(&rows.number(row, "differs"));
            told.push(name);
        }
    }
    let (name, title) = match what {
        What::Size => ("groups", "How much features count in each group"),
        What::Value => ("groups-ways", "Which way features count in each group"),
    };
    let tested = match &all.reference {
        Some(reference) => {
            format!(
                " \u{201c}Differs\u{201d} says that a group differs from {reference} beyond chance (p below 0.05 after Holm)."
            )
        }
        None => String::new(),
    };
    let others = all.groups.len() - groups.len() + all.others;
    Some(Drawing {
        name: name.to_owned(),
        place: String::new(),
        title: format!("{title}{}", of_output(summary)),
        reading: format!(
            "A mark is a group\u{2019}s mean. Marks far apart in a row: the model reasons differently about these groups.{tested}{}{}",
            match left_out {
                0 => String::new(),
                count => format!(
                    " {} that count less are left out.",
                    format::plural(count as u64, "feature", "features")
                ),
            },
            match others {
                0 => String::new(),
                count => format!(
                    " {} are left out.",
                    format::plural(count as u64, "smaller group", "smaller groups")
                ),
            }
        ),
        description: format!(
            "{} features in {} groups: {}. {}",
            order.len(),
            groups.len(),
            groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", "),
            match (told.is_empty(), &all.reference) {
                (false, _) => format!("Groups differ in {}.", told.join(", ")),
                (true, Some(_)) => "No difference is beyond chance.".to_owned(),
                (true, None) => String::new(),
            }
        ),
        height: rows.height(),
        body,
    })
}

/// Which mark is which group.
fn legend(groups: &[&Group]) -> String {
    let mut out = String::new();
    for (series, group) in groups.iter().enumerate() {
        let x = 14.0 + 156.0 * (series % ACROSS) as f64;
        let y = 12.0 + 18.0 * (series / ACROSS) as f64;
        out.push_str(&mark(series, x, y, &format!("{}: {} rows", group.name, group.rows)));
        out.push_str(&words("", x + 11.0, y + 4.0, &group.name, 15));
    }
    out
}

/// A group's mark: its shape says what its colour does.
fn mark(series: usize, x: f64, y: f64, title: &str) -> String {
    let title = safe(title);
    let class = format!("s{}", series % MOST_GROUPS + 1);
    let points = |points: &[(f64, f64)]| {
        let all: Vec<String> =
            points.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect();
        format!(
            r#"<polygon class="{class}" points="{}"><title>{title}</title></polygon>"#,
            all.join(" ")
        )
    };
    match series % MOST_GROUPS {
        0 => format!(
            r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="5"><title>{title}</title></circle>"#
        ),
        1 => points(&[(-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)]),
        2 => points(&[(0.0, -5.5), (5.5, 4.5), (-5.5, 4.5)]),
        3 => points(&[(0.0, -6.0), (6.0, 0.0), (0.0, 6.0), (-6.0, 0.0)]),
        4 => points(&[(-5.5, -4.5), (5.5, -4.5), (0.0, 5.5)]),
        _ => points(&[
            (-1.8, -5.5),
            (1.8, -5.5),
            (1.8, -1.8),
            (5.5, -1.8),
            (5.5, 1.8),
            (1.8, 1.8),
            (1.8, 5.5),
            (-1.8, 5.5),
            (-1.8, 1.8),
            (-5.5, 1.8),
            (-5.5, -1.8),
            (-1.8, -1.8),
        ]),
    }
}
