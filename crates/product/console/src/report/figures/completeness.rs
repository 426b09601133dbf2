//! What is missing of whom, in words.

use ephor_fairness::data::{
    Table,
    completeness::{Absent, Completeness},
};

use super::{Section, people, ratio};

/// With more lines than this, the rest is left to JSON.
const MOST_LINES: usize = 200;
/// With more complete columns than this, the rest is only counted.
const MOST_NAMED: usize = 20;

/// The columns that lack values, the emptiest first, by the groups of a table; `None` where none does.
pub(super) fn section(table: &Table) -> Option<Section> {
    let mut lacking: Vec<&Completeness> =
        table.completeness.iter().filter(|column| column.missing > 0).collect();
    if lacking.is_empty() {
        return None;
    }
    lacking.sort_by(|left, right| right.share.total_cmp(&left.share));
    let lines =
        || lacking.iter().flat_map(|column| column.groups.iter().map(move |one| (column, one)));
    let more = lines().count().saturating_sub(MOST_LINES) as u64;
    Some(Section {
        heading: format!("Completeness by {}", table.attributes.join(" and ")),
        heads: vec!["column", "group…", "rows", "missing", "share missing"],
        rows: lines().take(MOST_LINES).map(|(column, one)| line(&column.column, one)).collect(),
        facts: (more > 0)
            .then(|| {
                format!("{} left out here: JSON holds all.", people(more, "line is", "lines are"))
            })
            .into_iter()
            .collect(),
    })
}

fn line(column: &str, group: &Absent) -> Vec<String> {
    let Absent { name, n, missing, share, interval } = group;
    vec![
        column.to_owned(),
        name.clone(),
        n.to_string(),
        missing.to_string(),
        ratio(Some(*share), Some(interval)),
    ]
}

/// The columns that lack nothing, by name; `None` where there is none.
pub(super) fn whole(table: &Table) -> Option<String> {
    let whole: Vec<&Completeness> =
        table.completeness.iter().filter(|column| column.missing == 0).collect();
    if whole.is_empty() {
        return None;
    }
    let mut names: Vec<String> =
        whole.iter().take(MOST_NAMED).map(|column| format!("`{}`", column.column)).collect();
    if whole.len() > names.len() {
        let more = (whole.len() - names.len()) as u64;
        names.push(people(more, "more column", "more columns"));
    }
    Some(format!("Nothing is missing of {}.", names.join(", ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_fairness::{Interval, IntervalMethod};

    use super::*;

    fn column(name: &str, missing: [u64; 2]) -> Completeness {
        let group = |name: &str, missing: u64| Absent {
            name: name.to_owned(),
            n: 10,
            missing,
            share: missing as f64 / 10.0,
            interval: Interval {
                lower: 0.0,
                upper: 0.5,
                confidence: 0.95,
                method: IntervalMethod::Wilson,
            },
        };
        let sum: u64 = missing.iter().sum();
        Completeness {
            column: name.to_owned(),
            missing: sum,
            share: sum as f64 / 20.0,
            groups: vec![group("f", missing[0]), group("m", missing[1])],
        }
    }

    fn table(completeness: Vec<Completeness>) -> Table {
        Table {
            attributes: vec!["sex".to_owned()],
            groups: Vec::new(),
            representation: None,
            completeness,
        }
    }

    #[test]
    fn the_emptiest_column_comes_first_and_whole_ones_are_named() {
        let table =
            table(vec![column("age", [0, 0]), column("income", [1, 0]), column("job", [2, 4])]);
        let found = section(&table).unwrap();
        let lines: Vec<(&str, &str)> =
            found.rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
        assert_eq!(lines, [("job", "f"), ("job", "m"), ("income", "f"), ("income", "m")]);
        assert!(found.rows.iter().all(|row| row.len() == found.heads.len()));
        assert_eq!(found.rows[1][4], "0.400 [0.000, 0.500]");
        assert!(found.facts.is_empty());
        assert_eq!(whole(&table).unwrap(), "Nothing is missing of `age`.");
    }

    #[test]
    fn where_nothing_was_counted_nothing_is_said() {
        let table = table(Vec::new());
        assert_eq!((section(&table), whole(&table)), (None, None));
    }

    #[test]
    fn very_many_lines_are_left_to_json() {
        let many = table((0..150).map(|at| column(&format!("c{at}"), [1, 1])).collect());
        let found = section(&many).unwrap();
        assert_eq!(found.rows.len(), MOST_LINES);
        assert_eq!(found.facts, ["100 lines are left out here: JSON holds all."]);
        let full = table((0..22).map(|at| column(&format!("c{at}"), [0, 0])).collect());
        assert_eq!(section(&full), None);
        let told = whole(&full).unwrap();
        assert!(told.ends_with("`c19`, 2 more columns."), "{told}");
    }
}
