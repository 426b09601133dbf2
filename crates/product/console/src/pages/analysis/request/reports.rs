//! The reports that are made beside an analysis: of the data alone, and of the law.

use ephor_fairness::{
    data::{DataSpec, representation::Population},
    law::{LawSpec, Rule},
};
use ephor_kernel::Fault;

use super::{super::population, reader::Reader};

impl Reader<'_> {
    /// What the report of the data alone is asked, if it is ticked.
    pub(super) fn data(&mut self) -> Option<DataSpec> {
        let (features, shares) = (self.all("data_features"), self.text("data_population"));
        if !self.ticked("data_report") {
            for (name, is_given) in
                [("data_features", !features.is_empty()), ("data_population", shares.is_some())]
            {
                if is_given {
                    let message = "It goes with the report of the data alone, which is not ticked.";
                    self.faults.push(Fault::new(format!("/{name}"), "misplaced", message));
                }
            }
            return None;
        }
        let read = shares.map_or_else(|| Ok(Population::new()), |text| population::read(&text));
        let population = read.unwrap_or_else(|message| {
            self.faults.push(Fault::new("/data_population", "type", message));
            Population::new()
        });
        Some(DataSpec { features, population })
    }

    /// The reports of the law that are ticked.
    pub(super) fn law(&mut self) -> Option<LawSpec> {
        let rules = [("law_ll144", Rule::Ll144), ("law_eeoc", Rule::Eeoc)];
        let ticked: Vec<Rule> =
            rules.into_iter().filter(|(name, _)| self.ticked(name)).map(|(_, rule)| rule).collect();
        if ticked.is_empty() {
            for name in ["law_unknown", "law_exclude_below", "law_exclude_reason"] {
                if self.text(name).is_some() {
                    let message = "It goes with a report of the law, and none is ticked.";
                    self.faults.push(Fault::new(format!("/{name}"), "misplaced", message));
                }
            }
            return None;
        }
        let mut law = LawSpec::new(ticked);
        let mut share = 0.0;
        if self.number("law_exclude_below", "a number such as 0.02", &mut share) {
            law.exclude_below = Some(share);
        }
        law.exclude_reason = self.text("law_exclude_reason");
        let unknown = self.text("law_unknown").unwrap_or_default();
        let values = unknown.split(',').map(str::trim).filter(|value| !value.is_empty());
        law.unknown = values.map(str::to_owned).collect();
        Some(law)
    }
}
