//! Routes that contexts serve themselves, described for the OpenAPI document.

use http::Method;
use serde_json::Value;

/// An action route: `POST /v1/approvals/{id}/approve`.
///
/// ```
/// use ephor_rest::Operation;
/// use serde_json::json;
///
/// let operation = Operation::post("/v1/bias_analyses/{id}/cancel", "Cancel a bias analysis")
///     .tag("bias analyses")
///     .about("Stops it if it runs; what is done stays done.")
///     .permission("bias_analyses", "cancel")
///     .response(200, json!({"$ref": "#/components/schemas/bias_analyses"}));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The heading that it stands under.
    pub tag: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to say.
    pub description: &'static str,
    /// The permission that it needs, if any.
    pub permission: Option<(&'static str, &'static str)>,
    /// May anybody call it who is not signed in?
    pub public: bool,
    /// Parameters of the query string: name, schema, meaning.
    pub query: Vec<(&'static str, Value, &'static str)>,
    /// Those of them that have to be there.
    pub required: Vec<&'static str>,
    /// Does it take `if-match`, and has to?
    pub if_match: bool,
    /// Does it take `if-match`, and need not have it?
    pub may_match: bool,
    /// The media type and schema of the body.
    pub request: Option<(&'static str, Value)>,
    /// The status of success.
    pub status: u16,
    /// The media type and schema of the answer.
    pub response: Option<(&'static str, Value)>,
    /// Other media types that the same answer may have, with their schemas.
    pub other_types: Vec<(&'static str, Value)>,
    /// Another success: its status, and the schema of its JSON.
    pub also: Option<(u16, Value)>,
}

impl Operation {
    /// An operation that answers 200 with nothing in particular, until told otherwise.
    pub const fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            tag: "other",
            summary,
            description: "",
            permission: None,
            public: false,
            query: Vec::new(),
            required: Vec::new(),
            if_match: false,
            may_match: false,
            request: None,
            status: 200,
            response: None,
            other_types: Vec::new(),
            also: None,
        }
    }

    /// `GET`
    pub const fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, summary)
    }

    /// `POST`
    pub const fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, summary)
    }

    /// `PUT`
    pub const fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PUT, path, summary)
    }

    /// `PATCH`
    pub const fn patch(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PATCH, path, summary)
    }

    /// `DELETE`
    pub const fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, summary)
    }

    /// The heading that it stands under: a resource's plural, for instance.
    #[must_use]
    pub fn tag(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// What else there is to say.
    #[must_use]
    pub fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// The permission that it needs.
    #[must_use]
    pub fn permission(self, resource: &'static str, action: &'static str) -> Self {
        Self { permission: Some((resource, action)), ..self }
    }

    /// Nobody need be signed in.
    #[must_use]
    pub fn public(self) -> Self {
        Self { public: true, ..self }
    }

    /// A parameter of the query string.
    #[must_use]
    pub fn query(mut self, name: &'static str, schema: Value, meaning: &'static str) -> Self {
        self.query.push((name, schema, meaning));
        self
    }

    /// A parameter of the query string that has to be there.
    #[must_use]
    pub fn needs_query(mut self, name: &'static str, schema: Value, meaning: &'static str) -> Self {
        self.required.push(name);
        self.query(name, schema, meaning)
    }

    /// `if-match` names the version that is changed.
    #[must_use]
    pub fn if_match(self) -> Self {
        Self { if_match: true, ..self }
    }

    /// `if-match` may name the version that is changed; without it, whatever is there is.
    #[must_use]
    pub fn may_match(self) -> Self {
        Self { may_match: true, ..self }
    }

    /// A JSON body.
    #[must_use]
    pub fn request(self, schema: Value) -> Self {
        self.request_as("application/json", schema)
    }

    /// A body of another media type.
    #[must_use]
    pub fn request_as(self, media_type: &'static str, schema: Value) -> Self {
        Self { request: Some((media_type, schema)), ..self }
    }

    /// A JSON answer.
    #[must_use]
    pub fn response(self, status: u16, schema: Value) -> Self {
        self.response_as(status, "application/json", schema)
    }

    /// An answer of another media type.
    #[must_use]
    pub fn response_as(self, status: u16, media_type: &'static str, schema: Value) -> Self {
        Self { status, response: Some((media_type, schema)), ..self }
    }

    /// The same answer in another media type, which the caller may choose.
    #[must_use]
    pub fn or_as(mut self, media_type: &'static str, schema: Value) -> Self {
        self.other_types.push((media_type, schema));
        self
    }

    /// An answer without a body: 204, 303, ….
    #[must_use]
    pub fn empty(self, status: u16) -> Self {
        Self { status, response: None, ..self }
    }

    /// Another success, with a JSON answer.
    #[must_use]
    pub fn or(self, status: u16, schema: Value) -> Self {
        Self { also: Some((status, schema)), ..self }
    }
}
