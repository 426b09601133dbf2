//! Kernel SHAP: Shapley values of any model's predictions, from many made-up rows.

mod coalitions;
mod fit;
mod game;

use coalitions::Plan;
use fit::Fit;
use game::Game;
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Explanation, Rows, Scorer, ask::Asked, chance::chance, shap::Progress};

/// How much is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// How many coalitions of features are tried for a row, each with every background row; as shap, 2 x features + 2048 by
    /// default, or at most 131072 where a precision is asked for; times the outputs at most 2^26. Those of one feature and of all but one are
    /// always tried.
    pub samples: Option<usize>,
    /// Enough when the largest standard error of a row's values is below this.
    pub precision: Option<f64>,
    /// The chance by which coalitions are drawn.
    pub seed: u64,
}

/// Values of the predictions, and how sure they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimated {
    /// The values. For each row and output base + sum of the values = prediction.
    pub explanation: Explanation,
    /// The standard error of each value, in the same order; 0 where all coalitions were tried.
    pub errors: Vec<f64>,
    /// How many coalitions were tried for each row.
    pub tried: Vec<usize>,
    /// Were all coalitions tried for each row, so that its values are exact?
    pub exact: Vec<bool>,
}

const MOST_SAMPLES: usize = 1 << 22;
const MOST_FOR_PRECISION: usize = 1 << 17;
/// What all coalitions of a row are worth in all outputs: 512 MiB.
const MOST_WORTHS: usize = 1 << 26;
/// Features that differ from the background; their number's square has to fit into memory.
const MOST_FEATURES: usize = 1_024;
/// So many pairs are drawn at least, however many were known before.
const LEAST_DRAWN: usize = 16;

/// Kernel SHAP (Lundberg and Lee 2017): the weighted least squares whose solution are the Shapley values of
/// `v(S)` = the mean prediction of background rows that take the features of `S` from the row.
///
/// Sizes of coalitions that fit into `samples` are tried in full, smallest and largest first; those between are drawn, each
/// with its complement (Covert and Lee 2021), and the standard error is that of the draws.
///
/// # Errors
/// When rows or background do not have the model's features, when a setting cannot be met, when the model cannot be asked
/// or answers what is no number, and when it is cancelled.
pub fn explain(
    scorer: &dyn Scorer,
    rows: &Rows,
    background: &Rows,
    settings: &Settings,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Estimated, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    asked.has(0)?;
    let (rows, background) = (rows.of(asked.features())?, background.of(asked.features())?);
    if background.is_empty() {
        return Err(ExplainError::NoBackground);
    }
    let (features, outputs) = (asked.features(), asked.outputs());
    settings.check(outputs)?;
    let base = Game::base(&asked, background)?;
    let predictions = asked.score(rows)?;
    let mut found = Estimated {
        explanation: Explanation { base, values: Vec::new(), features },
        errors: Vec::new(),
        tried: Vec::new(),
        exact: Vec::new(),
    };
    for (index, row) in rows.iter().enumerate() {
        asked.told(progress, index, rows.len())?;
        let whole: Vec<f64> = predictions[index * outputs..(index + 1) * outputs]
            .iter()
            .zip(&found.explanation.base)
            .map(|(prediction, base)| prediction - base)
            .collect();
        let mut game = Game::new(&asked, row, background, &found.explanation.base);
        if game.players() > MOST_FEATURES {
            return Err(ExplainError::Asked(vec![format!(
                "{} features differ from the background; kernel SHAP explains at most {MOST_FEATURES}",
                game.players()
            )]));
        }
        let solved = settings.solve(&mut game, &whole, &mut chance(settings.seed, index as u64))?;
        for output in 0..outputs {
            found.explanation.values.extend(game.spread(&solved.values[output]));
            found.errors.extend(game.spread(&solved.errors[output]));
        }
        found.tried.push(game.tried());
        found.exact.push(solved.exact);
    }
    asked.told(progress, rows.len(), rows.len())?;
    Ok(found)
}

/// So many coalitions may be asked for, of so many outputs.
fn most_samples(outputs: usize) -> usize {
    (MOST_WORTHS / outputs.max(1)).min(MOST_SAMPLES)
}

/// Of one row: by output, by player.
struct Solved {
    values: Vec<Vec<f64>>,
    errors: Vec<Vec<f64>>,
    exact: bool,
}

impl Settings {
    fn check(&self, outputs: usize) -> Result<(), ExplainError> {
        let mut faults = Vec::new();
        let most = most_samples(outputs);
        if self.samples.is_some_and(|samples| samples == 0 || samples > most) {
            faults.push(format!("samples: between 1 and {most} of so many outputs"));
        }
        if self.precision.is_some_and(|precision| !(precision > 0.0 && precision.is_finite())) {
            faults.push("precision: a number greater than 0".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(ExplainError::Asked(faults)) }
    }

    /// `whole` is what the players share.
    fn solve(
        &self,
        game: &mut Game<'_>,
        whole: &[f64],
        chance: &mut ChaCha8Rng,
    ) -> Result<Solved, ExplainError> {
        let players = game.players();
        if players < 2 {
            let values = whole.iter().map(|whole| vec![*whole; players]).collect();
            let errors = vec![vec![0.0; players]; whole.len()];
            return Ok(Solved { values, errors, exact: true });
        }
        let usual = 2 * players + 2_048;
        let most = match (self.samples, self.precision) {
            (Some(samples), _) => samples,
            (None, Some(_)) => MOST_FOR_PRECISION,
            (None, None) => usual,
        }
        .min(most_samples(whole.len()))
        .max(2 * players);
        let first = if self.precision.is_some() { most.min(usual) } else { most };
        let mut plan = Plan::new(players, first);
        let mut fit = Fit::of(&plan, game, whole)?;
        let mut enough = first;
        while plan.left > 0.0 {
            let mut drawn = Vec::new();
            let (before, mut fresh, mut draws) = (game.tried(), 0, 0);
            let room = enough.saturating_sub(before);
            // Those that were known cost nothing, but are not drawn without end.
            while draws < LEAST_DRAWN || (fresh < room && draws < 2 * room) {
                let pair = plan.draw(players, chance);
                fresh += pair.iter().filter(|coalition| game.note(coalition)).count();
                drawn.extend(pair);
                draws += 1;
            }
            let places = game.values(&drawn)?;
            for (pair, places) in drawn.chunks_exact(2).zip(places.chunks_exact(2)) {
                game.go_on()?;
                fit.draw(pair, places, game);
            }
            let (values, errors) = fit.solved(plan.left, game)?;
            let worst = errors.iter().flatten().copied().fold(0.0, f64::max);
            if self.precision.is_none_or(|precision| worst < precision) || enough >= most {
                return Ok(Solved { values, errors, exact: false });
            }
            // Where all coalitions may be tried, they are: that leaves no error.
            if players < 32 && (1_usize << players) - 2 <= most {
                plan = Plan::new(players, most);
                fit = Fit::of(&plan, game, whole)?;
            }
            enough = (enough + enough / 2).min(most);
        }
        let (values, errors) = fit.solved(plan.left, game)?;
        Ok(Solved { values, errors, exact: true })
    }
}
