//! Methods that only ask the model.

mod counterfactual;
mod effects;
mod groups;
mod kernel;
mod lime;
mod options;
mod permutation;
mod summary;
mod told;

use ephor_explain::{CancellationToken, Format, Model, Rows, Scorer as _, summary::About};
use ephor_fairness::DataFrame;
pub(super) use options::Options;
use told::Told;

use super::{
    Args, MAX_BACKGROUND, Method, Output, progress, refused,
    rows::{self, Beside, Columns},
    subject::Subject,
};
use crate::{
    cli::{
        block_on,
        file::{self, unreadable},
        interrupt,
    },
    exit::{Exit, UsageError},
};

/// Of a background, kernel SHAP takes so many rows.
const KERNEL_BACKGROUND: usize = 100;

/// What a method works on.
struct Work {
    model: Subject,
    about: About,
    columns: Columns,
    background: Rows,
    /// Was it given, or are these the rows themselves?
    own_background: bool,
    options: Options,
    cancel: CancellationToken,
    progress: progress::Line,
}

impl Args {
    pub(super) fn run_method(self) -> anyhow::Result<Exit> {
        let shap = [("--interactions", self.interactions), ("--probability", self.probability)];
        let given = shap.into_iter().filter(|(_, given)| *given).map(|(option, _)| option);
        let given: Vec<&str> = given.collect();
        self.options.fit(self.method, &given, self.background.is_some(), self.plots.is_some())?;
        let (model, rows_file) = self.files()?;
        let source = file::named(rows_file);
        let model = model.map(|path| self.model(path)).transpose()?;
        // In the runtime, so that Ctrl-C ends the writing too.
        block_on(async {
            let told = self.work(model).await?;
            let out = self.out.as_ref();
            match self.format {
                Output::Table => file::put(out, told.table(&source))?,
                Output::Json => file::put_whole(out, |out| Ok(told.json(out)?))?,
                Output::Csv => file::put_whole(out, |out| Ok(told.csv(out)?))?,
            }
            self.write_beside(std::slice::from_ref(&told.summary))?;
            Ok(Exit::Ok)
        })
    }

    /// Without a model, an endpoint is asked.
    async fn work(&self, model: Option<(Format, Model)>) -> anyhow::Result<Told> {
        // An endpoint is opened with the first row.
        if self.rows == Some(0) {
            return Err(UsageError("--rows: at least 1".to_owned()).into());
        }
        let settings = self.served.settings()?;
        let beside = self.options.beside(self.method);
        let named = match &model {
            Some((_, model)) => model.features(),
            None => &self.feature_names,
        };
        let only = named.iter().chain(beside.names()).cloned().collect();
        let only = Some(only).filter(|_| !named.is_empty());
        let rows_file = self.files()?.1;
        let table = file::open(rows_file, only, self.memory).await?;
        let frame = table.dataframe().map_err(unreadable)?;
        // An endpoint does not say what its features are: all columns, where it is not said otherwise.
        let features = if named.is_empty() { columns_of(&frame, &beside) } else { named.to_vec() };
        let most = (self.memory << 20) / (8 * 4 * features.len().max(1));
        // Without a background the rows are their own, and more of them are read than are explained.
        let lone = self.background.is_none() && needs_background(self.method);
        let count = self.rows.map(|rows| if lone { rows.max(MAX_BACKGROUND) } else { rows });
        let source = file::named(rows_file);
        let mut columns = rows::read_with(frame, &features, &beside, count, most, &source).await?;
        if columns.rows.is_empty() {
            return Err(UsageError(format!("{source}: it has no rows")).into());
        }
        let background = match &self.background {
            Some(path) => self.read(path, &features, Some(MAX_BACKGROUND), most).await?,
            None if lone => first(&columns.rows, MAX_BACKGROUND),
            None => Rows::new(Vec::new(), features.len()),
        };
        if self.method == Method::Groups
            && let Some((_, model)) = &model
        {
            self.left(model, self.background.is_some().then_some(&background))?;
        }
        if let Some(rows) = self.rows {
            columns.rows = first(&columns.rows, rows);
            columns.targets.truncate(rows);
            columns.groups.truncate(rows);
        }
        let (about, model) = match (model, settings) {
            (None, Some(settings)) => {
                let first = columns.rows.row(0);
                let endpoint = self.served.open(settings, features, first).await?;
                (About::asked(endpoint.outputs()), Subject::Served(Box::new(endpoint)))
            }
            (Some((format, model)), _) => (About::of(format, &model), Subject::File(model)),
            (None, None) => {
                return Err(UsageError("give a model and a file of rows".to_owned()).into());
            }
        };
        let cancel = CancellationToken::new();
        interrupt::listen(cancel.clone());
        let over = cancel.clone();
        let (method, own_background) = (self.method, self.background.is_some());
        let options = self.options.clone();
        let work = tokio::task::spawn_blocking(move || {
            let progress = progress::shown();
            let work = Work {
                model,
                about,
                columns,
                background,
                own_background,
                options,
                cancel,
                progress,
            };
            let told = match method {
                Method::Kernel => kernel::told(&work),
                Method::Lime => lime::told(&work),
                Method::Permutation => permutation::told(&work),
                Method::Pdp | Method::Ice => effects::dependence(&work, method == Method::Ice),
                Method::Ale => effects::accumulated(&work),
                Method::Counterfactual => counterfactual::told(&work),
                Method::Groups | Method::Shap => groups::told(&work),
            };
            work.progress.over();
            told
        });
        let told = work.await?;
        over.cancel();
        told
    }
}

/// The columns that are not beside the features.
fn columns_of(frame: &DataFrame, beside: &Beside) -> Vec<String> {
    let all = frame.schema().fields().iter().map(|field| field.name().clone());
    all.filter(|name| !beside.names().any(|other| other == name)).collect()
}

fn needs_background(method: Method) -> bool {
    matches!(method, Method::Kernel | Method::Lime | Method::Counterfactual)
}

impl Work {
    /// The output that is explained: the one, or class 1 of two classes.
    fn output(&self) -> usize {
        self.options.class.unwrap_or(usize::from(self.model.outputs() == 2))
    }

    /// So many rows of the background, as far from one another as can be.
    fn some_background(&self, most: usize) -> Rows {
        let all = &self.background;
        if all.len() <= most {
            return all.clone();
        }
        let picked = (0..most).flat_map(|place| all.row(place * all.len() / most).to_vec());
        Rows::new(picked.collect(), all.width())
    }

    /// A feature's place.
    fn feature(&self, name: &str) -> anyhow::Result<usize> {
        let known = self.model.features();
        known.iter().position(|feature| feature == name).ok_or_else(|| {
            let near =
                known.iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
            let hint = near.map(|near| format!("; is it `{near}`?")).unwrap_or_default();
            UsageError(format!("the model has no feature `{name}`{hint}")).into()
        })
    }

    /// Of all names; every one that is not there at once.
    fn features(&self, names: &[String]) -> anyhow::Result<Vec<usize>> {
        let (found, wrong): (Vec<_>, Vec<_>) =
            names.iter().map(|name| self.feature(name)).partition(Result::is_ok);
        if wrong.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        let wrong: Vec<String> =
            wrong.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        Err(UsageError(wrong.join("\n")).into())
    }

    fn name(&self, feature: usize) -> String {
        self.model.features()[feature].clone()
    }
}

fn first(rows: &Rows, count: usize) -> Rows {
    Rows::new(rows.iter().take(count).flatten().copied().collect(), rows.width())
}
