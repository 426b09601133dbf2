//! From a figure's SVG to a picture of dots, as PNG.
//!
//! It is drawn with fonts that come with the binary, so that it looks the same on whatever machine: that of the console's pages,
//! and those of documents for letters which that one lacks. Nothing that the figure names is fetched: neither files nor
//! addresses, nor pictures within it.

use std::sync::{Arc, LazyLock};

use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{
        FontResolver, ImageHrefResolver, Options, Tree,
        fontdb::{Database, ID, Source},
    },
};

use crate::{
    Error,
    text::drawn,
    world::{FONTS_HELD, fonts},
};

/// The most bytes of a figure's SVG.
const MOST_BYTES: usize = 8 << 20;
/// The most dots of a picture: four bytes of memory each, while it is drawn.
const MOST_DOTS: f64 = 16e6;
/// The most dots in a row, or in a column.
const LONGEST: f64 = 16_384.0;
/// What words are set in, whatever the figure asks for.
const WORDS: &str = "Inter";
/// What they are set in where letters with serifs are asked for.
const BOOK: &str = "Libertinus Serif";
/// What words are set in where letters of one breadth are asked for.
const CODE: &str = "DejaVu Sans Mono";

/// The font of words: its letters are those of Latin.
static WORDS_HELD: [&[u8]; 2] = [
    include_bytes!("../fonts/inter/Inter-Regular.ttf"),
    include_bytes!("../fonts/inter/Inter-SemiBold.ttf"),
];

/// The fonts as the painter knows them.
struct Letters {
    book: Arc<Database>,
    /// Those of documents, in the order in which they are held.
    faces: Vec<Option<ID>>,
}

static LETTERS: LazyLock<Letters> = LazyLock::new(|| {
    let mut book = Database::new();
    for data in WORDS_HELD {
        book.load_font_source(Source::Binary(Arc::new(data)));
    }
    let mut faces = Vec::with_capacity(FONTS_HELD.len());
    for data in FONTS_HELD {
        let loaded = book.load_font_source(Source::Binary(Arc::new(data)));
        faces.push(loaded.first().copied());
    }
    book.set_serif_family(BOOK);
    book.set_sans_serif_family(WORDS);
    book.set_cursive_family(WORDS);
    book.set_fantasy_family(WORDS);
    book.set_monospace_family(CODE);
    Letters { book: Arc::new(book), faces }
});

/// Draws `svg`, a standalone SVG document of a figure that we drew, on white, with so many dots to each of its units (one at least). A picture has at most
/// 16 million dots and 16 384 in a row or column; what would have more is drawn smaller. It takes from hundredths of a second to
/// seconds of one core: callers that must not be held up call it on a thread where that is allowed.
/// It is not for SVG from elsewhere: how long a drawing takes is bounded by nothing but its length.
///
/// In the place of each character that no font has stands a sign (U+FFFD): the codes of documents would outgrow a label's place.
///
/// # Errors
/// [`Error::Picture`]: it is no SVG, has no size, or is longer than 8 MiB, as given or with those signs.
pub fn png(svg: &str, dots_to_unit: u8) -> Result<Vec<u8>, Error> {
    short(svg)?;
    let svg = drawn(svg);
    short(&svg)?;
    let tree =
        Tree::from_str(&svg, &options()).map_err(|error| Error::Picture(error.to_string()))?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let (across, down) = dots(f64::from(width), f64::from(height), dots_to_unit);
    let mut picture = Pixmap::new(across, down)
        .ok_or_else(|| Error::Picture(format!("there is no picture of {across} x {down} dots")))?;
    picture.fill(Color::WHITE);
    let scale = Transform::from_scale(across as f32 / width, down as f32 / height);
    resvg::render(&tree, scale, &mut picture.as_mut());
    picture.encode_png().map_err(|error| Error::Picture(error.to_string()))
}

/// Is it of a length that is drawn?
fn short(svg: &str) -> Result<(), Error> {
    if svg.len() > MOST_BYTES {
        let message = format!("it has {} bytes; at most {MOST_BYTES} are drawn", svg.len());
        return Err(Error::Picture(message));
    }
    Ok(())
}

/// How many dots a picture has across and down.
fn dots(width: f64, height: f64, to_unit: u8) -> (u32, u32) {
    let scale = f64::from(to_unit.max(1))
        .min((MOST_DOTS / (width * height)).sqrt())
        .min(LONGEST / width.max(height));
    let whole = |length: f64| ((length * scale).floor() as u32).max(1);
    (whole(width), whole(height))
}

/// How figures are read: with our fonts, and without anything from elsewhere.
fn options() -> Options<'static> {
    Options {
        font_family: WORDS.to_owned(),
        font_resolver: FontResolver {
            select_font: FontResolver::default_font_selector(),
            select_fallback: Box::new(other_face),
        },
        fontdb: Arc::clone(&LETTERS.book),
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    }
}

