//! `GET /audit/export`: the trail with its proofs, to be verified offline.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use ephor_kernel::{Clock, SystemClock};
use ephor_store::audit;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use crate::{
    ConsoleState,
    visit::{Answer, Visit},
};

/// How much is in flight between the database and the browser.
const PIPE_BYTES: usize = 256 * 1024;

/// Streams the export: it may be larger than the memory.
pub(super) async fn export(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("audit", "export")?;
    let (mut writer, reader) = tokio::io::duplex(PIPE_BYTES);
    let name = format!(
        "ephor-audit-{}-{}.ephor-audit",
        visit.scope.organization(),
        SystemClock.now().format("%Y%m%dT%H%M%SZ")
    );
    tokio::spawn(async move {
        let written = audit::export(&state.store, &visit.scope, &SystemClock, &mut writer).await;
        match written {
            Ok(_) => {
                // The reader may have gone away; then nobody misses the end.
                let _ = writer.shutdown().await;
            }
            // The file breaks off, which its verifier notices.
            Err(error) => tracing::warn!(%error, "an export of the audit trail broke off"),
        }
    });
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        Body::from_stream(ReaderStream::new(reader)),
    )
        .into_response())
}
