//! The choice of permissions: boxes for each kind of thing, and a line for what is said with `*`.

use ephor_identity::CATALOGUE;

use crate::{
    pages::resource::edit::Sent,
    view::{Boxes, Choice, Control, Field, format},
    visit::Visit,
};

/// The fields of a form that gives permissions. Offered is what the visitor may do, for nobody gives
/// more than they have, and what is given already.
pub(super) fn fields(visit: &Visit, given: &[String]) -> Vec<Field> {
    let offered = CATALOGUE.iter().filter_map(|entry| {
        let choices: Vec<Choice> = entry
            .actions
            .iter()
            .map(|action| (format!("{}:{action}", entry.resource), *action))
            .filter(|(word, action)| visit.may(entry.resource, action) || given.contains(word))
            .map(|(word, action)| Choice::new(word, action.replace('_', " ")))
            .collect();
        (!choices.is_empty()).then(|| Boxes {
            label: format::label(entry.resource),
            about: entry.about.to_owned(),
            choices,
        })
    });
    // What no box stands for, right or wrong, keeps its place on the line.
    let (plain, wide): (Vec<&str>, Vec<&str>) =
        given.iter().map(String::as_str).partition(|word| has_box(word));
    vec![
        Field::new("permissions", "Permissions")
            .control(Control::Boxes(offered.collect()))
            .value(plain.join(" "))
            .hint("As few as will do."),
        Field::new("permissions_more", "And all of a kind")
            .value(wide.join(" "))
            .hint("models:* stands for all that may be done with models, *:read for reading all, * for everything; blanks between them."),
    ]
}

/// Is it one action on one kind of thing?
fn has_box(word: &str) -> bool {
    word.split_once(':').is_some_and(|(resource, action)| {
        CATALOGUE.iter().any(|entry| entry.resource == resource && entry.actions.contains(&action))
    })
}

/// The permissions that a form sent: ticked, or written.
pub(super) fn sent(form: &Sent) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let fields = form.iter().filter(|(name, _)| name.starts_with("permissions"));
    for word in fields.flat_map(|(_, value)| value.split([',', ' ', '\n', '\r', '\t'])) {
        if !word.is_empty() && words.iter().all(|known| known != word) {
            words.push(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticked_and_written_words_are_one_list() {
        let form = [
            ("permissions", "models:read"),
            ("permissions", "models:read"),
            ("permissions_more", "datasets:*, jobs:read"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(has_box("models:read") && !has_box("models:*") && !has_box("moles:read"));
        assert_eq!(sent(&form.to_vec()), ["models:read", "datasets:*", "jobs:read"]);
    }
}
