//! A tree as tables: what a few neighbouring leaves give together, for every way in which a row can answer.
//!
//! A group is a part of the tree with at most [`LEVELS`] levels of questions, at the end of a path. What its leaves give to the
//! features depends on which of the path's features a row follows, and on its answers inside: one bit for each. So a row costs its
//! answers, and one line of a table for each group.

use super::{
    game::Game,
    paths::{Edge, most_features, path},
};
use crate::model::{Missing, Split, Test};

/// Levels of questions in a group. More make fewer lines to add and larger tables, which leave the processor's cache.
const LEVELS: usize = 2;
/// The most bits of a table: it has a line for each of their combinations.
const BITS: usize = 12;

/// For fewer rows than these it is not even worth finding out.
const ROWS: usize = 64;

/// How a tree is cut into groups.
pub(super) struct Plan<'a> {
    edges: &'a [Edge<'a>],
    groups: Vec<Cut>,
    bytes: usize,
}

/// A group of leaves.
struct Cut {
    /// Of each feature of the path to it: the last edge.
    path: Vec<usize>,
    /// The questions inside.
    inside: Vec<usize>,
    /// The leaves' edges, with their paths.
    leaves: Vec<(usize, Vec<usize>)>,
    /// The features of all that.
    features: Vec<usize>,
}

impl Cut {
    fn lines(&self) -> usize {
        1 << (self.path.len() + self.inside.len())
    }
}

impl<'a> Plan<'a> {
    /// Cuts a tree, if looking so many rows up takes less time than walking them.
    pub(super) fn new<G: Game + ?Sized>(tree: &'a G, rows: usize) -> Option<Self> {
        let edges = tree.edges();
        if rows < ROWS || most_features(edges) > BITS {
            return None;
        }
        let groups = cut(edges)?;
        let lines = groups.iter().map(|group| group.lines() * group.features.len());
        let bytes = lines.sum::<usize>() * size_of::<f64>();
        let (mut making, mut row) = (0.0, 0.7 * edges.len() as f64);
        for group in &groups {
            let asked = group.path.iter().flat_map(|edge| about(edges, *edge)).count();
            row += 4.0 + 1.5 * group.features.len() as f64 + 0.1 * asked as f64;
            for (_, path) in &group.leaves {
                making += tree.share_takes(path.len()) * (1_u64 << path.len()) as f64;
                making += (group.lines() * path.len()) as f64;
            }
        }
        let saved = (tree.walk_takes() - row) * rows as f64;
        (saved > making).then_some(Self { edges, groups, bytes })
    }

    /// The memory that the tables take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The tables.
    pub(super) fn filled<G: Game + ?Sized>(&self, tree: &G) -> Tables<'a> {
        let questions = self.edges.chunks_exact(2).map(|pair| pair[0].split).collect();
        let groups =
            self.groups.iter().map(|group| Group::filled(group, self.edges, tree)).collect();
        Tables { questions, groups }
    }
}

