//! Markdown to HTML that is safe to show: no HTML of the author's, no address but of the web.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The schemes that a link may have.
const LINKS: [&str; 3] = ["http", "https", "mailto"];
/// The scheme that a picture may have.
const PICTURES: [&str; 1] = ["https"];

/// The HTML. What is HTML in the text is shown as text; headings stand below the page's own.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, events(text));
    out
}

/// The words alone, at most so many characters.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let mut out = String::new();
    for event in events(text) {
        match event {
            Event::Text(words) | Event::Code(words) => out.push_str(&words),
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::CodeBlock
                | TagEnd::TableCell,
            ) => out.push(' '),
            _ => {}
        }
    }
    let out = out.trim();
    match out.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", out[..end].trim_end()),
        None => out.to_owned(),
    }
}

fn events(text: &str) -> impl Iterator<Item = Event<'_>> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(text, options).map(safe)
}

fn safe(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        // The blocks around it would be passed over by the writer in any case.
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: below(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        Event::Start(Tag::Link { link_type, dest_url, title, .. }) => Event::Start(Tag::Link {
            link_type,
            dest_url: address(dest_url, &LINKS),
            title,
            id: CowStr::Borrowed(""),
        }),
        Event::Start(Tag::Image { link_type, dest_url, title, .. }) => Event::Start(Tag::Image {
            link_type,
            dest_url: address(dest_url, &PICTURES),
            title,
            id: CowStr::Borrowed(""),
        }),
        other => other,
    }
}

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// The address, or `#` when its scheme is none of these. Browsers pass over blanks and control
/// characters in a scheme, so they are taken out first.
fn address<'a>(url: CowStr<'a>, schemes: &[&str]) -> CowStr<'a> {
    let bare: String =
        url.chars().filter(|letter| !letter.is_control() && !letter.is_whitespace()).collect();
    let scheme = bare
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .filter(|scheme| !scheme.contains(['/', '?', '#']));
    match scheme {
        Some(scheme) if !schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            CowStr::Borrowed("#")
        }
        _ if bare.len() == url.len() => url,
        _ => CowStr::from(bare),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_below_the_page_s_heading() {
        assert_eq!(
            html("# Fair\n\n*all* of [it](https://example.org/a?b=c)"),
            "<h2>Fair</h2>\n<p><em>all</em> of <a href=\"https://example.org/a?b=c\">it</a></p>\n"
        );
    }

    #[test]
    fn no_html_of_the_author_s_gets_through() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div>\n<iframe src='//evil'></iframe>\n</div>",
            "<!-- --><svg/onload=alert(1)>",
            "`<script>`",
            "[x](<javascript:alert(1)>)",
            "[x](java&#10;script:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html;base64,xx)",
            "![x](javascript:alert(1))",
            "![x](http://evil.example/pixel.gif)",
            "[x]: vbscript:msgbox(1)\n\n[x]",
            "<javascript:alert(1)>",
            "[a](https://x \"\\\"><script>\")",
            "# x {onclick=alert(1)}",
            "| <script> |\n|---|\n| <b onclick=x> |",
            "[^1]\n\n[^1]: <script>",
        ] {
            let shown = html(text);
            let tags: Vec<&str> = shown.split('<').skip(1).collect();
            for tag in tags {
                let name: String = tag
                    .trim_start_matches('/')
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                let known = [
                    "p", "a", "img", "code", "em", "strong", "h2", "table", "thead", "tbody", "tr",
                    "th", "td", "sup", "div",
                ];
                assert!(known.contains(&name.as_str()), "<{name}> in {shown}");
                let inside = tag.split('>').next().unwrap_or_default().to_lowercase();
                assert!(!inside.contains("script:") && !inside.contains(" on"), "{shown}");
                assert!(!inside.contains("data:") && !inside.contains("evil"), "{shown}");
            }
        }
    }

    #[test]
    fn the_words_alone_are_cut_between_characters() {
        assert_eq!(plain("# Fair\n\n*äöü* `x`", 100), "Fair äöü x");
        assert_eq!(plain("äöüäöü", 3), "äöü…");
    }
}
