//! What went wrong, in the words of RFC 9457: a stable code, where, why, and what to do.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::Quota;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal, $title:literal;)+) => {
        /// The kind of a problem. Its word is stable: clients match on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {$($(#[$doc])* #[serde(rename = $word)] $name,)+}

        impl Code {
            /// All codes, for the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$name => $word,)+}
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self {$(Self::$name => $status,)+}
            }

            /// A short name for people.
            pub const fn title(self) -> &'static str {
                match self {$(Self::$name => $title,)+}
            }
        }
    };
}

codes! {
    /// The request can't be read at all.
    Malformed = "malformed", 400, "The request could not be read";
    /// Nobody is signed in.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// E-mail or password are wrong.
    WrongCredentials = "wrong_credentials", 401, "Wrong e-mail or password";
    /// The organization's tier does not include it.
    FeatureNotInPlan = "feature_not_in_plan", 402, "The plan does not include this";
    /// The organization has as many as its tier allows; waiting does not help.
    LimitReached = "limit_reached", 402, "A limit of the plan is reached";
    /// One is signed in but may not do this.
    Forbidden = "forbidden", 403, "You may not do this";
    /// The organization is suspended: nobody works in it.
    OrganizationSuspended = "organization_suspended", 403, "The organization is suspended";
    /// The request did not come from Ephor's own pages.
    CrossSite = "cross_site", 403, "The request came from another site";
    /// There is no such thing, or the caller may not know of it.
    NotFound = "not_found", 404, "Not found";
    /// The thing exists, but not that way of using it.
    MethodNotAllowed = "method_not_allowed", 405, "This cannot be done here";
    /// None of the accepted representations can be made.
    NotAcceptable = "not_acceptable", 406, "No acceptable representation";
    /// It clashes with what is there.
    Conflict = "conflict", 409, "It clashes with what is there";
    /// The state machine has no such step.
    InvalidTransition = "invalid_transition", 409, "It is not in a state that allows this";
    /// Two things are to be held against one another that are of different tasks.
    OtherTask = "other_task", 409, "The two are of different tasks";
    /// No newer version of it waits for an answer.
    NoOffer = "no_offer", 409, "Nothing is offered";
    /// Somebody else changed it in the meantime.
    Stale = "stale", 412, "It was changed in the meantime";
    /// Too much was sent.
    TooLarge = "too_large", 413, "Too large";
    /// The body's format is not known.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// One or more fields are wrong; all are listed.
    Invalid = "invalid", 422, "Some of it is not valid";
    /// An update must say which version it changes.
    PreconditionRequired = "precondition_required", 428, "Say which version you change";
    /// The organization used what its tier allows for a time; it may go on when that is over.
    QuotaExceeded = "quota_exceeded", 429, "What the plan allows for now is used up";
    /// Too many requests.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// A fault of Ephor's own.
    Internal = "internal", 500, "Something went wrong on our side";
    /// What Ephor needs is not there at the moment.
    Unavailable = "unavailable", 503, "Not available at the moment";
    /// The disk, or what is granted of it, is full.
    StorageFull = "storage_full", 507, "There is no room left to store it";
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where: a JSON pointer into the body (`/name`), or `query:limit`, `header:if-match`, `path:id`.
    pub pointer: Cow<'static, str>,
    /// A stable word for the fault, such as `required`, `unknown_field`, `too_long`.
    pub code: Cow<'static, str>,
    /// What is wrong and why.
    pub message: Cow<'static, str>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Cow<'static, str>>,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message: message.into(), hint: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What is wrong and what to do about it, as sentences.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let Some(hint) = &self.hint else { return Ok(()) };
        let ended = self.message.ends_with(['.', '!', '?', ':']);
        write!(f, "{} {hint}", if ended { "" } else { "." })
    }
}

/// A refusal or a failure, as the caller may see it: it holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What happened and what to do, for people.
    pub detail: Cow<'static, str>,
    /// Every fault of the request, when it is the request's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// After how many seconds another try makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The limit or feature of the organization's plan that stands in the way, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Box<Quota>>,
}

impl Problem {
    /// A problem with no particular faults.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), faults: Vec::new(), retry_after: None, quota: None }
    }

    /// Fields that are wrong: 422 with all of them.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [only] => only.message.clone(),
            many => format!("{} things are wrong; each is listed in `faults`", many.len()).into(),
        };
        Self { code: Code::Invalid, detail, faults, retry_after: None, quota: None }
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}, or you may not see it"))
    }

    /// The caller lacks a permission.
    pub fn forbidden(resource: &str, action: &str) -> Self {
        Self::new(
            Code::Forbidden,
            format!(
                "This needs the permission {resource}:{action}; ask an owner or admin of the organization"
            ),
        )
    }

    /// A failure that is ours. The cause goes to the log, not to the caller.
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "The request failed for a reason of Ephor's own; its request id is in the log",
        )
    }

    /// Adds a time after which to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Returns `Ok` when there are no faults, else the problem that lists them.
    pub fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self::invalid(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_their_statuses_are_errors() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status())));
    }

    #[test]
    fn a_fault_reads_as_sentences() {
        let fault = |message| Fault::new("/kind", "vocabulary", message);
        assert_eq!(fault("`kind` is missing").to_string(), "`kind` is missing");
        let hinted = fault("`kind` is not one of a, b").hint("Did you mean `a`?");
        assert_eq!(hinted.to_string(), "`kind` is not one of a, b. Did you mean `a`?");
        assert_eq!(fault("It is wrong.").hint("Use `a`.").to_string(), "It is wrong. Use `a`.");
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let problem = Problem::invalid(vec![
            Fault::new("/name", "required", "name is missing"),
            Fault::new("/kind", "vocabulary", "kind is not one of a, b").hint("use a"),
        ]);
        assert_eq!(problem.faults.len(), 2);
        assert!(problem.detail.starts_with("2 things"));
    }
}