/// The first font of documents that has a letter, of those that were not tried.
fn other_face(letter: char, tried: &[ID], _: &mut Arc<Database>) -> Option<ID> {
    let mut faces = fonts().covering(letter).filter_map(|place| *LETTERS.faces.get(place)?);
    faces.find(|face| !tried.contains(face))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    fn svg(body: &str) -> String {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="120" height="40" viewBox="0 0 120 40">{body}</svg>"#
        )
    }

    fn word(text: &str) -> String {
        svg(&format!(
            r#"<text x="4" y="20" font-size="11" font-family="Inter,sans-serif">{text}</text>"#
        ))
    }

    fn picture(svg: &str) -> Pixmap {
        Pixmap::decode_png(&png(svg, 2).unwrap()).unwrap()
    }

    fn colours(picture: &Pixmap) -> BTreeSet<(u8, u8, u8, u8)> {
        let all = picture.pixels().iter();
        all.map(|dot| (dot.red(), dot.green(), dot.blue(), dot.alpha())).collect()
    }

    #[test]
    fn all_fonts_are_known_to_the_painter() {
        assert_eq!(LETTERS.faces.len(), FONTS_HELD.len());
        assert!(LETTERS.faces.iter().all(Option::is_some));
        let known = |name: &str| {
            LETTERS.book.faces().any(|face| face.families.iter().any(|(family, _)| family == name))
        };
        assert!(known(WORDS) && known(BOOK) && known(CODE));
    }

    #[test]
    fn a_picture_has_its_size_and_its_colours() {
        let drawn =
            picture(&svg(r##"<rect x="10" y="10" width="60" height="20" fill="#1f6f8b"/>"##));
        assert_eq!((drawn.width(), drawn.height()), (240, 80));
        let at = |x, y| {
            let dot = drawn.pixel(x, y).unwrap();
            (dot.red(), dot.green(), dot.blue(), dot.alpha())
        };
        assert_eq!(at(80, 40), (0x1f, 0x6f, 0x8b, 255));
        // What nothing is drawn on is white, not nothing.
        assert_eq!(at(230, 70), (255, 255, 255, 255));
    }

    #[test]
    fn rules_of_style_are_kept() {
        let style = "<style>.a text{fill:#ff0000;font-size:20px}.a .b.c{fill:#00ff00}</style>";
        let body = r#"<g class="a"><rect class="b c" width="20" height="20"/><text x="40" y="30">M</text></g>"#;
        let found = colours(&picture(&svg(&format!("{style}{body}"))));
        assert!(found.contains(&(255, 0, 0, 255)) && found.contains(&(0, 255, 0, 255)));
    }

    #[test]
    fn words_are_drawn() {
        let blank = picture(&svg(""));
        assert_eq!(colours(&blank).len(), 1);
        let drawn = picture(&word("income"));
        // Letters have soft edges.
        assert!(colours(&drawn).len() > 10);
        assert!(drawn != picture(&word("outcome")));
        // A title within is told, not drawn.
        assert!(drawn == picture(&word("<title>whole income</title>income")));
        let bold = r#"<text x="4" y="20" font-size="11" font-weight="600">income</text>"#;
        assert!(drawn != picture(&svg(bold)));
    }

    #[test]
    fn what_no_font_has_is_one_sign() {
        let sign = picture(&word("\u{6027}"));
        assert!(sign == picture(&word("\u{fffd}")) && sign == picture(&word("\u{e000}")));
        assert!(sign != picture(&svg("")) && sign != picture(&word("[U+6027]")));
        // Letters of the second font.
        let arabic = picture(&word("\u{633}"));
        assert!(arabic != picture(&svg("")) && arabic != picture(&word("[U+0633]")));
    }

    #[test]
    fn nothing_is_fetched() {
        let logo =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../product/console/assets/logo.svg");
        assert!(logo.exists());
        let inside = "data:image/svg+xml;utf8,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E%3Crect width='9' height='9'/%3E%3C/svg%3E";
        let blank = picture(&svg(""));
        for address in [logo.to_str().unwrap(), inside, "https://example.org/a.png"] {
            for name in ["href", "xlink:href"] {
                let image = format!(r#"<image {name}="{address}" width="100" height="40"/>"#);
                assert!(picture(&svg(&image)) == blank, "{address}");
            }
        }
    }

    #[test]
    fn pictures_are_bounded() {
        assert_eq!(dots(960.0, 684.0, 2), (1_920, 1_368));
        assert_eq!(dots(960.0, 684.0, 0), (960, 684));
        for (width, height) in [(1e5, 1e5), (1e9, 1e-9), (1e-9, 1e9), (960.0, 1e6), (1e38, 1e38)] {
            let (across, down) = dots(width, height, 255);
            assert!(across >= 1 && down >= 1);
            assert!(f64::from(across.max(down)) <= LONGEST, "{width} {height}");
            assert!(f64::from(across) * f64::from(down) <= MOST_DOTS, "{width} {height}");
        }
        assert!(png(&"x".repeat(MOST_BYTES + 1), 1).is_err());
        // Signs are longer than what they stand for.
        let fault = png(&"\u{7}".repeat(MOST_BYTES / 2), 1).unwrap_err().to_string();
        assert!(fault.contains("bytes; at most"), "{fault}");
    }

    #[test]
    fn what_is_no_figure_is_refused() {
        for wrong in [
            "",
            "words",
            "<html/>",
            "<svg",
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>"#,
        ] {
            let error = png(wrong, 1).unwrap_err();
            assert!(error.to_string().starts_with("the figure cannot be drawn: "), "{error}");
        }
    }
}
