//! A document of bounded size: what is too long is cut, and the cut is said.
//!
//! Typesetting cannot be stopped once it has begun, so that its time is bounded by what it is given.

use crate::{
    Badge, Block, Cell, Column, Document, Figure, Span, Style, Table, Text, Tone, Verdict,
    text::Cleaner,
};

/// The most characters of a cell.
const CELL: usize = 400;
/// The most characters of a heading, a name and the like.
const NAME: usize = 200;
/// The most characters of a paragraph or point.
const PARAGRAPH: usize = 4_000;
/// The most rows of a table.
const ROWS: usize = 400;
/// The most cells of all tables.
const CELLS: usize = 24_000;
/// The most columns beside one another.
const COLUMNS: usize = 9;
/// The most columns of a table, in however many parts.
const ALL_COLUMNS: usize = 90;
/// The most parts of a document.
const BLOCKS: usize = 1_500;
/// The most points of a list.
const ITEMS: usize = 300;
/// The most letters of a whole document.
const LETTERS: usize = 1_500_000;
/// The most figures, and the most bytes of one.
const FIGURES: (usize, usize) = (80, 400_000);

/// What is left of the bounds.
struct Fitter {
    cleaner: Cleaner,
    cells: usize,
    figures: usize,
    level: u8,
    blocks: Vec<Block>,
}

/// `document`, with texts that can be set, and within bounds. A note at its end says what had to be changed.
pub(crate) fn fitted(document: &Document) -> Document {
    let mut fitter = Fitter {
        cleaner: Cleaner::new(LETTERS),
        cells: CELLS,
        figures: FIGURES.0,
        level: 0,
        blocks: Vec::new(),
    };
    let mut head = Document {
        title: fitter.line(&document.title, NAME),
        kind: fitter.line(&document.kind, NAME),
        lede: fitter.line(&document.lede, PARAGRAPH),
        organization: document.organization.as_ref().map(|name| fitter.line(name, NAME)),
        created: document.created,
        generator: fitter.line(&document.generator, NAME),
        closing: fitter.line(&document.closing, PARAGRAPH),
        blocks: Vec::new(),
    };
    if head.title.is_empty() {
        // A file without a title is refused by those who do not see it.
        "Untitled".clone_into(&mut head.title);
    }
    for block in document.blocks.iter().take(BLOCKS) {
        fitter.block(block);
    }
    let notes = fitter.notes(document.blocks.len().saturating_sub(BLOCKS));
    head.blocks = fitter.blocks;
    head.blocks.extend(notes);
    head
}

impl Fitter {
    fn line(&mut self, text: &str, most: usize) -> String {
        self.cleaner.line(text, most)
    }

    fn text(&mut self, text: &Text) -> Text {
        let mut room = PARAGRAPH;
        let mut spans: Vec<Span> = Vec::new();
        for span in &text.0 {
            let is_spent = room == 0 || self.cleaner.left == 0;
            if is_spent && !span.text.trim().is_empty() {
                self.cleaner.cut = true;
                let is_said = |span: &Span| span.text.trim_end().ends_with('…');
                if !spans.last().is_some_and(is_said) {
                    spans.push(Span { text: "…".to_owned(), style: Style::Plain });
                }
                break;
            }
            // The spaces around a part are what parts it from the others.
            let (left, right) = (
                span.text.starts_with(char::is_whitespace),
                span.text.ends_with(char::is_whitespace),
            );
            let mut words = self.line(&span.text, room);
            room = room.saturating_sub(words.chars().count());
            if left {
                words.insert(0, ' ');
            }
            if right && !words.ends_with(' ') {
                words.push(' ');
            }
            spans.push(Span { text: words, style: span.style });
        }
        Text(spans)
    }

    /// As many of `items` as there is room for, and words on how many more there are.
    fn some<T, U>(
        &mut self,
        items: &[T],
        fit: impl Fn(&mut Self, &T) -> U,
    ) -> (Vec<U>, Option<String>) {
        let mut fitted = Vec::new();
        for item in items.iter().take(ITEMS) {
            // Even ellipses take time to set.
            if self.cleaner.left == 0 {
                break;
            }
            fitted.push(fit(self, item));
        }
        let more = items.len() - fitted.len();
        (fitted, (more > 0).then(|| format!("and {more} more")))
    }

