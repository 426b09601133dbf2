//! `ephor explain --plots FOLDER`: each plot of the report as files of its own, SVG and PNG.

use std::path::Path;

use anyhow::Context as _;
use ephor_console::report::explained::drawings;
use ephor_explain::summary::Summary;

use crate::cli::file;

/// A file's name, and what it holds.
pub(super) type File = (String, Vec<u8>);

/// The plots of all outputs, each as two files: all are drawn before one is written.
pub(super) fn draw(summaries: &[Summary]) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    let several = summaries.len() > 1;
    for summary in summaries {
        for drawing in drawings(summary) {
            let name = stem(several.then_some(summary.output), &drawing.name);
            let picture =
                drawing.png().with_context(|| format!("the plot {name} could not be drawn"))?;
            files.push((format!("{name}.svg"), drawing.standalone().into_bytes()));
            files.push((format!("{name}.png"), picture));
        }
    }
    Ok(files)
}

/// Writes them. The folder is made if it is not there; files of these names that are there are replaced.
pub(super) fn write(folder: &Path, files: &[File]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} could not be made", folder.display()))?;
    for (name, content) in files {
        file::put_at(&folder.join(name), "plot", |out| Ok(out.write_all(content)?))?;
    }
    Ok(())
}

/// A file's name without its ending: with the output's number, where there are several.
fn stem(output: Option<usize>, plot: &str) -> String {
    output.map_or_else(|| plot.to_owned(), |output| format!("output-{output}-{plot}"))
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn plots_of_several_outputs_have_names_of_their_own() {
        assert_eq!(stem(None, "waterfall-0"), "waterfall-0");
        assert_eq!(stem(Some(2), "waterfall-0"), "output-2-waterfall-0");
    }
}
