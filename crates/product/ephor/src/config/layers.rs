//! Layers of settings: each overrides the ones below it, and may set only what the default has.
//!
//! The general-purpose crates were weighed and left: splitting `EPHOR_SERVER_PUBLIC_URL` at
//! underscores is ambiguous for them, where the default's own keys settle it.

use std::{fmt, path::Path};

use toml::{Table, Value};

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key, or the file or variable that holds it.
    pub place: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl ConfigFault {
    /// A fault at `place`.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// All that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<ConfigFault>);

impl ConfigError {
    pub(super) fn unless_empty(faults: Vec<ConfigFault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {}: {}", fault.place, fault.message))
    }
}

pub(super) struct Layers {
    table: Table,
    faults: Vec<ConfigFault>,
}

impl Layers {
    pub(super) fn new(default: &str) -> Result<Self, ConfigError> {
        let table = parse("the default configuration", default)?;
        Ok(Self { table, faults: Vec::new() })
    }

    pub(super) fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError(vec![ConfigFault::new(
                &place,
                format!("the file could not be read: {error}"),
            )])
        })?;
        for (section, keys) in parse(&place, &text)? {
            if section == PROVIDERS && keys.is_array() {
                self.table.insert(section, keys);
                continue;
            }
            let Value::Table(keys) = keys else {
                self.faults.push(ConfigFault::new(
                    format!("{place}: {section}"),
                    "settings stand in sections, such as [server]",
                ));
                continue;
            };
            for (key, value) in keys {
                self.set(&format!("{place}: {section}.{key}"), &section, &key, value);
            }
        }
        Ok(())
    }

    pub(super) fn variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        let known: Vec<(String, String, String)> = self
            .table
            .iter()
            .filter_map(|(section, keys)| Some((section, keys.as_table()?)))
            .flat_map(|(section, keys)| {
                keys.keys().map(move |key| {
                    (format!("EPHOR_{section}_{key}").to_uppercase(), section.clone(), key.clone())
                })
            })
            .collect();
        let mut variables: Vec<_> = variables.into_iter().collect();
        // DATABASE_URL is what most tools set; Ephor's own variable is the more particular one.
        variables.sort_by_key(|(name, _)| name != "DATABASE_URL");
        for (name, text) in variables {
            if name == "DATABASE_URL" {
                self.text(&name, "database", "url", text);
            } else if let Some((_, section, key)) = known.iter().find(|(known, ..)| *known == name)
            {
                self.text(&name, section, key, text);
            } else if name.starts_with("EPHOR_OIDC_") {
                self.client_secret(&name, text);
            } else if name.starts_with("EPHOR_") && !OTHER_VARIABLES.contains(&name.as_str()) {
                let hint = nearest(&name, known.iter().map(|(known, ..)| known.as_str()));
                self.faults.push(ConfigFault::new(name, format!("there is no such setting{hint}")));
            }
        }
    }

    pub(super) fn flags(&mut self, flags: &[(&str, String)]) {
        for (path, text) in flags {
            if let Some((section, key)) = path.split_once('.') {
                self.text(path, section, key, text.clone());
            }
        }
    }

    pub(super) fn finish<T: serde::de::DeserializeOwned>(mut self) -> Result<T, ConfigError> {
        ConfigError::unless_empty(self.faults)?;
        // An empty text means that the setting is not set.
        for (_, keys) in &mut self.table {
            if let Value::Table(keys) = keys {
                keys.retain(|_, value| value.as_str() != Some(""));
            }
        }
        self.table.try_into().map_err(|error: toml::de::Error| {
            ConfigError(vec![ConfigFault::new("configuration", error.message().to_owned())])
        })
    }

    /// `EPHOR_OIDC_<NAME>_CLIENT_SECRET`: the one setting of a provider that a variable holds.
    fn client_secret(&mut self, variable: &str, text: String) {
        let word = |name: &str| name.to_uppercase().replace('-', "_");
        let providers = self.table.get_mut(PROVIDERS).and_then(Value::as_array_mut);
        let provider = providers.into_iter().flatten().filter_map(Value::as_table_mut).find(|it| {
            let name = it.get("name").and_then(Value::as_str).map(word).unwrap_or_default();
            variable == format!("EPHOR_OIDC_{name}_CLIENT_SECRET")
        });
        if let Some(provider) = provider {
            provider.insert("client_secret".to_owned(), Value::String(text));
        } else {
            self.faults.push(ConfigFault::new(
                variable,
                "there is no such [[oidc]]; EPHOR_OIDC_<NAME>_CLIENT_SECRET sets the secret of one in the file",
            ));
        }
    }

    /// Sets a value from text, in the type that the default has.
    fn text(&mut self, place: &str, section: &str, key: &str, text: String) {
        let default = self.table.get(section).and_then(|keys| keys.get(key));
        let value = match default {
            Some(Value::Integer(_)) => text.parse().map(Value::Integer).ok(),
            Some(Value::Float(_)) => text.parse().map(Value::Float).ok(),
            Some(Value::Boolean(_)) => text.parse().map(Value::Boolean).ok(),
            Some(Value::Array(_)) => Some(Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Value::String(item.to_owned()))
                    .collect(),
            )),
            _ => Some(Value::String(text.clone())),
        };
        match value {
            Some(value) => self.set(place, section, key, value),
            None => self.faults.push(ConfigFault::new(
                place,
                format!("`{text}` is not {}", default.map_or("known", kind)),
            )),
        }
    }

    fn set(&mut self, place: &str, section: &str, key: &str, value: Value) {
        let Some(Value::Table(keys)) = self.table.get_mut(section) else {
            let hint = nearest(section, self.table.keys().map(String::as_str));
            self.faults
                .push(ConfigFault::new(place, format!("there is no section [{section}]{hint}")));
            return;
        };
        let Some(slot) = keys.get_mut(key) else {
            let hint = nearest(key, keys.keys().map(String::as_str));
            self.faults.push(ConfigFault::new(place, format!("there is no such setting{hint}")));
            return;
        };
        *slot = match (&*slot, value) {
            (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
            (old, new) if old.same_type(&new) => new,
            (old, new) => {
                let fault = format!("`{new}` is not {}", kind(old));
                self.faults.push(ConfigFault::new(place, fault));
                return;
            }
        };
    }
}

/// The one section that may stand several times.
const PROVIDERS: &str = "oidc";

/// Variables of ours that are no settings.
const OTHER_VARIABLES: &[&str] = &[
    "EPHOR_API_KEY",
    "EPHOR_CONFIG",
    "EPHOR_CREDENTIALS",
    "EPHOR_DATABASE_BACKUP_URL",
    "EPHOR_POSTGRES_BIN",
    "EPHOR_SCREENSHOTS",
    "EPHOR_SERVER",
    "EPHOR_TEST_FULL",
];

fn parse(place: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        ConfigError(vec![ConfigFault::new(place, error.to_string().trim_end().to_owned())])
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        _ => "a text in quotes",
    }
}

/// `; did you mean …?` when something is near enough.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map_or_else(
            || "; `ephor config` prints all that there are".to_owned(),
            |(_, candidate)| format!("; did you mean `{candidate}`?"),
        )
}
