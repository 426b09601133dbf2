//! The feed: Atom 1.0 (RFC 4287).

use ephor_kernel::Problem;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use crate::{content::TrustCenter, markdown};

/// The characters of an entry's summary.
const SUMMARY: usize = 300;

/// The feed of what an organization has published. `url` is the installation's, `organization` the
/// organization's slug.
pub(super) fn atom(url: &str, organization: &str, found: &TrustCenter) -> Result<String, Problem> {
    write(url, organization, found).map_err(|error| {
        tracing::error!(%error, "a feed could not be written");
        Problem::internal()
    })
}

fn write(url: &str, organization: &str, found: &TrustCenter) -> std::io::Result<String> {
    let page = format!("{url}/p/{organization}");
    let own = format!("{page}/feed.atom");
    let mut feed = Feed(Writer::new_with_indent(Vec::new(), b' ', 2));
    feed.put(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let head = BytesStart::new("feed")
        .with_attributes([("xmlns", "http://www.w3.org/2005/Atom"), ("xml:base", page.as_str())]);
    feed.put(Event::Start(head))?;
    feed.text("id", &own)?;
    feed.text("title", &found.name)?;
    feed.text("updated", &found.changed_at.to_rfc3339())?;
    feed.link("self", "application/atom+xml", &own)?;
    feed.link("alternate", "text/html", &page)?;
    feed.open("author")?;
    feed.text("name", &found.name)?;
    feed.close("author")?;
    let mut posts: Vec<_> = found.posts.iter().collect();
    posts.sort_by_key(|post| std::cmp::Reverse(post.published_at));
    for post in posts {
        feed.open("entry")?;
        feed.text("id", &format!("urn:uuid:{}", post.id))?;
        feed.text("title", &post.title)?;
        feed.text("published", &post.published_at.to_rfc3339())?;
        feed.text("updated", &post.updated_at.to_rfc3339())?;
        feed.link("alternate", "text/html", &format!("{page}/{}", post.slug))?;
        for tag in &post.tags {
            let term = printable(tag);
            feed.put(Event::Empty(
                BytesStart::new("category").with_attributes([("term", term.as_str())]),
            ))?;
        }
        let summary = match &post.summary {
            Some(summary) => summary.clone(),
            None => markdown::plain(&post.opening, SUMMARY),
        };
        feed.text("summary", &summary)?;
        feed.close("entry")?;
    }
    feed.close("feed")?;
    String::from_utf8(feed.0.into_inner()).map_err(std::io::Error::other)
}

struct Feed(Writer<Vec<u8>>);

impl Feed {
    fn put(&mut self, event: Event<'_>) -> std::io::Result<()> {
        self.0.write_event(event)
    }

    fn open(&mut self, name: &str) -> std::io::Result<()> {
        self.put(Event::Start(BytesStart::new(name)))
    }

    fn close(&mut self, name: &str) -> std::io::Result<()> {
        self.put(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> std::io::Result<()> {
        self.open(name)?;
        self.put(Event::Text(BytesText::new(&printable(text))))?;
        self.close(name)
    }

    fn link(&mut self, rel: &str, kind: &str, href: &str) -> std::io::Result<()> {
        let link =
            BytesStart::new("link").with_attributes([("rel", rel), ("type", kind), ("href", href)]);
        self.put(Event::Empty(link))
    }
}

/// Without the characters that XML cannot hold in any form.
fn printable(text: &str) -> String {
    let fits = |letter: &char| match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        letter => *letter >= ' ',
    };
    text.chars().filter(fits).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::content::Listed;

    #[test]
    fn a_feed_is_well_formed_whatever_the_posts_are_called() {
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        let post = Listed {
            id: uuid::Uuid::nil().into(),
            title: "a < b & \"c\" ]]> \u{1} <script>".to_owned(),
            slug: "a-b".to_owned(),
            summary: None,
            opening: "# <b>bold</b>".to_owned(),
            tags: vec!["x\"y<".to_owned()],
            is_featured: false,
            published_at: at,
            updated_at: at,
        };
        let found = TrustCenter { name: "A & B".to_owned(), changed_at: at, posts: vec![post] };
        let feed = atom("https://example.org", "a-and-b", &found).unwrap();
        let mut reader = quick_xml::Reader::from_str(&feed);
        let mut entries = 0;
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) if start.name().into_inner() == b"entry" => entries += 1,
                Event::Start(start) => assert_ne!(start.name().into_inner(), b"script"),
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(entries, 1, "{feed}");
        assert!(feed.contains("<title>A &amp; B</title>"), "{feed}");
        assert!(feed.contains("https://example.org/p/a-and-b/a-b"), "{feed}");
        assert!(!feed.contains('\u{1}'), "{feed}");
    }
}
