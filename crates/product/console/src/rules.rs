//! What every template keeps to, rendered with samples: none may hold an inline style or script, miss an
//! asset, or use an id twice. With `EPHOR_PREVIEW` set to a folder, the pages are left there to be looked at.

use std::collections::HashSet;

use askama::Template;
use ephor_kernel::Problem;

use crate::{
    error::ErrorPage,
    report::{self, ReportMeta, explained::tests::report_of},
    samples::{card, moment, pages, result},
};

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the preview is for whoever works on the pages, not for those who run Ephor"
)]
fn every_page_renders_and_keeps_the_rules() {
    let pages = pages();
    for (name, html) in &pages {
        let without_data: String = html
            .split("<script type=\"application/json\"")
            .map(|part| part.split_once("</script>").map_or(part, |(_, rest)| rest))
            .collect();
        for forbidden in
            [" style=", "<style", "javascript:", " onclick", " onload", "/assets/missing"]
        {
            assert!(!without_data.contains(forbidden), "{name} holds `{forbidden}`");
        }
        assert!(!html.contains("<script>"), "{name} holds an inline script");
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one main heading");
        assert_eq!(html.matches("<main").count(), 1, "{name} has one main landmark");
        let ids: Vec<&str> =
            html.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
        let distinct: HashSet<_> = ids.iter().collect();
        let twice: Vec<_> = distinct
            .iter()
            .filter(|id| ids.iter().filter(|other| other == *id).count() > 1)
            .collect();
        assert!(twice.is_empty(), "{name} uses ids twice: {twice:?}");
        for wanted in
            html.split("aria-describedby=\"").skip(1).filter_map(|part| part.split('"').next())
        {
            for id in wanted.split(' ') {
                assert!(ids.contains(&id), "{name} is described by `{id}`, which is not there");
            }
        }
        // Every form that changes something carries its session's token.
        for form in html.split("<form").skip(1).filter_map(|part| part.split("</form>").next()) {
            let open = form.split('>').next().unwrap_or_default();
            if open.contains("method=\"post\"")
                && !name.starts_with("sign-in")
                && !open.contains("data-upload")
            {
                assert!(
                    form.contains("name=\"_csrf\" value=\"token\""),
                    "{name} has a form without a token: {open}"
                );
            }
        }
    }
    if let Ok(folder) = std::env::var("EPHOR_PREVIEW") {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, html) in &pages {
            std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
        }
        crate::assets::write_all(&folder);
        let meta = ReportMeta::new("Bias analysis of adult.csv", "adult.csv", moment());
        std::fs::write(format!("{folder}/report.html"), report::html(&result(), &meta).unwrap())
            .unwrap();
        let explained = crate::report::explained::tests::preview();
        std::fs::write(format!("{folder}/explanation.html"), report_of(&explained)).unwrap();
        for drawing in report::explained::drawings(&explained) {
            let file = format!("{folder}/{}", drawing.name);
            std::fs::write(format!("{file}.svg"), drawing.standalone()).unwrap();
            std::fs::write(format!("{file}.png"), drawing.png().unwrap()).unwrap();
        }
        std::fs::write(format!("{folder}/card.html"), (report::PAGES.card)(&card()).unwrap())
            .unwrap();
    }
}

#[test]
fn what_one_may_not_see_looks_like_what_is_not_there() {
    let (hidden, missing) = (
        ErrorPage::new(&Problem::forbidden("models", "read"), None, None).render().unwrap(),
        ErrorPage::new(&Problem::not_found("model"), None, None).render().unwrap(),
    );
    assert_eq!(hidden, missing);
}
