//! The pages of the trust centre.

use askama::Template;
use chrono::{DateTime, Utc};
use ephor_kernel::Problem;

use crate::{
    content::{Post, TrustCenter},
    markdown,
};

/// The one style of all pages. It stands in them, and the security policy names its hash.
pub(super) const STYLE: &str = include_str!("../../templates/style.css");

/// The characters of what is told of a post in the list.
const OPENING: usize = 300;

#[derive(Debug, Template)]
#[template(path = "list.html")]
struct ListPage<'a> {
    style: &'static str,
    here: String,
    name: &'a str,
    tag: Option<&'a str>,
    posts: Vec<Shown<'a>>,
}

#[derive(Debug)]
struct Shown<'a> {
    href: String,
    title: &'a str,
    text: String,
    tags: &'a [String],
    featured: bool,
    at: Day,
}

#[derive(Debug, Template)]
#[template(path = "post.html")]
struct PostPage<'a> {
    style: &'static str,
    here: String,
    name: &'a str,
    title: &'a str,
    summary: Option<&'a str>,
    tags: &'a [String],
    at: Day,
    changed: Option<Day>,
    /// Made by [`markdown::html`], which lets nothing through that is not safe.
    body: String,
}

/// A moment, for machines and for people.
#[derive(Debug, PartialEq)]
struct Day {
    exact: String,
    short: String,
}

impl Day {
    fn of(moment: DateTime<Utc>) -> Self {
        Self { exact: moment.to_rfc3339(), short: moment.format("%-d %B %Y").to_string() }
    }
}

pub(super) fn list(
    organization: &str,
    tag: Option<&str>,
    found: &TrustCenter,
) -> Result<String, Problem> {
    let here = format!("/p/{organization}");
    let posts = found
        .posts
        .iter()
        .map(|post| Shown {
            href: format!("{here}/{}", post.slug),
            title: &post.title,
            text: post.summary.clone().unwrap_or_else(|| markdown::plain(&post.opening, OPENING)),
            tags: &post.tags,
            featured: post.is_featured,
            at: Day::of(post.published_at),
        })
        .collect();
    rendered(&ListPage { style: STYLE, here, name: &found.name, tag, posts })
}

pub(super) fn post(organization: &str, found: &Post) -> Result<String, Problem> {
    let (at, changed) = (Day::of(found.published_at), Day::of(found.updated_at));
    rendered(&PostPage {
        style: STYLE,
        here: format!("/p/{organization}"),
        name: &found.organization_name,
        title: &found.title,
        summary: found.summary.as_deref(),
        tags: &found.tags,
        changed: (changed.short != at.short).then_some(changed),
        at,
        body: markdown::html(&found.content),
    })
}

fn rendered(page: &impl Template) -> Result<String, Problem> {
    page.render().map_err(|error| {
        tracing::error!(%error, "a page of the trust centre could not be rendered");
        Problem::internal()
    })
}
