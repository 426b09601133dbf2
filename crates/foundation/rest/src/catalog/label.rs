//! Names as people read them.

/// `training_rows` is "Training rows", `ai_system` is "AI system", `dataset` is "Data set".
pub fn label(name: &str) -> String {
    let words: Vec<&str> = name.split('_').map(spelled).collect();
    let words = words.join(" ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A word of a name as people write it.
fn spelled(word: &str) -> &str {
    match word {
        "ai" => "AI",
        "api" => "API",
        "id" => "ID",
        "ids" => "IDs",
        "ip" => "IP",
        "url" => "URL",
        "sha256" => "SHA-256",
        "github" => "GitHub",
        "dataset" => "data set",
        "datasets" => "data sets",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn names_are_spelled_as_people_write_them() {
        assert_eq!(label("ai_system"), "AI system");
        assert_eq!(label("datasets"), "Data sets");
        assert_eq!(label("github_org_name"), "GitHub org name");
        assert_eq!(label(""), "");
    }
}
