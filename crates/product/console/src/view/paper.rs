//! Parts of pages as parts of documents for paper. The words are read off the parts themselves, so that paper says what pages do.

use ephor_report::{Align, Block, Cell, Column, Span, Style, Table as Sheet, Text, Tone};

use super::{Badge, Html, Notice, Table};

impl Badge {
    /// The chip as a word on a tinted ground.
    pub(crate) fn on_paper(&self) -> ephor_report::Badge {
        ephor_report::Badge { text: self.text.clone(), tone: tone(self.tone) }
    }
}

/// A tone by its class.
fn tone(class: &str) -> Tone {
    match class {
        "pass" => Tone::Pass,
        "warning" => Tone::Warning,
        "fail" => Tone::Fail,
        _ => Tone::Plain,
    }
}

impl Notice {
    /// The notice as a callout.
    pub(crate) fn on_paper(&self) -> Block {
        Block::Callout {
            tone: tone(self.tone),
            title: self.title.clone(),
            text: prose(&self.text),
            items: self.items.iter().map(|item| prose(item)).collect(),
        }
    }
}

/// A sentence in which backticks mark names, as [`super::prose()`] reads it.
fn prose(text: &str) -> Text {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text.into();
    }
    let style = |index: usize| if index % 2 == 1 { Style::Code } else { Style::Plain };
    let spans = parts.iter().enumerate().filter(|(_, part)| !part.is_empty());
    Text(spans.map(|(at, part)| Span { text: (*part).to_owned(), style: style(at) }).collect())
}

impl Table {
    /// The table for paper: without its drawings, whose numbers stand beside them.
    pub(crate) fn on_paper(&self, caption: &str) -> Block {
        let is_drawn =
            |at: usize| self.rows.iter().any(|row| row.get(at).is_some_and(Html::is_drawing));
        let kept: Vec<usize> = (0..self.heads.len()).filter(|at| !is_drawn(*at)).collect();
        let column = |at: &usize| {
            let head = self.heads.get(*at);
            Column {
                title: head.map(|head| head.label.clone()).unwrap_or_default(),
                align: if head.is_some_and(|head| head.right) { Align::Right } else { Align::Left },
            }
        };
        let cell = |row: &Vec<Html>, at: usize| row.get(at).map(Html::on_paper).unwrap_or_default();
        Block::Table(Sheet {
            caption: caption.to_owned(),
            columns: kept.iter().map(column).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| kept.iter().map(|at| cell(row, *at)).collect())
                .collect(),
        })
    }
}

impl Html {
    /// Whether it shows a drawing that has a meaning of its own.
    fn is_drawing(&self) -> bool {
        self.as_str().starts_with(r#"<svg class="range"#)
    }

    /// What it says, without a quieter second line.
    pub(crate) fn plain(&self) -> String {
        self.on_paper().text
    }

    /// What it says: its text, its second line, and the tone of a chip. Icons are decoration.
    fn on_paper(&self) -> Cell {
        let mut cell = Cell::default();
        let mut rest = self.as_str();
        let mut in_sub = false;
        while let Some((text, tail)) = rest.split_once('<') {
            push(&mut cell, in_sub, text);
            let Some((tag, after)) = tail.split_once('>') else {
                return cell;
            };
            rest = after;
            if tag.starts_with("svg") {
                rest = after.split_once("</svg>").map_or("", |(_, after)| after);
            } else if tag == r#"span class="sub""# {
                in_sub = true;
            } else if tag == "/span" {
                in_sub = false;
            } else if let Some(class) = tag.strip_prefix(r#"span class="chip "#) {
                cell.tone = tone(class.trim_end_matches('"'));
            }
        }
        push(&mut cell, in_sub, rest);
        cell
    }
}

fn push(cell: &mut Cell, in_sub: bool, escaped: &str) {
    let line = if in_sub { &mut cell.sub } else { &mut cell.text };
    let mut rest = escaped;
    while let Some((text, tail)) = rest.split_once('&') {
        line.push_str(text);
        let entity = tail.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        let (letter, after) = entity.unwrap_or(('&', tail));
        line.push(letter);
        rest = after;
    }
    line.push_str(rest);
}

/// Those that we write.
fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" | "#38" => '&',
        "lt" | "#60" => '<',
        "gt" | "#62" => '>',
        "quot" | "#34" => '"',
        "#39" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::view::{Head, Moment};

    #[test]
    fn a_cell_says_on_paper_what_it_says_on_a_page() {
        let hostile = "<b> & \"it's\" &lt; `x`";
        let cell = Html::text(hostile).sub("second <line>").on_paper();
        assert_eq!((cell.text.as_str(), cell.sub.as_str()), (hostile, "second <line>"));
        let chip = Html::of(&Badge::verdict(Some(ephor_fairness::Status::Fail))).on_paper();
        assert_eq!((chip.text.as_str(), chip.tone), ("fail", Tone::Fail));
        let moment = Html::of(&Moment(DateTime::UNIX_EPOCH));
        assert_eq!(moment.plain(), "1970-01-01 00:00");
        assert_eq!(Html::default().then("since ").code("a<b").plain(), "since a<b");
    }

    #[test]
    fn a_table_leaves_its_drawings_out() {
        let mark =
            crate::view::RangeMark::of(&crate::samples::result().attributes[0].disparities[0]);
        let drawn = mark.map_or_else(Html::default, |mark| Html::of(&mark));
        let table = Table {
            label: String::new(),
            heads: vec![Head::new("a"), Head::new("drawn"), Head::right("b")],
            rows: vec![vec![Html::text("1"), drawn, Html::text("2")]],
        };
        let Block::Table(sheet) = table.on_paper("") else { return };
        let heads: Vec<&str> = sheet.columns.iter().map(|column| column.title.as_str()).collect();
        assert_eq!(heads, ["a", "b"]);
        assert_eq!(sheet.rows[0][1].text, "2");
        assert_eq!(sheet.columns[1].align, Align::Right);
    }

    #[test]
    fn names_between_backticks_are_code() {
        let text = prose("see `sex` now");
        assert_eq!(text.0.len(), 3);
        assert_eq!(text.0[1].style, Style::Code);
        assert_eq!(prose("one ` alone").0.len(), 1);
    }
}