    fn items(&mut self, items: &[Text]) -> Vec<Text> {
        let (mut fitted, more) = self.some(items, Self::text);
        fitted.extend(more.map(Text::from));
        fitted
    }

    fn facts(&mut self, items: &[(String, String)]) -> Vec<(String, String)> {
        let (mut fitted, more) = self.some(items, |fitter, (name, value)| {
            (fitter.line(name, NAME), fitter.line(value, PARAGRAPH))
        });
        fitted.extend(more.map(|more| ("…".to_owned(), more)));
        fitted
    }

    fn tally(&mut self, tally: &[(String, Badge)]) -> Vec<(String, Badge)> {
        let (mut fitted, more) = self
            .some(tally, |fitter, (count, badge)| (fitter.line(count, NAME), fitter.badge(badge)));
        let more = more.map(|text| ("…".to_owned(), Badge { text, tone: Tone::Plain }));
        fitted.extend(more);
        fitted
    }

    fn badge(&mut self, badge: &Badge) -> Badge {
        Badge { text: self.line(&badge.text, NAME), tone: badge.tone }
    }

    fn block(&mut self, block: &Block) {
        let fitted = match block {
            Block::Heading { level, text } => {
                self.level = (*level).clamp(1, self.level.saturating_add(1)).min(4);
                let mut text = self.line(text, NAME);
                if text.is_empty() {
                    text.push('–');
                }
                Block::Heading { level: self.level, text }
            }
            Block::Paragraph { text, .. } if text.is_empty() => return,
            Block::Paragraph { text, small } => {
                Block::Paragraph { text: self.text(text), small: *small }
            }
            Block::List { items, .. } if items.is_empty() => return,
            Block::List { items, ordered } => {
                Block::List { items: self.items(items), ordered: *ordered }
            }
            Block::Callout { tone, title, text, items } => Block::Callout {
                tone: *tone,
                title: self.line(title, NAME),
                text: self.text(text),
                items: self.items(items),
            },
            Block::Facts { items } => Block::Facts { items: self.facts(items) },
            Block::Verdict(verdict) => Block::Verdict(Verdict {
                label: self.line(&verdict.label, NAME),
                value: self.line(&verdict.value, NAME),
                unit: self.line(&verdict.unit, NAME),
                badge: self.badge(&verdict.badge),
                text: self.line(&verdict.text, PARAGRAPH),
                tally: self.tally(&verdict.tally),
            }),
            Block::Table(table) => return self.table(table),
            Block::Figure(figure) => return self.figure(figure),
        };
        self.blocks.push(fitted);
    }

    /// A table in as many parts as its breadth asks for, with a line on what was cut.
    fn table(&mut self, table: &Table) {
        if table.columns.is_empty() {
            return;
        }
        let columns = table.columns.len().min(ALL_COLUMNS);
        let rows = table.rows.len().min(ROWS).min(self.cells / columns);
        self.cells -= rows * columns;
        let parts = parts(columns);
        for (index, places) in parts.iter().enumerate() {
            let mut caption = self.line(&table.caption, NAME);
            if parts.len() > 1 {
                let place = format!("part {} of {}", index + 1, parts.len());
                caption = if caption.is_empty() { place } else { format!("{caption}, {place}") };
            }
            let heads = places.iter().filter_map(|at| table.columns.get(*at)).map(|column| {
                Column { title: self.cleaner.line(&column.title, NAME), align: column.align }
            });
            let heads = heads.collect();
            let rows = table.rows.iter().take(rows).map(|row| {
                // A row that is too short is filled up, or all that follow would slip.
                let cells = places.iter().map(|at| row.get(*at).cloned().unwrap_or_default());
                cells.map(|cell| cell_fitted(&mut self.cleaner, &cell)).collect()
            });
            let rows = rows.collect();
            self.blocks.push(Block::Table(Table { caption, columns: heads, rows }));
        }
        if rows < table.rows.len() {
            self.blocks.push(Block::small(format!(
                "These are the first {rows} of {} rows; the HTML and JSON of the same hold them all.",
                table.rows.len()
            )));
        }
        if columns < table.columns.len() {
            self.blocks.push(Block::small(format!(
                "These are the first {columns} of {} columns; the HTML and JSON of the same hold them all.",
                table.columns.len()
            )));
        }
    }

