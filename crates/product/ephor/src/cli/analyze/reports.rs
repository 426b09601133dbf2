//! `ephor analyze --report …`: the figures that a rule of law asks for, or those of the data alone.

use std::collections::BTreeMap;

use clap::ValueEnum;
use ephor_console::report::{
    ReportMeta,
    figures::{Document, html, of_data, of_law},
    figures_pdf,
};
use ephor_fairness::{
    AnalysisSpec, Status,
    data::{describe, representation::Population},
    law::{LawReport, ReportOptions, Rule, eeoc::Indication, report},
    read_cube,
};
use ephor_kernel::{Clock as _, SystemClock};
use serde::Serialize;

use super::{Output, invalid};
use crate::{
    cli::{block_on, printed},
    exit::{Exit, UsageError},
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reports of figures")]
pub struct ReportArgs {
    /// Figures instead of the analysis
    #[arg(long, value_enum, value_name = "REPORT")]
    pub report: Option<Report>,
    /// Leave categories with a lesser share of the sample out of the comparison; at most 0.02
    #[arg(long, value_name = "SHARE", requires = "report")]
    exclude_below: Option<f64>,
    /// Why they are left out; Local Law 144 asks for it
    #[arg(long, value_name = "TEXT", requires = "exclude_below")]
    exclude_reason: Option<String>,
    /// Values that say that somebody's category is not known
    #[arg(long, value_delimiter = ',', value_name = "VALUE,…", requires = "report")]
    unknown: Vec<String>,
    /// Columns that may give the protected attributes away, with data; or that say who is like whom, for individual fairness
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    pub feature: Vec<String>,
    /// Shares of the population, such as `sex=Female:0.51,Male:0.49`; with data
    #[arg(long, value_parser = shares, value_name = "COLUMN=GROUP:SHARE,…", requires = "report")]
    population: Vec<Shares>,
}

/// An attribute with the population's shares of its groups.
type Shares = (String, BTreeMap<String, f64>);

fn shares(text: &str) -> Result<Shares, String> {
    let how = || "it is written COLUMN=GROUP:SHARE,GROUP:SHARE".to_owned();
    let (attribute, groups) = text.split_once('=').ok_or_else(how)?;
    let groups = groups
        .split(',')
        .map(|group| {
            let (name, share) = group.rsplit_once(':').ok_or_else(how)?;
            let number = share.trim().parse().map_err(|_| format!("`{share}` is not a number"))?;
            Ok((name.to_owned(), number))
        })
        .collect::<Result<_, String>>()?;
    Ok((attribute.to_owned(), groups))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// New York City Local Law 144: impact ratios of selection and of scores. It sets no pass line
    Ll144,
    /// EEOC Uniform Guidelines: four-fifths, tests of significance, what the sample could show
    Eeoc,
    /// The data alone: groups, completeness, representation, what gives protected attributes away
    Data,
}

impl Report {
    const fn word(self) -> &'static str {
        match self {
            Self::Ll144 => "ll144",
            Self::Eeoc => "eeoc",
            Self::Data => "data",
        }
    }
}

impl ReportArgs {
    /// The features of an analysis; those of a report are its own.
    pub fn features(&self) -> Vec<String> {
        if self.report.is_some() { Vec::new() } else { self.feature.clone() }
    }

    /// A sentence for each option that means nothing to the report.
    fn misplaced(&self, report: Report, strata: Option<&str>) -> Vec<String> {
        let given: [(&str, bool, &[Report]); 6] = [
            ("--exclude-below", self.exclude_below.is_some(), &[Report::Ll144, Report::Eeoc]),
            ("--exclude-reason", self.exclude_reason.is_some(), &[Report::Ll144, Report::Eeoc]),
            ("--unknown", !self.unknown.is_empty(), &[Report::Ll144, Report::Eeoc]),
            ("--strata", strata.is_some(), &[Report::Eeoc]),
            ("--feature", !self.feature.is_empty(), &[Report::Data]),
            ("--population", !self.population.is_empty(), &[Report::Data]),
        ];
        given
            .into_iter()
            .filter(|(_, is_given, reports)| *is_given && !reports.contains(&report))
            .map(|(option, _, reports)| {
                let words: Vec<&str> = reports.iter().map(|one| one.word()).collect();
                let (words, mine) = (words.join(" or "), report.word());
                format!("{option} goes with --report {words}, and means nothing to {mine}")
            })
            .collect()
    }
}

/// Reads the file, and prints the report.
pub fn run(args: &super::Args, report: Report, spec: AnalysisSpec) -> anyhow::Result<Exit> {
    let mut misplaced = args.reports.misplaced(report, args.strata.as_deref());
    misplaced.extend(args.gating.misplaced(args.format, "--report"));
    if !misplaced.is_empty() {
        return Err(UsageError(misplaced.join("\n")).into());
    }
    match report {
        Report::Ll144 => of_rule(args, Rule::Ll144, spec),
        Report::Eeoc => of_rule(args, Rule::Eeoc, spec),
        Report::Data => of_file(args, &spec),
    }
}

fn of_rule(args: &super::Args, rule: Rule, mut spec: AnalysisSpec) -> anyhow::Result<Exit> {
    let asked = &args.reports;
    let options = ReportOptions {
        exclude_below: asked.exclude_below,
        exclude_reason: asked.exclude_reason.clone(),
        unknown: asked.unknown.iter().cloned().collect(),
        // To a report, strata are one more attribute that is read.
        strata: spec.strata.take(),
    };
    if let Some(strata) = options.strata.as_ref().filter(|strata| !spec.protected.contains(strata))
    {
        spec.protected.push(strata.clone());
    }
    let cube =
        block_on(args.read(async |table, cancel| read_cube(table, &spec, &(), cancel).await))?;
    let found = report(rule, &cube, &spec, &options).map_err(invalid)?;
    put(args, &found, &of_law(&found))?;
    Ok(args.exit(status(&found)))
}

fn of_file(args: &super::Args, spec: &AnalysisSpec) -> anyhow::Result<Exit> {
    let (features, population) = (&args.reports.feature, &args.reports.population);
    let population: Population = population.iter().cloned().collect();
    let found =
        block_on(args.read(async |table, cancel| {
            describe(table, spec, features, &population, cancel).await
        }))?;
    put(args, &found, &of_data(&found))?;
    Ok(Exit::Ok)
}

pub fn put(args: &super::Args, found: &impl Serialize, document: &Document) -> anyhow::Result<()> {
    let meta = || ReportMeta::new(document.title, args.source(), SystemClock.now());
    let text = match args.format {
        Output::Table | Output::Sarif | Output::Junit | Output::Markdown => {
            printed::document(document, &args.source())
        }
        Output::Json => serde_json::to_string_pretty(found)? + "\n",
        Output::Html => html(document, &meta())?,
        Output::Pdf => return args.put(figures_pdf(document, &meta())?),
    };
    args.put(text)
}

/// What an exit code may rest on: Local Law 144 sets no pass line, so that its figures never fail. The guidelines speak of sex,
/// and of race or ethnicity, each by itself: combinations are shown, and decide nothing.
fn status(report: &LawReport) -> Status {
    let LawReport::Eeoc(report) = report else { return Status::Pass };
    let single = report.sections.iter().filter(|section| section.attributes.len() == 1);
    match single.map(|section| section.indication).max().unwrap_or_default() {
        Indication::None => Status::Pass,
        Indication::RateOnly | Indication::SignificanceOnly => Status::Warning,
        Indication::Both => Status::Fail,
    }
}
