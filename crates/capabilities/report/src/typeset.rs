//! From a document to the bytes of a PDF.

use chrono::{Datelike, Timelike};
use serde::Serialize;
use typst::{
    comemo,
    diag::SourceDiagnostic,
    foundations::{Datetime, Smart},
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::{Document, Error, fit::fitted, world::Desk};

/// What a file promises: that it can be archived, and read by those who do not see it.
const PROMISES: [PdfStandard; 2] = [PdfStandard::A_2a, PdfStandard::Ua_1];

/// A document that was typeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
    /// Why it is not PDF/A-2a and PDF/UA-1, if it is not: a text could not be set as these ask. The file is tagged all the same.
    pub unfit: Option<String>,
}

/// What the template reads.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    document: &'a Document,
    /// When it was made, in words.
    moment: String,
}

/// Typesets `document`. It takes from tenths of a second to a few seconds of one core, whatever the document: what is too long is
/// cut, and the cut is said. Callers that must not be held up call it on a thread where that is allowed.
///
/// # Errors
/// [`Error`], which no text of a document can cause.
pub fn typeset(document: &Document) -> Result<Pdf, Error> {
    let document = fitted(document);
    let moment = document.created.format("%Y-%m-%d %H:%M UTC").to_string();
    let data = serde_json::to_vec(&Data { document: &document, moment })?;
    let desk = Desk::new(data)?;
    let found = laid_out(&desk).and_then(|pages| exported(&pages, &document));
    // What the typesetter remembers of this document helps none of the next.
    comemo::evict(0);
    found
}

fn laid_out(desk: &Desk) -> Result<PagedDocument, Error> {
    let found = typst::compile::<PagedDocument>(desk);
    #[cfg(test)]
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    found.output.map_err(|errors| refused(&errors))
}

fn exported(pages: &PagedDocument, document: &Document) -> Result<Pdf, Error> {
    let file = |promises: &[PdfStandard]| {
        let standards = PdfStandards::new(promises)
            .map_err(|error| Error::Typesetter(error.message().to_string()))?;
        let options = PdfOptions {
            creator: Smart::Custom(Some(document.generator.clone())),
            timestamp: timestamp(document),
            standards,
            ..PdfOptions::default()
        };
        typst_pdf::pdf(pages, &options).map_err(|errors| refused(&errors))
    };
    let (bytes, unfit) = match file(&PROMISES) {
        Ok(bytes) => (bytes, None),
        // Better a file without the promise than none.
        Err(error) => (file(&[])?, Some(error.to_string())),
    };
    Ok(Pdf { bytes, pages: pages.pages().len(), unfit })
}

fn timestamp(document: &Document) -> Option<Timestamp> {
    let at = document.created;
    let part = |number: u32| u8::try_from(number).ok();
    Datetime::from_ymd_hms(
        at.year(),
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        part(at.second())?,
    )
    .map(Timestamp::new_utc)
}

