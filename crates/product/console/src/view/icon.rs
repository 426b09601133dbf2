//! Icons: symbols of one sprite that stands at the top of each page.

use std::fmt;

use askama::{Template, filters::HtmlSafe};

/// An icon, by its symbol's name. It is decoration: words beside it say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icon(pub &'static str);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r##"<svg class="icon" aria-hidden="true"><use href="#i-{}"></use></svg>"##,
            self.0
        )
    }
}

impl HtmlSafe for Icon {}

/// The sprite that holds every icon.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "sprite.html")]
pub struct Sprite;

impl HtmlSafe for Sprite {}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// Every `Icon("…")`, `icon: "…"` and `#i-…` of the crate's sources has its symbol.
    #[test]
    fn every_icon_that_is_used_is_drawn() {
        let sprite = Sprite.render().unwrap();
        let mut seen = 0;
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for mark in ["Icon(\"", "icon: \"", "#i-"] {
                    for part in text.split(mark).skip(1) {
                        let name: String = part
                            .chars()
                            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                            .collect();
                        if !name.is_empty() {
                            seen += 1;
                            assert!(
                                sprite.contains(&format!("id=\"i-{name}\"")),
                                "{} uses the icon `{name}`, which templates/sprite.html lacks",
                                path.display()
                            );
                        }
                    }
                }
            }
        }
        assert!(seen > 20, "the test looks at the wrong files: {seen} icons found");
    }
}
