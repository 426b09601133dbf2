//! What a document is made of.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A document. All texts are plain: nothing in them is markup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Its title, and that of the file.
    pub title: String,
    /// What kind of document it is, above the title: `Bias analysis`.
    pub kind: String,
    /// One line below the title: what it is about.
    pub lede: String,
    /// The organization that it was made for; it stands in the head, in the foot and in what the file says of itself.
    pub organization: Option<String>,
    /// When it was made; it is never read from a clock.
    #[serde(skip)]
    pub created: DateTime<Utc>,
    /// What made it, with its version: `Ephor 0.1.0`.
    pub generator: String,
    /// Its parts, in order.
    pub blocks: Vec<Block>,
    /// The last words, small.
    pub closing: String,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A heading; it stands in the outline too.
    Heading {
        /// From 1 on. What would skip a level is raised, as readers of the outline expect none to be missing.
        level: u8,
        /// Its words.
        text: String,
    },
    /// A paragraph.
    Paragraph {
        /// Its words.
        text: Text,
        /// In small letters.
        small: bool,
    },
    /// A list of points.
    List {
        /// The points.
        items: Vec<Text>,
        /// With numbers.
        ordered: bool,
    },
    /// What must not be missed.
    Callout {
        /// How bad it is.
        tone: Tone,
        /// The point, in one line.
        title: String,
        /// More of it; may be empty.
        text: Text,
        /// Points of it; may be none.
        items: Vec<Text>,
    },
    /// Names and what goes with them.
    Facts {
        /// In order.
        items: Vec<(String, String)>,
    },
    /// The verdict of a whole document.
    Verdict(Verdict),
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
}

impl Block {
    /// A heading of a section.
    pub fn section(text: impl Into<String>) -> Self {
        Self::Heading { level: 1, text: text.into() }
    }

    /// A heading within a section.
    pub fn part(text: impl Into<String>) -> Self {
        Self::Heading { level: 2, text: text.into() }
    }

    /// A paragraph.
    pub fn paragraph(text: impl Into<Text>) -> Self {
        Self::Paragraph { text: text.into(), small: false }
    }

    /// A paragraph in small letters.
    pub fn small(text: impl Into<Text>) -> Self {
        Self::Paragraph { text: text.into(), small: true }
    }

    /// Points in small letters, as they stand below tables.
    pub fn points<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List { items: items.into_iter().map(Into::into).collect(), ordered: false }
    }
}

/// A text in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(pub Vec<Span>);

impl Text {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|span| span.text.is_empty())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(vec![Span { text, style: Style::Plain }])
    }
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its words.
    pub text: String,
    /// How they are set.
    pub style: Style,
}

/// How a part of a text is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// As all is.
    #[default]
    Plain,
    /// Bold.
    Strong,
    /// In italics.
    Emphasis,
    /// As names of columns and values are.
    Code,
    /// In a quieter colour.
    Quiet,
}

/// Good, bad or neither. Words say the same: it is never told by colour alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// Good.
    Pass,
    /// To be minded.
    Warning,
    /// Bad.
    Fail,
}

/// A word on a tinted ground.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Badge {
    /// The word.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}

/// The verdict of a whole document: a number, a word, and what they mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What the number is; empty where there is none.
    pub label: String,
    /// The number; empty where there is none.
    pub value: String,
    /// What it is out of: `/ 100`.
    pub unit: String,
    /// The word.
    pub badge: Badge,
    /// What they mean.
    pub text: String,
    /// How many of each word there are.
    pub tally: Vec<(String, Badge)>,
}

/// A table. Its head stands again at the top of each page.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Table {
    /// What it is, above it; may be empty where the heading says it.
    pub caption: String,
    /// Its columns. Where there are too many for a page, the table is set in parts, each with the first column.
    pub columns: Vec<Column>,
    /// Its rows, each as long as `columns`. The first cell names the row.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its head.
    pub title: String,
    /// Where its cells stand.
    pub align: Align,
}

/// Where cells stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// A quieter second line; may be empty.
    pub sub: String,
    /// Good, bad or neither.
    pub tone: Tone,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Its title, above it; may be empty.
    pub title: String,
    /// How to read it.
    pub reading: String,
    /// What it shows, for those who do not see it. Never empty, or the title stands for it.
    pub alt: String,
    /// The figure, as a standalone SVG document: with literal colours, without scripts and without anything from elsewhere.
    pub svg: String,
    /// Its breadth, as a share of the page's in percent, from 10 to 100.
    pub width: u8,
}
