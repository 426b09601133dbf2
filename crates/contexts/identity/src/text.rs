//! What people type: names, and the slugs that are made of them.

use ephor_kernel::Fault;

/// A name without blanks at its ends, of 1 to `most` characters.
pub(crate) fn name(
    pointer: &'static str,
    text: &str,
    most: usize,
    faults: &mut Vec<Fault>,
) -> String {
    let text = text.trim();
    if text.is_empty() {
        faults.push(Fault::new(pointer, "required", "A name is needed"));
    } else if text.chars().count() > most {
        faults.push(Fault::new(
            pointer,
            "too_long",
            format!("A name has at most {most} characters"),
        ));
    } else if text.contains('\0') {
        faults.push(Fault::new(pointer, "nul", "A text cannot hold the character NUL"));
    }
    text.to_owned()
}

/// A slug for a name: its ASCII letters and digits in lower case, with hyphens between.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 54 {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "organization".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_read_like_their_names() {
        assert_eq!(slug("Acme & Söhne GmbH"), "acme-s-hne-gmbh");
        assert_eq!(slug("  Ünïcode  "), "n-code");
        assert_eq!(slug("日本"), "organization");
    }

    proptest! {
        #[test]
        fn every_slug_is_one_that_the_table_takes(name in ".{0,200}") {
            let slug = slug(&name);
            prop_assert!((1..=63).contains(&slug.len()));
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-'));
        }
    }
}
