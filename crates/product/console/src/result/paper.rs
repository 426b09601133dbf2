//! What an analysis found, for paper: the same views as on pages, part by part. What pages fold away stands open here.

use ephor_fairness::task::TaskResult;
use ephor_report::{Block, Cell, Column, Figure, Verdict};

use super::{
    DisparityCard, GroupCard, ResultView, StrataCard, TaskView, recommendations::Advice,
    summary::Summary, words,
};
use crate::{
    plot::Plot,
    report::figures::{Document, Section},
    view::{Badge, Head},
};

/// A result of whatever task.
pub(crate) fn blocks(result: &TaskResult) -> Vec<Block> {
    match result.binary() {
        Some(result) => ResultView::new(result).on_paper(),
        None => TaskView::new(result).on_paper(),
    }
}

impl ResultView {
    /// The result for paper.
    pub(crate) fn on_paper(&self) -> Vec<Block> {
        let mut all = self.summary.on_paper();
        all.extend(self.warnings.as_ref().map(crate::view::Notice::on_paper));
        all.push(Block::section(words::DISPARITIES.title));
        all.push(Block::paragraph(words::DISPARITIES.about));
        all.extend(self.disparities.iter().flat_map(DisparityCard::on_paper));
        if !self.strata.is_empty() {
            all.push(Block::section(words::STRATA.title));
            all.push(Block::paragraph(words::STRATA.about));
            all.extend(self.strata.iter().flat_map(StrataCard::on_paper));
        }
        if let Some(individual) = &self.individual {
            // Its notes stand among the warnings of the whole result.
            all.extend(figures(&individual.document, false));
        }
        all.extend(self.beside.iter().flat_map(|part| figures(&part.document, true)));
        all.extend(plots(&self.plots));
        all.push(Block::section(words::GROUPS.title));
        all.push(Block::small(words::GROUPS.about));
        all.extend(self.groups.iter().flat_map(GroupCard::on_paper));
        if !self.advice.is_empty() {
            all.push(Block::section(words::RECOMMENDATIONS.title));
            all.push(Block::paragraph(words::RECOMMENDATIONS.about));
            all.extend(self.advice.iter().flat_map(Advice::on_paper));
        }
        let left_out = [("Rows", &self.excluded), ("Values", &self.left_out)];
        if left_out.iter().any(|(_, table)| table.is_some()) {
            all.push(Block::section(words::LEFT_OUT.title));
            all.push(Block::paragraph(words::LEFT_OUT.about));
        }
        for (heading, table) in left_out {
            if let Some(table) = table {
                all.push(Block::part(heading));
                all.push(table.on_paper(""));
            }
        }
        all
    }
}

impl TaskView {
    /// The result for paper.
    pub(crate) fn on_paper(&self) -> Vec<Block> {
        let mut all = vec![Block::Verdict(Verdict {
            label: String::new(),
            value: String::new(),
            unit: String::new(),
            badge: self.verdict.on_paper(),
            text: self.meaning.clone(),
            tally: tally(&self.counts),
        })];
        all.extend(self.notes.as_ref().map(crate::view::Notice::on_paper));
        all.extend(plots(&self.plots));
        // Its notes stand above, where nobody can miss them.
        all.extend(figures(&self.document.document, false));
        all
    }
}

fn tally(counts: &[(u64, Badge)]) -> Vec<(String, ephor_report::Badge)> {
    counts.iter().map(|(count, badge)| (count.to_string(), badge.on_paper())).collect()
}

impl Summary {
    fn on_paper(&self) -> Vec<Block> {
        let facts = self.facts.iter();
        let mut all = vec![
            Block::Verdict(Verdict {
                label: words::SCORE.to_owned(),
                value: self.score.clone(),
                unit: words::OF.to_owned(),
                badge: self.verdict.on_paper(),
                text: self.meaning.clone(),
                tally: tally(&self.counts),
            }),
            Block::Facts {
                items: facts.map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            },
        ];
        all.extend(self.scored.as_ref().map(|table| table.on_paper(words::SCORED)));
        all
    }
}

