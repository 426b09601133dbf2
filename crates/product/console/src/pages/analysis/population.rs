//! Shares of a population as the form takes them: a line for each attribute, written as `ephor analyze --population` takes them.

use std::collections::BTreeMap;

use ephor_fairness::data::representation::Population;

/// Reads the lines; empty ones say nothing.
///
/// # Errors
/// What the first line that cannot be read should be.
pub(super) fn read(text: &str) -> Result<Population, String> {
    let mut population = Population::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (attribute, groups) = line.split_once('=').ok_or_else(|| how(line))?;
        let mut shares = BTreeMap::new();
        for group in groups.split(',') {
            let (name, share) = group.rsplit_once(':').ok_or_else(|| how(line))?;
            let number =
                share.trim().parse().map_err(|_| format!("`{}` is not a number.", cut(share)))?;
            if shares.insert(name.trim().to_owned(), number).is_some() {
                return Err(format!("The group `{}` is named twice.", cut(name.trim())));
            }
        }
        let attribute = attribute.trim();
        if population.insert(attribute.to_owned(), shares).is_some() {
            return Err(format!("`{}` has two lines.", cut(attribute)));
        }
    }
    Ok(population)
}

fn how(line: &str) -> String {
    format!("`{}` is not written ATTRIBUTE=GROUP:SHARE,GROUP:SHARE.", cut(line))
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_an_attribute() {
        let found =
            read("sex=Female:0.51, Male:0.49\r\n\n sex|race = F|a:b:0.5,M|c: 0.5 ").unwrap();
        assert_eq!(found["sex"]["Male"], 0.49);
        // Names may hold colons: the last one parts them from the share.
        assert_eq!(found["sex|race"]["F|a:b"], 0.5);
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, part) in [
            ("sex", "ATTRIBUTE=GROUP"),
            ("sex=Female", "`sex=Female` is not written"),
            ("sex=Female:much", "`much` is not a number"),
            ("sex=f:0.5,f:0.5", "`f` is named twice"),
            ("sex=f:1\nsex=m:1", "`sex` has two lines"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
    }
}
