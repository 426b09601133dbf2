//! Somebody who looks at pages and presses their buttons, without scripts.

use reqwest::{RequestBuilder, StatusCode};

use super::api::Person;

/// A page.
pub struct Page {
    pub status: StatusCode,
    pub body: String,
}

impl Page {
    #[track_caller]
    pub fn shows(&self, text: &str) {
        assert!(self.body.contains(text), "`{text}` is not in {}: {}", self.status, self.body);
    }

    #[track_caller]
    pub fn hides(&self, text: &str) {
        assert!(!self.body.contains(text), "`{text}` is in {}: {}", self.status, self.body);
    }

    /// What the form that is sent to `action` carries unseen.
    fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let form = self.body.split(&format!("action=\"{action}\"")).nth(1);
        let form = form.unwrap_or_else(|| panic!("no form for {action}: {}", self.body));
        let form = form.split("</form>").next().unwrap_or_default();
        let value = |part: &str, name: &str| {
            let value = part.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
            Some(value.to_owned())
        };
        form.split("type=\"hidden\"")
            .skip(1)
            .filter_map(|part| Some((value(part, "name")?, value(part, "value")?)))
            .collect()
    }
}

impl Person {
    /// Looks at a page.
    pub async fn page(&self, path: &str) -> Page {
        seen(self.get(path)).await
    }

    /// Presses the button of `page` whose form is sent to `action`; answers where that leads.
    pub async fn press(&self, page: &Page, action: &str) -> Page {
        let form = page
            .hidden(action)
            .iter()
            .fold(ephor_rest::ListRequest::new(), |form, (name, value)| form.with(name, value));
        let request = self
            .post(action)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(form.to_query());
        seen(request).await
    }
}

async fn seen(request: RequestBuilder) -> Page {
    let answer = request.header("accept", "text/html").send().await.unwrap();
    Page { status: answer.status(), body: answer.text().await.unwrap() }
}
