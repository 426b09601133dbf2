//! What browsers fetch beside pages: in the binary, under names that hold their content's hash,
//! so that they may be kept for ever and never be stale.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use ephor_kernel::Problem;
use ephor_rest::ApiError;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "assets"]
#[exclude = "*LICENSE*"]
#[exclude = "*NOTICE*"]
#[exclude = "*VERSION*"]
struct Files;

/// One file, ready to be sent.
struct Asset {
    body: Cow<'static, [u8]>,
    kind: &'static str,
}

/// Files by the path below `/assets/`, and the address of each by its plain name.
struct Assets {
    files: HashMap<String, Asset>,
    addresses: HashMap<String, String>,
}

/// The stylesheet's parts, in the order in which they build on one another.
const STYLES: [&str; 5] = [
    "css/1-tokens.css",
    "css/2-layout.css",
    "css/3-components.css",
    "css/4-charts.css",
    "css/5-print.css",
];

/// The name of the whole stylesheet.
const STYLESHEET: &str = "console.css";

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

impl Assets {
    fn load() -> Self {
        let mut assets = Self { files: HashMap::new(), addresses: HashMap::new() };
        for name in Files::iter().filter(|name| !name.starts_with("css/")) {
            if let Some(file) = Files::get(&name) {
                assets.add(&name, file.data);
            }
        }
        let sheet = stylesheet(|name| assets.addresses.get(name).cloned().unwrap_or_default());
        assets.add(STYLESHEET, Cow::Owned(sheet.into_bytes()));
        assets
    }

    fn add(&mut self, name: &str, body: Cow<'static, [u8]>) {
        let hash = hex(&Sha256::digest(&body)[..8]);
        let file = name.rsplit('/').next().unwrap_or(name);
        let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
        let path = format!("{stem}.{hash}.{ending}");
        let kind = match ending {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "woff2" => "font/woff2",
            _ => "application/octet-stream",
        };
        self.addresses.insert(name.to_owned(), format!("/assets/{path}"));
        self.files.insert(path, Asset { body, kind });
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The whole stylesheet; `address` says where each `asset:…` lies.
fn stylesheet(address: impl Fn(&str) -> String) -> String {
    let mut sheet = String::new();
    for part in STYLES {
        let text = text(part);
        let mut rest = text.as_ref();
        while let Some((before, after)) = rest.split_once("asset:") {
            let (name, tail) = after.split_once('"').unwrap_or((after, ""));
            sheet.push_str(before);
            sheet.push_str(&address(name));
            sheet.push('"');
            rest = tail;
        }
        sheet.push_str(rest);
    }
    sheet
}

/// The stylesheet for a page that may fetch nothing: without the fonts, whose place the
/// system's own take.
pub(crate) fn inline_stylesheet() -> String {
    let sheet = stylesheet(|_| String::new());
    let mut out = String::with_capacity(sheet.len());
    let mut rest = sheet.as_str();
    while let Some((before, after)) = rest.split_once("@font-face {") {
        out.push_str(before);
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    out.push_str(rest);
    out
}

/// A text asset, by its plain name; empty if there is none.
pub(crate) fn text(name: &str) -> Cow<'static, str> {
    match Files::get(name).map(|file| file.data) {
        Some(Cow::Borrowed(bytes)) => String::from_utf8_lossy(bytes),
        Some(Cow::Owned(bytes)) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        None => Cow::Borrowed(""),
    }
}

/// Where the asset of this plain name lies, as templates link to it.
pub fn url(name: &str) -> &'static str {
    ASSETS.addresses.get(name).map_or("/assets/missing", String::as_str)
}

/// `GET /assets/{file}`.
pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    match ASSETS.files.get(&file) {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ],
            match &asset.body {
                Cow::Borrowed(bytes) => axum::body::Bytes::from_static(bytes),
                Cow::Owned(bytes) => axum::body::Bytes::copy_from_slice(bytes),
            },
        )
            .into_response(),
        None => ApiError(Problem::not_found("asset")).into_response(),
    }
}

/// Leaves every asset below `folder`, for looking at rendered samples.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn write_all(folder: &str) {
    std::fs::create_dir_all(format!("{folder}/assets")).unwrap();
    for (file, asset) in &ASSETS.files {
        std::fs::write(format!("{folder}/assets/{file}"), &asset.body).unwrap();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_the_hash_of_what_lies_there() {
        let address = url("js/charts.js");
        let file = address.strip_prefix("/assets/").unwrap();
        let body = &ASSETS.files[file].body;
        assert!(file.contains(&hex(&Sha256::digest(body)[..8])));
    }

    #[test]
    fn the_stylesheet_links_to_fonts_that_are_there() {
        let file = url(STYLESHEET).strip_prefix("/assets/").unwrap();
        let sheet = String::from_utf8(ASSETS.files[file].body.to_vec()).unwrap();
        let fonts: Vec<_> = sheet.split("url(\"/assets/").skip(1).collect();
        assert_eq!(fonts.len(), 2);
        for font in fonts {
            assert!(ASSETS.files.contains_key(font.split('"').next().unwrap()));
        }
        assert!(!sheet.contains("asset:"));
    }

    #[test]
    fn the_inline_stylesheet_fetches_nothing() {
        let sheet = inline_stylesheet();
        assert!(sheet.contains("--paper") && !sheet.contains("url("));
    }

    #[test]
    fn every_vendored_asset_states_its_licence_and_version() {
        let vendor = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/vendor");
        let mut folders = 0;
        for folder in std::fs::read_dir(vendor).unwrap() {
            let folder = folder.unwrap().path();
            let version = std::fs::read_to_string(folder.join("VERSION")).unwrap();
            assert!(folder.join("LICENSE").is_file(), "{} has no LICENSE", folder.display());
            let line = version.lines().find(|line| line.starts_with("sha256 of ")).unwrap();
            let (name, hash) = line.strip_prefix("sha256 of ").unwrap().split_once(": ").unwrap();
            let body = std::fs::read(folder.join(name)).unwrap();
            assert_eq!(hex(&Sha256::digest(&body)), hash, "{name} is not what VERSION says");
            folders += 1;
        }
        assert_eq!(folders, 5);
    }
}
