//! `ephor explain --report FILE.html`: one self-contained page.

use std::path::Path;

use ephor_console::report::{ReportMeta, explained::html};
use ephor_explain::{
    Scorer as _,
    summary::{About, Digest, Method, Settings, Summary, Unit},
};
use ephor_kernel::{Clock as _, SystemClock};

use super::{Args, parts::Asked};
use crate::cli::file;

/// Of a model with more outputs, the first are reported.
const MOST_OUTPUTS: usize = 10;

/// Empty digests for exact values, one for each output.
pub(super) fn digests(asked: &Asked) -> Vec<Digest> {
    let Asked { format, model, background, probability, .. } = asked;
    let unit = if *probability { Unit::Probability } else { Unit::Margin };
    (0..model.outputs().min(MOST_OUTPUTS))
        .map(|output| {
            let about = About::of(*format, model);
            let mut summary = Summary::new(Method::Shap, about, output, unit, model.features());
            summary.background = background.as_ref().map(|rows| rows.len() as u64);
            Digest::new(summary, &Settings::default())
        })
        .collect()
}

/// Writes the page.
pub(super) fn write(path: &Path, summaries: &[Summary], args: &Args) -> anyhow::Result<()> {
    let (model_file, rows) = args.files()?;
    let model = match model_file {
        Some(path) => path.display().to_string(),
        None => args.served.shown().unwrap_or_default(),
    };
    let source = file::named(rows);
    let meta = ReportMeta::new(format!("Explanation of {model}"), source, SystemClock.now());
    let page = html(summaries, &args.asked(model_file), &meta)?;
    file::put_at(path, "report", |out| Ok(out.write_all(page.as_bytes())?))
}

impl Args {
    /// What a report says of the command beside what came of it.
    fn asked(&self, model: Option<&Path>) -> Vec<(String, String)> {
        let options = &self.options;
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
        let asked = [
            ("Model\u{2019}s file", model.map(|file| file.display().to_string())),
            ("Endpoint", self.served.shown()),
            ("Background\u{2019}s file", self.background.as_deref().map(file::named)),
            ("Feature", list(&options.feature)),
            ("Categories", list(&options.categorical)),
            ("Target", options.target.clone()),
            ("Does not change", list(&options.immutable)),
            ("Only increases", list(&options.increase_only)),
            ("Only decreases", list(&options.decrease_only)),
            ("Seed", options.seed.map(|seed| seed.to_string())),
        ];
        let given = asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }
}
