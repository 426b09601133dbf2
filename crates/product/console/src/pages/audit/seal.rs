//! How the trail is sealed, and verifying it now.

use axum::extract::State;
use ephor_kernel::{Code, Problem};
use ephor_seal::Verification;
use ephor_store::audit::{self, AuditError, SealStatus};

use super::page::SealView;
use crate::{
    ConsoleState,
    view::{Badge, Html, Moment, format},
    visit::{Answer, Visit},
};

/// What a verification found.
pub(super) type Verified = Verification;

/// How the trail stands, by its status alone: the last verification, and what came after.
pub(crate) fn standing(status: &SealStatus) -> (Badge, String) {
    let entries = format::plural(status.sealed, "entry is sealed", "entries are sealed");
    let waiting = match status.queued {
        0 => String::new(),
        queued => format!(
            "; {} waiting for the sealer",
            format::plural(queued, "entry is", "entries are")
        ),
    };
    match status.verified_at {
        Some(at) => (
            Badge::new("pass", "seal", "verified"),
            format!(
                "{entries}{waiting}. The first {} were verified on {} UTC.",
                format::count(status.verified_size),
                at.format("%Y-%m-%d %H:%M")
            ),
        ),
        None => (
            Badge::new("", "seal", "sealed"),
            format!("{entries}{waiting}. The trail was not verified yet."),
        ),
    }
}

/// The seal's part of the page.
pub(super) fn view(status: &SealStatus, verified: Option<Verified>) -> SealView {
    let (badge, sentence) = standing(status);
    let mut facts = vec![
        ("Sealed entries", Html::text(&format::count(status.sealed))),
        ("Not yet sealed", Html::text(&format::count(status.queued))),
    ];
    if let Some(checkpoint) = &status.checkpoint {
        facts.push(("Last checkpoint", Html::of(&Moment(checkpoint.created_at))));
        facts.push(("Root of the tree", Html::text(&checkpoint.root)));
    }
    match verified {
        None => SealView { badge, sentence, findings: Vec::new(), facts },
        Some(found) if found.verified() => SealView {
            badge: Badge::state("verified"),
            sentence: format!(
                "Verified just now: all {} sealed entries are as they were written, and {} of them are proven by a signed checkpoint{}.",
                format::count(found.sealed),
                format::count(found.proven),
                match found.erased.len() {
                    0 => String::new(),
                    erased => format!(
                        "; {} erased by right",
                        format::plural(erased as u64, "body was", "bodies were")
                    ),
                }
            ),
            findings: Vec::new(),
            facts,
        },
        Some(found) => SealView {
            badge: Badge::new("fail", "fail", "altered"),
            sentence: "The trail is not as it was written. Each finding names the entry."
                .to_owned(),
            findings: found.findings.iter().take(200).map(ToString::to_string).collect(),
            facts,
        },
    }
}

/// `POST /audit/verify`: holds entries, tree and checkpoints against one another.
pub(super) async fn verify(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("audit", "verify")?;
    let keys =
        audit::trusted(&state.store, [state.seal_key]).await.map_err(|error| failed(&error))?;
    let found = audit::verify(&state.store, visit.scope.organization(), &keys)
        .await
        .map_err(|error| failed(&error))?;
    super::trail(&state, &visit, Some(found)).await
}

pub(super) fn failed(error: &AuditError) -> Problem {
    tracing::error!(%error, "the audit trail could not be read");
    Problem::new(
        Code::Unavailable,
        "The audit trail could not be read at the moment; the reason is in the log",
    )
    .retry_after(5)
}