impl DisparityCard {
    fn on_paper(&self) -> Vec<Block> {
        let mut all = vec![Block::part(format!("{}: {}", self.name, self.verdict.text))];
        if !self.reference.is_empty() {
            all.push(Block::small(self.reference.clone()));
        }
        all.extend(self.notice.as_ref().map(crate::view::Notice::on_paper));
        if self.has_beyond() {
            all.push(self.beyond.on_paper(""));
        }
        let folded = [(self.passes(), &self.passing), (words::OTHERS.to_owned(), &self.others)];
        for (caption, table) in folded {
            all.extend(table.as_ref().map(|table| table.on_paper(&caption)));
        }
        all
    }
}

impl StrataCard {
    fn on_paper(&self) -> Vec<Block> {
        let mut all = vec![Block::part(self.name.clone()), Block::small(self.kept.clone())];
        all.extend(self.notes.as_ref().map(crate::view::Notice::on_paper));
        for (caption, table) in [
            ("", &self.pairs),
            (self.rates.as_ref().map_or("", |table| &table.label), &self.rates),
            (words::SMALL_STRATA, &self.small),
        ] {
            all.extend(table.as_ref().map(|table| table.on_paper(caption)));
        }
        all
    }
}

impl GroupCard {
    fn on_paper(&self) -> Vec<Block> {
        let mut all = vec![Block::part(self.name.clone()), self.first.on_paper("")];
        if self.has_rest() {
            all.push(self.rest.on_paper(&self.rest.label));
        }
        all
    }
}

impl Advice {
    fn on_paper(&self) -> Vec<Block> {
        let mut all = vec![
            Block::part(self.title.clone()),
            Block::small(self.about.clone()),
            Block::paragraph(self.evidence.clone()),
        ];
        all.extend(self.investigate.clone().map(Block::paragraph));
        if let Some(effect) = &self.effect {
            all.push(Block::Facts { items: effect.facts.clone() });
            all.push(Block::small(effect.sentence.clone()));
        }
        all.extend(self.table.as_ref().map(|table| table.on_paper(words::VALUES)));
        all
    }
}

fn plots(plots: &[Plot]) -> Vec<Block> {
    let figure = |plot: &Plot| {
        let drawing = plot.drawing()?;
        Some(Block::Figure(Figure {
            title: plot.title.clone(),
            reading: plot.reading.clone(),
            alt: plot.words(),
            svg: drawing.svg,
            width: drawing.width,
        }))
    };
    let drawn: Vec<Block> = plots.iter().filter_map(figure).collect();
    if drawn.is_empty() {
        return Vec::new();
    }
    std::iter::once(Block::section(words::PLOTS)).chain(drawn).collect()
}

/// A report of figures as a section.
fn figures(document: &Document, with_notes: bool) -> Vec<Block> {
    let mut all = Vec::new();
    if !document.title.is_empty() {
        all.push(Block::section(document.title));
    }
    if !document.rule.is_empty() {
        all.push(Block::small(document.rule.clone()));
    }
    all.extend(document.facts.iter().cloned().map(Block::paragraph));
    all.extend(document.sections.iter().flat_map(|one| section(one, Block::part)));
    if with_notes {
        all.push(Block::points(document.notes.iter().cloned()));
    }
    all
}

/// A table with its heading, and what is said below it.
pub(crate) fn section(section: &Section, heading: fn(String) -> Block) -> Vec<Block> {
    let column = |(at, label): (usize, &&'static str)| {
        let Head { label, right, .. } = crate::report::figures::head(at, label);
        let align = if right { ephor_report::Align::Right } else { ephor_report::Align::Left };
        Column { title: label, align }
    };
    let row = |row: &Vec<String>| row.iter().map(|cell| Cell::from(cell.as_str())).collect();
    let mut all = vec![
        heading(section.heading.clone()),
        Block::Table(ephor_report::Table {
            caption: String::new(),
            columns: section.heads.iter().enumerate().map(column).collect(),
            rows: section.rows.iter().map(row).collect(),
        }),
    ];
    all.extend(section.facts.iter().cloned().map(Block::small));
    all
}
