//! Fields of generated forms.

use ephor_kernel::Problem;
use serde::Serialize;
use serde_json::Value;

use crate::{Column, Engine, Kind, Resource};

/// One field of a form that makes or changes a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormField {
    /// The column: what the field is sent as.
    pub name: String,
    /// What people read.
    pub label: String,
    /// What is entered.
    pub input: Input,
    /// Must it be filled in?
    pub required: bool,
    /// May it hold nothing? Otherwise a text that is emptied is an empty text.
    pub nullable: bool,
    /// The words to choose from; empty when it is open.
    pub vocabulary: Vec<String>,
    /// The least number of characters.
    pub min_length: Option<u32>,
    /// The greatest number of characters.
    pub max_length: Option<u32>,
    /// The least value.
    pub minimum: Option<f64>,
    /// The greatest value.
    pub maximum: Option<f64>,
    /// A regular expression that the text matches.
    pub pattern: Option<String>,
    /// What it means: the column's comment.
    pub description: Option<String>,
    /// What the form starts with.
    pub default: Option<Value>,
    /// The path of the resource whose id it holds.
    pub references: Option<&'static str>,
    /// May a new row set it?
    pub creatable: bool,
    /// May it be changed later?
    pub editable: bool,
}

/// What is entered into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A line of text.
    Line,
    /// Text of several lines.
    Paragraph,
    /// One of the vocabulary.
    Choice,
    /// Yes or no.
    Checkbox,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A moment.
    Time,
    /// A day.
    Date,
    /// The id of another row.
    Reference,
    /// A member, by the user's id.
    Person,
    /// Several of them.
    People,
    /// Several texts, one a line.
    Lines,
    /// JSON.
    Json,
}

/// Texts that may be longer than this get several lines.
const LINE_CHARACTERS: u32 = 500;

impl Engine {
    /// The fields of the form for the resource: those that a new row may set, then those that can
    /// only be changed later.
    ///
    /// # Errors
    /// When there is no such resource.
    pub fn form(&self, path: &str) -> Result<Vec<FormField>, Problem> {
        let resource = self.known(path)?;
        let later = resource.spec.update.iter().filter(|name| !resource.spec.create.contains(name));
        let names = resource.spec.create.iter().chain(later);
        Ok(names
            .filter_map(|name| resource.table.column(name))
            .map(|column| self.field(resource, column))
            .collect())
    }

    fn field(&self, resource: &Resource, column: &Column) -> FormField {
        let person = resource.spec.names_people(&column.name);
        let references = self.reference(resource, &column.name).filter(|_| !person);
        let bounds = &column.bounds;
        FormField {
            name: column.name.clone(),
            label: column.label(),
            input: if person { people(column) } else { input(column, references.is_some()) },
            required: resource.required(column),
            nullable: column.nullable,
            vocabulary: bounds.vocabulary.clone(),
            min_length: bounds.min_length,
            max_length: bounds.max_length,
            minimum: bounds.minimum,
            maximum: bounds.maximum,
            pattern: bounds.pattern.clone(),
            description: column.comment.clone(),
            default: column.default_value(),
            references,
            creatable: resource.spec.create.contains(&column.name.as_str()),
            editable: resource.spec.update.contains(&column.name.as_str()),
        }
    }

    /// The resources whose rows are parts of this one's, each with the column that says of which.
    pub fn parts(&self, path: &str) -> impl Iterator<Item = (&Resource, &'static str)> {
        self.resources().filter_map(move |resource| {
            let parent = resource.spec.parent.filter(|parent| parent.resource == path)?;
            Some((resource, parent.column))
        })
    }

    /// The path of the resource that a column refers to.
    pub fn reference(&self, resource: &Resource, column: &str) -> Option<&'static str> {
        let table = resource.table.referenced_by(column)?;
        self.resources().find(|other| other.spec.table == table).map(|other| other.spec.path)
    }
}

fn people(column: &Column) -> Input {
    if column.kind == Kind::Uuid { Input::Person } else { Input::People }
}

fn input(column: &Column, reference: bool) -> Input {
    match &column.kind {
        _ if reference => Input::Reference,
        Kind::Text if !column.bounds.vocabulary.is_empty() => Input::Choice,
        Kind::Text if column.bounds.max_length.is_none_or(|most| most > LINE_CHARACTERS) => {
            Input::Paragraph
        }
        Kind::Text | Kind::Uuid | Kind::Address | Kind::Other => Input::Line,
        Kind::Bool => Input::Checkbox,
        Kind::Integer(_) => Input::Integer,
        Kind::Float | Kind::Decimal => Input::Number,
        Kind::Timestamp => Input::Time,
        Kind::Date => Input::Date,
        Kind::Array(element) if **element == Kind::Text => Input::Lines,
        Kind::Array(_) | Kind::Json => Input::Json,
    }
}