fn refused(errors: &[SourceDiagnostic]) -> Error {
    let texts: Vec<&str> = errors.iter().take(5).map(|error| error.message.as_str()).collect();
    Error::Typesetter(texts.join("; "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        Align, Badge, Block, Cell, Column, Figure, Span, Style, Table, Text, Tone, Verdict,
    };

    fn with(blocks: Vec<Block>) -> Document {
        Document {
            title: "A #report of $all$ *things*".to_owned(),
            kind: "Bias analysis".to_owned(),
            lede: "adult.csv".to_owned(),
            organization: Some("Analytical Engines".to_owned()),
            created: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            generator: "Ephor 1".to_owned(),
            blocks,
            closing: "That is all.".to_owned(),
        }
    }

    fn table(columns: usize, rows: usize, text: &str) -> Table {
        let column = |at: usize| Column {
            title: format!("column {at}"),
            align: if at == 0 { Align::Left } else { Align::Right },
        };
        let cell = Cell { text: text.to_owned(), sub: text.to_owned(), tone: Tone::Plain };
        Table {
            caption: "A caption".to_owned(),
            columns: (0..columns).map(column).collect(),
            rows: vec![vec![cell; columns]; rows],
        }
    }

    /// One of everything.
    fn every(text: &str) -> Vec<Block> {
        let spans = [Style::Plain, Style::Strong, Style::Emphasis, Style::Code, Style::Quiet]
            .map(|style| Span { text: text.to_owned(), style });
        let words = Text(spans.to_vec());
        let badge = |tone| Badge { text: text.to_owned(), tone };
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50" viewBox="0 0 100 50" font-family="Libertinus Serif"><rect width="100" height="50" fill="#ffffff"/><text x="5" y="20" font-size="8">{}</text></svg>"##,
            text.replace('&', "&amp;").replace('<', "&lt;")
        );
        let mut coloured = table(3, 2, text);
        coloured.rows[0][1].tone = Tone::Fail;
        vec![
            Block::Verdict(Verdict {
                label: text.to_owned(),
                value: text.to_owned(),
                unit: "/ 100".to_owned(),
                badge: badge(Tone::Pass),
                text: text.to_owned(),
                tally: vec![("1".to_owned(), badge(Tone::Warning))],
            }),
            Block::Facts { items: vec![(text.to_owned(), text.to_owned()); 4] },
            // A level that is skipped.
            Block::Heading { level: 3, text: text.to_owned() },
            Block::section(text),
            Block::part(""),
            Block::Paragraph { text: words.clone(), small: false },
            Block::small(text),
            Block::points([text, ""]),
            Block::List { items: vec![words.clone()], ordered: true },
            Block::Callout {
                tone: Tone::Warning,
                title: text.to_owned(),
                text: words.clone(),
                items: vec![words],
            },
            Block::Table(coloured),
            Block::Table(Table::default()),
            Block::Table(table(2, 0, text)),
            Block::Figure(Figure {
                title: text.to_owned(),
                reading: text.to_owned(),
                alt: String::new(),
                svg,
                width: 100,
            }),
        ]
    }

    /// The texts of all pages in the order in which they are set.
    fn said(document: &Document) -> String {
        use typst::layout::{Frame, FrameItem};
        fn read(frame: &Frame, out: &mut String) {
            for (_, item) in frame.items() {
                match item {
                    FrameItem::Group(group) => read(&group.frame, out),
                    FrameItem::Text(text) => {
                        out.push_str(&text.text);
                        out.push(' ');
                    }
                    _ => {}
                }
            }
        }
        let document = fitted(document);
        let data = Data { document: &document, moment: String::new() };
        let desk = Desk::new(serde_json::to_vec(&data).unwrap()).unwrap();
        let pages = laid_out(&desk).unwrap();
        let mut out = String::new();
        for page in pages.pages() {
            read(&page.frame, &mut out);
        }
        comemo::evict(0);
        out.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_document_keeps_its_promises_and_is_the_same_twice() {
        let document = with(every("Plain words"));
        let first = typeset(&document).unwrap();
        assert_eq!(first.unfit, None);
        assert!(first.pages >= 1);
        assert_eq!(first, typeset(&document).unwrap());
        let text = String::from_utf8_lossy(&first.bytes);
        assert!(text.starts_with("%PDF-1.7"));
        for said in [
            "<pdfaid:part>2</pdfaid:part>",
            "<pdfaid:conformance>A</pdfaid:conformance>",
            "<pdfuaid:part>1</pdfuaid:part>",
            "A #report of $all$ *things*",
            "2026-09-21T",
            "Ephor 1",
        ] {
            assert!(text.contains(said), "`{said}` is missing");
        }
        let later = Document { created: DateTime::UNIX_EPOCH, ..document };
        assert_ne!(typeset(&later).unwrap().bytes, first.bytes);
    }

    #[test]
    fn no_text_is_markup_and_none_breaks_it() {
        for hostile in [
            "#panic() $x^2$ *a* _b_ `c` @d <e> [f] \\ // /* \" ' = + - 1. https://example.org",
            "#import \"/etc/passwd\": *; #read(\"/etc/passwd\")",
            "مرحبا بالعالم שלום עולם hello",
            "\u{202e}txt.exe\u{0}\u{7}\u{1b}[31m\u{feff}\u{fffe}\u{e000}",
            "性别 🏳️‍🌈 e\u{301}\u{301}\u{301} ﷽ ﬁ",
            "",
            " ",
        ] {
            let document = Document {
                title: hostile.to_owned(),
                kind: hostile.to_owned(),
                lede: hostile.to_owned(),
                organization: Some(hostile.to_owned()),
                ..with(every(hostile))
            };
            let pdf = typeset(&document).unwrap();
            assert_eq!(pdf.unfit, None, "{hostile:?}");
        }
        let text = said(&with(vec![Block::paragraph("#panic() $x$ *a*")]));
        assert!(text.contains("#panic() $x$ *a*"), "{text}");
        let text = said(&with(vec![Block::paragraph("性 and \u{7}")]));
        assert!(text.contains("[U+6027] and [U+0007]"), "{text}");
        assert!(text.contains("are written by their codes"), "{text}");
    }

    #[test]
    fn what_is_too_long_is_cut_and_said() {
        let text = said(&with(vec![Block::Table(table(3, 5_000, "x"))]));
        assert!(text.contains("These are the first 400 of 5000 rows"), "{text}");
        let text = said(&with(vec![Block::Table(table(2, 1, &"x".repeat(10_000)))]));
        assert!(text.contains('…') && text.contains("Very long texts are cut"));
        let text = said(&with(vec![Block::Table(table(200, 2, "x"))]));
        assert!(text.contains("part 12 of 12") && text.contains("first 90 of 200 columns"));
        let mut figure = every("x").pop().unwrap();
        if let Block::Figure(figure) = &mut figure {
            figure.svg = "x".repeat(1_000_000);
        }
        assert!(said(&with(vec![figure])).contains("is left out here"));
    }

    #[test]
    fn the_greatest_document_is_bounded() {
        // Sixty tables of five thousand rows, and as many headings.
        let one = || [Block::part("A heading"), Block::Table(table(8, 5_000, "some words"))];
        let document = with((0..60).flat_map(|_| one()).collect());
        let pdf = typeset(&document).unwrap();
        assert!(pdf.pages < 600, "{}", pdf.pages);
        assert!(pdf.bytes.len() < 20_000_000, "{}", pdf.bytes.len());
    }

    #[test]
    fn pages_are_numbered_of_how_many() {
        let text = said(&with(vec![Block::Table(table(3, 120, "x"))]));
        assert!(text.contains("Page 1 of "), "{text}");
        // The head of the table stands again on each page.
        assert!(text.matches("column 1").count() > 1, "{text}");
    }

    #[test]
    fn nothing_else_can_be_read() {
        use typst::{
            World as _,
            syntax::{RootedPath, VirtualPath, VirtualRoot},
        };
        let desk = Desk::new(b"{}".to_vec()).unwrap();
        for name in ["etc/passwd", "report.json/x", "other.typ"] {
            let path = RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).unwrap());
            assert!(desk.file(path.clone().intern()).is_err());
            assert!(desk.source(path.intern()).is_err());
        }
        assert!(desk.today(None).is_none());
    }
}