    fn figure(&mut self, figure: &Figure) {
        if self.figures == 0 || figure.svg.len() > FIGURES.1 {
            let title = self.line(&figure.title, NAME);
            self.blocks.push(Block::small(format!(
                "The figure “{title}” is left out here; the HTML of the same holds it."
            )));
            return;
        }
        self.figures -= 1;
        let title = self.line(&figure.title, NAME);
        let alt = self.line(&figure.alt, PARAGRAPH);
        let reading = self.line(&figure.reading, PARAGRAPH);
        self.blocks.push(Block::Figure(Figure {
            // PDF/UA asks of each figure that it is described.
            alt: [alt, title.clone()]
                .into_iter()
                .find(|words| !words.trim().is_empty())
                .unwrap_or_else(|| "A figure without words".to_owned()),
            title,
            reading,
            svg: self.cleaner.raw(&figure.svg),
            width: figure.width.clamp(10, 100),
        }));
    }

    /// What the reader must know of the changes.
    fn notes(&self, left_out: usize) -> Option<Block> {
        let mut items: Vec<Text> = Vec::new();
        if left_out > 0 {
            items.push(format!("{left_out} parts at the end are left out.").into());
        }
        if self.cleaner.cut {
            items.push("Very long texts are cut; an ellipsis stands where.".into());
        }
        if self.cleaner.coded {
            items.push(
                "Characters that the fonts of this file lack, or that cannot be shown, are written by their codes, as in [U+6027]."
                    .into(),
            );
        }
        (!items.is_empty()).then(|| Block::Callout {
            tone: Tone::Plain,
            title: "What this file does not show as it is".to_owned(),
            text: "The HTML and JSON of the same do.".into(),
            items,
        })
    }
}

fn cell_fitted(cleaner: &mut Cleaner, cell: &Cell) -> Cell {
    Cell {
        text: cleaner.line(&cell.text, CELL),
        sub: cleaner.line(&cell.sub, CELL),
        tone: cell.tone,
    }
}

/// The places of the columns of each part: all parts begin with the first, and are of about one breadth.
fn parts(columns: usize) -> Vec<Vec<usize>> {
    if columns <= COLUMNS {
        return vec![(0..columns).collect()];
    }
    let others = columns - 1;
    let many = others.div_ceil(COLUMNS - 1);
    let each = others.div_ceil(many);
    (1..columns)
        .collect::<Vec<_>>()
        .chunks(each)
        .map(|places| std::iter::once(0).chain(places.iter().copied()).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn many_points_share_the_letters_of_a_document() {
        let document = Document {
            title: "A title".to_owned(),
            kind: String::new(),
            lede: String::new(),
            organization: None,
            created: DateTime::UNIX_EPOCH,
            generator: String::new(),
            blocks: vec![Block::points(["word"; ITEMS]); 1_000],
            closing: String::new(),
        };
        let found = fitted(&document);
        let points = found.blocks.iter().map(|block| match block {
            Block::List { items, .. } => items.len(),
            _ => 0,
        });
        let points: usize = points.sum();
        assert!(points > 100_000 && points < LETTERS / 8 + 1_000, "{points}");
        assert_eq!(found.blocks.last(), Some(&Block::points(["and 300 more"])));
    }

    #[test]
    fn what_is_not_set_any_more_is_said() {
        let mut fitter = Fitter {
            cleaner: Cleaner::new(0),
            cells: CELLS,
            figures: 0,
            level: 0,
            blocks: Vec::new(),
        };
        assert_eq!(fitter.text(&Text::from("words")), Text::from("…"));
        assert_eq!(fitter.text(&Text::from("")), Text::from(""));
        let fact = ("a".to_owned(), "b".to_owned());
        assert_eq!(fitter.facts(&[fact]), [("…".to_owned(), "and 1 more".to_owned())]);
        assert!(fitter.notes(0).is_some());
    }

    #[test]
    fn wide_tables_are_set_in_parts_that_begin_alike() {
        assert_eq!(parts(3), [vec![0, 1, 2]]);
        assert_eq!(parts(9).len(), 1);
        let wide = parts(20);
        assert_eq!(wide.len(), 3);
        assert!(wide.iter().all(|part| part.first() == Some(&0) && part.len() <= COLUMNS));
        let mut all: Vec<usize> = wide.iter().flat_map(|part| part[1..].to_vec()).collect();
        all.sort_unstable();
        assert_eq!(all, (1..20).collect::<Vec<_>>());
    }
}
