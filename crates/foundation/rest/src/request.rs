//! What a caller asks a list for.

use url::form_urlencoded;

/// A request for a list, as the pairs of its query string. Whoever calls the engine from Rust
/// builds the same pairs, so that both take the same way.
///
/// ```
/// use ephor_rest::ListRequest;
///
/// let request = ListRequest::new().filter("status", "eq.active").sort("-created_at").limit(20);
/// assert_eq!(request, ListRequest::from_query("status=eq.active&sort=-created_at&limit=20"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRequest {
    pairs: Vec<(String, String)>,
}

impl ListRequest {
    /// A request for the first page, in the resource's own order.
    pub fn new() -> Self {
        Self::default()
    }

    /// From a query string, without its question mark.
    pub fn from_query(query: &str) -> Self {
        Self { pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    /// The query string that asks for the same.
    pub fn to_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }

    /// Adds a pair.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.pairs.push((name.into(), value.into()));
        self
    }

    /// Keeps rows for which `column` passes `test`: `eq.active`, `gte.2026-01-01`.
    #[must_use]
    pub fn filter(self, column: &str, test: impl Into<String>) -> Self {
        self.with(column, test)
    }

    /// Keeps rows that hold the words.
    #[must_use]
    pub fn search(self, words: impl Into<String>) -> Self {
        self.with("q", words)
    }

    /// Sorts: `-created_at,name`.
    #[must_use]
    pub fn sort(self, order: impl Into<String>) -> Self {
        self.with("sort", order)
    }

    /// Asks for these columns only.
    #[must_use]
    pub fn fields(self, columns: &[&str]) -> Self {
        self.with("fields", columns.join(","))
    }

    /// Asks for related rows in place.
    #[must_use]
    pub fn include(self, names: &[&str]) -> Self {
        self.with("include", names.join(","))
    }

    /// At most so many rows: 1 to 500.
    #[must_use]
    pub fn limit(self, rows: u32) -> Self {
        self.with("limit", rows.to_string())
    }

    /// Goes on where the page before ended.
    #[must_use]
    pub fn cursor(self, cursor: impl Into<String>) -> Self {
        self.with("cursor", cursor)
    }

    /// Asks how many rows there are in all.
    #[must_use]
    pub fn count(self) -> Self {
        self.with("count", "exact")
    }

    /// A holding reads its subsidiaries too.
    #[must_use]
    pub fn everywhere(self) -> Self {
        self.with("organizations", "all")
    }

    /// The value of a parameter, when it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(pair, _)| pair == name).map(|(_, value)| value.as_str())
    }

    /// The same request without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(pair, _)| pair != name);
        self
    }

    /// All pairs, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}
