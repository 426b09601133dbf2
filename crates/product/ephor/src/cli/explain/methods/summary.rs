//! What a report shows of what a method found.

use ephor_explain::{
    Explanation, Scorer as _,
    groups::Compared,
    kernel::Estimated,
    summary::{
        Curves, Digest, Effect, Flips, Groups, Importance, Method, Near, Settings, Summary,
        Surface, Unit,
    },
};

use super::{Work, refused};

impl Work {
    fn summary(&self, method: Method, unit: Unit) -> Summary {
        let features = self.model.features();
        let mut summary = Summary::new(method, self.about.clone(), self.output(), unit, features);
        summary.rows = self.columns.rows.len() as u64;
        summary
    }

    fn digest(&self, mut summary: Summary) -> Digest {
        // It counts the rows itself.
        summary.rows = 0;
        let seed = self.options.seed.unwrap_or(0);
        Digest::new(summary, &Settings { seed, ..Settings::default() })
    }

    pub(super) fn of_estimated(
        &self,
        found: &Estimated,
        background: usize,
    ) -> anyhow::Result<Summary> {
        let mut summary = self.summary(Method::Kernel, Unit::Prediction);
        summary.background = Some(background as u64);
        let mut digest = self.digest(summary);
        digest.add_estimated(&self.columns.rows, found).map_err(refused)?;
        Ok(digest.finish())
    }

    pub(super) fn of_near(&self, near: Vec<Near>) -> Summary {
        let background = Some(self.background.len() as u64);
        Summary { near, background, ..self.summary(Method::Lime, Unit::Prediction) }
    }

    pub(super) fn of_losses(&self, importance: Importance) -> Summary {
        let summary = self.summary(Method::Permutation, Unit::Prediction);
        Summary { importance: Some(importance), ..summary }
    }

    pub(super) fn of_effect(&self, curves: Curves) -> Summary {
        let method = match curves.effect {
            Effect::Partial => Method::Pdp,
            Effect::Individual => Method::Ice,
            Effect::Accumulated => Method::Ale,
        };
        Summary { curves: vec![curves], ..self.summary(method, Unit::Prediction) }
    }

    pub(super) fn of_surface(&self, surface: Surface) -> Summary {
        Summary { surface: Some(surface), ..self.summary(Method::Pdp, Unit::Prediction) }
    }

    pub(super) fn of_flips(&self, flips: Vec<Flips>) -> Summary {
        let background = Some(self.background.len() as u64);
        Summary { flips, background, ..self.summary(Method::Counterfactual, Unit::Prediction) }
    }

    /// Of exact values in the unit of the margin, of what only answers in that of the prediction.
    pub(super) fn of_groups(
        &self,
        values: &Explanation,
        found: &Compared,
        confidence: f64,
    ) -> anyhow::Result<Summary> {
        let is_exact = self.model.forest().is_some() || self.model.linear().is_some();
        let unit = if is_exact { Unit::Margin } else { Unit::Prediction };
        let mut digest = self.digest(self.summary(Method::Groups, unit));
        digest.add(&self.columns.rows, values).map_err(refused)?;
        let groups = Groups::of(self.options.group.clone(), confidence, found);
        Ok(Summary { groups: Some(groups), ..digest.finish() })
    }
}