/// Cuts a tree into groups, unless one takes too many bits. A question's edges stand together: `2q` and `2q + 1`.
fn cut(edges: &[Edge<'_>]) -> Option<Vec<Cut>> {
    let questions = edges.len() / 2;
    let mut below: Vec<Option<usize>> = vec![None; edges.len()];
    let mut height = vec![1_usize; questions];
    for question in (0..questions).rev() {
        let ends = [2 * question, 2 * question + 1];
        for end in ends {
            height[question] = height[question].max(1 + below[end].map_or(0, |next| height[next]));
        }
        if let Some(above) = edges[2 * question].above {
            below[above] = Some(question);
        }
    }
    let mut groups = Vec::new();
    for question in 0..questions {
        let above = edges[2 * question].above;
        let fits = height[question] <= LEVELS;
        if fits && above.is_none_or(|above| height[above / 2] > LEVELS) {
            let group = group(edges, above, vec![question], &below)?;
            groups.extend(Some(group).filter(|group| !group.leaves.is_empty()));
        }
        if !fits {
            let ends = [2 * question, 2 * question + 1];
            for end in ends.into_iter().filter(|end| edges[*end].leaf.is_some()) {
                groups.push(group(edges, Some(end), Vec::new(), &below)?);
            }
        }
    }
    Some(groups)
}

/// The group at the end of an edge, which begins with these questions.
fn group(
    edges: &[Edge<'_>],
    above: Option<usize>,
    mut inside: Vec<usize>,
    below: &[Option<usize>],
) -> Option<Cut> {
    let mut leaves: Vec<usize> =
        above.filter(|above| edges[*above].leaf.is_some()).into_iter().collect();
    let mut next = 0;
    while let Some(question) = inside.get(next).copied() {
        for end in [2 * question, 2 * question + 1] {
            match below[end] {
                Some(question) => inside.push(question),
                // It leads to a leaf, or out of a part of a tree.
                None => leaves.extend(edges[end].leaf.map(|_| end)),
            }
        }
        next += 1;
    }
    let leads = above.map_or_else(Vec::new, |above| path(edges, above));
    if leads.len() + inside.len() > BITS {
        return None;
    }
    let leaves: Vec<_> = leaves.into_iter().map(|leaf| (leaf, path(edges, leaf))).collect();
    let mut features: Vec<usize> = Vec::new();
    for feature in leads.iter().chain(leaves.iter().flat_map(|(_, path)| path)) {
        let feature = edges[*feature].split.feature;
        if !features.contains(&feature) {
            features.push(feature);
        }
    }
    Some(Cut { path: leads, inside, leaves, features })
}

/// An edge, and those above it that ask about the same feature.
fn about(edges: &[Edge<'_>], edge: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(edge), |at| edges[*at].before)
}

/// The tables of a tree.
pub(super) struct Tables<'a> {
    questions: Vec<&'a Split>,
    groups: Vec<Group>,
}

struct Group {
    /// Of each feature of the path: the questions about it, and their answers when a row follows it.
    path: Vec<Vec<(usize, bool)>>,
    inside: Vec<usize>,
    features: Vec<usize>,
    /// Line by line, in a line feature by feature. The line's number has the path's bits, then the answers inside.
    values: Vec<f64>,
}

impl Group {
    fn filled<G: Game + ?Sized>(cut: &Cut, edges: &[Edge<'_>], tree: &G) -> Self {
        let (bits, width) = (cut.path.len(), cut.features.len());
        let mut values = vec![0.0; cut.lines() * width];
        for (leaf, leads) in &cut.leaves {
            let shares = tree.shares(*leaf, leads);
            let places: Vec<usize> = leads
                .iter()
                .filter_map(|edge| {
                    cut.features.iter().position(|feature| *feature == edges[*edge].split.feature)
                })
                .collect();
            for answers in 0..1_usize << cut.inside.len() {
                // Which features these answers let a row follow. The path's come first, in the same order.
                let follows = |edge: &usize| {
                    about(edges, *edge).all(|at| {
                        let place = cut.inside.iter().position(|question| *question == at / 2);
                        place.is_none_or(|place| (answers >> place & 1 == 1) == edges[at].answer)
                    })
                };
                let set = |edges: &[usize], first: usize| {
                    let bits = edges.iter().enumerate().filter(|(_, edge)| follows(edge));
                    bits.fold(0_usize, |set, (bit, _)| set | 1 << (first + bit))
                };
                let (known, new) = leads.split_at(bits.min(leads.len()));
                let (kept, more) = (set(known, 0), set(new, bits));
                for followed in 0..1_usize << bits {
                    let from = (followed & kept | more) * places.len();
                    let line = (followed | answers << bits) * width;
                    for (place, share) in places.iter().zip(&shares[from..from + places.len()]) {
                        values[line + place] += share;
                    }
                }
            }
        }
        let path = cut
            .path
            .iter()
            .map(|edge| about(edges, *edge).map(|at| (at / 2, edges[at].answer)).collect())
            .collect();
        Self { path, inside: cut.inside.clone(), features: cut.features.clone(), values }
    }
}

/// A block of rows, column by column, and room for what is asked of them.
pub(super) struct Scratch {
    rows: usize,
    columns: Vec<f64>,
    answers: Vec<u8>,
    followed: Vec<u8>,
    lines: Vec<u16>,
}

impl Scratch {
    pub(super) fn new(rows: &[f64], features: usize) -> Self {
        let count = rows.len() / features.max(1);
        let mut columns = vec![0.0; rows.len()];
        for (row, values) in rows.chunks_exact(features.max(1)).enumerate() {
            for (feature, value) in values.iter().enumerate() {
                columns[feature * count + row] = *value;
            }
        }
        let (followed, lines) = (vec![0; count], vec![0; count]);
        Self { rows: count, columns, answers: Vec::new(), followed, lines }
    }
}

impl Tables<'_> {
    /// Adds what each feature adds, for each row of a block: a row has `each` values, and the tree's features begin at `start`.
    pub(super) fn add(&self, scratch: &mut Scratch, values: &mut [f64], start: usize, each: usize) {
        let Scratch { rows, columns, answers, followed, lines } = scratch;
        let rows = *rows;
        answers.resize(self.questions.len() * rows, 0);
        for (split, answers) in self.questions.iter().zip(answers.chunks_exact_mut(rows)) {
            ask(split, &columns[split.feature * rows..(split.feature + 1) * rows], answers);
        }
        let answers = |question: usize| &answers[question * rows..(question + 1) * rows];
        for group in &self.groups {
            lines.fill(0);
            for (bit, questions) in group.path.iter().enumerate() {
                followed.fill(1);
                for (question, answer) in questions {
                    let not = u8::from(!answer);
                    for (followed, answer) in followed.iter_mut().zip(answers(*question)) {
                        *followed &= answer ^ not;
                    }
                }
                set(lines, bit, followed);
            }
            for (place, question) in group.inside.iter().enumerate() {
                set(lines, group.path.len() + place, answers(*question));
            }
            let width = group.features.len();
            for (line, values) in lines.iter().zip(values.chunks_exact_mut(each)) {
                let values = &mut values[start..];
                let from = usize::from(*line) * width;
                let line = &group.values[from..from + width];
                for (feature, value) in group.features.iter().zip(line) {
                    values[*feature] += value;
                }
            }
        }
    }
}

fn set(lines: &mut [u16], bit: usize, to: &[u8]) {
    for (line, to) in lines.iter_mut().zip(to) {
        *line |= u16::from(*to) << bit;
    }
}

/// Asks all values of a column. Numbers are compared many at a time.
fn ask(split: &Split, column: &[f64], answers: &mut [u8]) {
    let each = answers.iter_mut().zip(column);
    let left = split.missing_left;
    match (&split.test, split.missing) {
        (Test::Less(threshold), Missing::NaN) => {
            each.for_each(|(answer, value)| {
                *answer = u8::from((value < threshold) | (value.is_nan() & left));
            });
        }
        (Test::AtMost(threshold), Missing::NaN) => {
            each.for_each(|(answer, value)| {
                *answer = u8::from((value <= threshold) | (value.is_nan() & left));
            });
        }
        _ => each.for_each(|(answer, value)| *answer = u8::from(split.answer(*value))),
    }
}
