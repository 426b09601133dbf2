//! A QR code as an SVG picture that holds neither script nor style.

use std::fmt::Write as _;

use ephor_kernel::Problem;
use qrcodegen::{QrCode, QrCodeEcc};

/// The quiet zone that readers need, in modules.
const QUIET: i32 = 4;

/// The picture of a text: dark modules in the colour of the text around it are not safe in the dark,
/// so it brings its own white ground.
pub(super) fn svg(text: &str) -> Result<String, Problem> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| {
        tracing::error!("an address is too long for a QR code");
        Problem::internal()
    })?;
    let size = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"220\" height=\"220\" \
         role=\"img\" aria-label=\"QR code\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_no_script_and_no_style() {
        let svg = svg("otpauth://totp/Ephor:ada@example.org?secret=X").unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert!(!svg.contains("style") && !svg.contains("script"));
        // The finder pattern in the corner.
        assert!(svg.contains("M4 4h1v1h-1zM5 4h1v1h-1zM6 4h1v1h-1z"));
    }
}
