//! The name that somebody probably meant.

/// The candidate nearest to `name`, when one is near enough to be worth suggesting.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A long rubbish name costs quadratic time and resembles nothing.
    if name.len() > 100 {
        return None;
    }
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// A hint for an unknown name: the nearest one, or all of them when they are few.
pub(crate) fn hint<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<_> = candidates.into_iter().collect();
    (!all.is_empty() && all.len() <= 40).then(|| format!("there are: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_rubbish_is_not() {
        assert_eq!(nearest("Nmae", ["name", "status"]), Some("name"));
        assert_eq!(nearest("created", ["updated_at", "created_at"]), Some("created_at"));
        assert_eq!(nearest("xyzzy", ["name", "status"]), None);
        assert_eq!(nearest("secret", ["score"]), None);
        assert_eq!(hint("xyzzy", ["a", "b"]).as_deref(), Some("there are: a, b"));
    }
}
