//! From the words that people type to a full-text query.

/// More words than this find nothing that fewer would not.
const MAX_TERMS: usize = 20;

/// A query in the syntax of `to_tsquery`: every word has to occur, at least as the beginning of a
/// word; `-word` must not; `"two words"` must stand together. `None` when no word is left.
pub(super) fn terms(text: &str) -> Option<String> {
    let mut query: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && query.len() < MAX_TERMS {
        let (negated, tail) = match rest.strip_prefix('-') {
            Some(tail) => ("!", tail),
            None => ("", rest),
        };
        let (term, tail) = if let Some(phrase) = tail.strip_prefix('"') {
            let (words, tail) = phrase.split_once('"').unwrap_or((phrase, ""));
            (phrase_of(words), tail)
        } else {
            let end = tail.find([' ', '\t', '"']).unwrap_or(tail.len());
            (lexeme(&tail[..end]).map(|word| format!("{word}:*")), &tail[end..])
        };
        query.extend(term.map(|term| format!("{negated}{term}")));
        rest = tail.trim_start();
    }
    (!query.is_empty()).then(|| query.join(" & "))
}

fn phrase_of(words: &str) -> Option<String> {
    let words: Vec<_> = words.split_whitespace().filter_map(lexeme).collect();
    match words.as_slice() {
        [] => None,
        [word] => Some(word.clone()),
        _ => Some(format!("({})", words.join(" <-> "))),
    }
}

/// One word in quotes, in which nothing is special: what isn't a letter or a digit parts words
/// for the full-text parser too, so a blank does as well.
fn lexeme(word: &str) -> Option<String> {
    let plain: String = word
        .chars()
        .map(
            |letter| {
                if letter.is_alphanumeric() || "_.@-/".contains(letter) { letter } else { ' ' }
            },
        )
        .collect();
    let plain = plain.trim();
    plain.contains(char::is_alphanumeric).then(|| format!("'{plain}'"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_exclusions() {
        assert_eq!(terms("credit risk").unwrap(), "'credit':* & 'risk':*");
        assert_eq!(terms("\"credit risk\" -draft").unwrap(), "('credit' <-> 'risk') & !'draft':*");
        assert_eq!(terms("  -- ' & | ! \" "), None);
        assert_eq!(terms("o'neil\\").unwrap(), "'o neil':*");
    }

    proptest::proptest! {
        #[test]
        fn quotes_are_always_balanced(text in ".{0,60}") {
            if let Some(query) = terms(&text) {
                proptest::prop_assert_eq!(query.matches('\'').count() % 2, 0);
                proptest::prop_assert!(!query.contains('\\'));
            }
        }
    }
}
