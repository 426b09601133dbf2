//! The fields of the form, one at a time; what does not read is kept as a fault.

use ephor_kernel::Fault;

use crate::pages::resource::edit::{Sent, sent};

/// A form that is read.
pub(super) struct Reader<'a> {
    pub(super) form: &'a Sent,
    /// What did not read so far.
    pub(super) faults: Vec<Fault>,
}

impl Reader<'_> {
    /// What a field says; none where it is empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        sent(self.form, name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// All that a field says that may be there more than once.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Reads a number if there is one; says whether there was.
    pub(super) fn number<T: std::str::FromStr>(
        &mut self,
        name: &'static str,
        what: &str,
        into: &mut T,
    ) -> bool {
        let Some(text) = self.text(name) else { return false };
        match text.parse() {
            Ok(number) => *into = number,
            Err(_) => self.faults.push(Fault::new(
                format!("/{name}"),
                "type",
                format!("`{}` is not {what}.", text.chars().take(40).collect::<String>()),
            )),
        }
        true
    }

    /// Whether a box is ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        sent(self.form, name).is_some()
    }
}
