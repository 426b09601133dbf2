//! Checkpoints reach a receiver outside, which can tell that the log only ever grew.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use ephor_seal::{KeyRing, Note, PublicKey};
use serde_json::Value;

use crate::support::{Server, api::Person, data_folder, ephor, within_async};

/// A receiver that refuses a few times, then takes everything.
#[derive(Clone, Default)]
struct Receiver {
    refusals: Arc<AtomicU32>,
    notes: Arc<Mutex<Vec<String>>>,
}

async fn take(State(receiver): State<Receiver>, note: String) -> StatusCode {
    let left =
        receiver.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
    if left.is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    receiver.notes.lock().unwrap().push(note);
    StatusCode::NO_CONTENT
}

impl Receiver {
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hook/secret-path", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/hook/secret-path")
    }

    /// The note after the first `seen`.
    async fn next(&self, seen: usize) -> String {
        within_async("a checkpoint is published", async || {
            self.notes.lock().unwrap().get(seen).cloned()
        })
        .await
    }
}

fn serve(data: &Path, url: &str) -> Server {
    Server::start(
        ephor()
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("EPHOR_SEAL_CHECKPOINT_URL", url)
            .env("EPHOR_SEAL_CHECKPOINT_FILE", data.join("checkpoints.txt")),
    )
}

fn audit(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = ephor().arg("audit").args(arguments).arg("--data").arg(data).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let fault = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), if output.status.success() { text } else { text + &fault })
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_posted_retried_and_consistent() {
    let data = data_folder();
    let receiver = Receiver::default();
    receiver.refusals.store(1, Ordering::SeqCst);
    let url = receiver.listen().await;
    let server = serve(data.path(), &url);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;

    // It failed, which is told, without the secret of the address, and harms nothing else.
    within_async("the failure is told", async || {
        let ready = ada.json("/readyz").await;
        let told = ready["weaknesses"].to_string();
        assert_eq!(ready["status"], "ready");
        assert!(!told.contains("secret-path"), "{told}");
        (told.contains("are not published") || !receiver.notes.lock().unwrap().is_empty())
            .then_some(())
    })
    .await;
    let first = receiver.next(0).await;
    let (_, key) = audit(data.path(), &["public-key"]);
    let keys = KeyRing::new([PublicKey::parse(key.trim()).unwrap()]);
    let origin = first.lines().next().unwrap().to_owned();
    assert!(origin.starts_with("ephor/instance/"), "{first}");
    let old = keys.checkpoint(&first, &origin).unwrap();
    Note::parse(&first).unwrap();
    within_async("the failure is over", async || {
        let told = ada.json("/readyz").await["weaknesses"].to_string();
        (!told.contains("published")).then_some(())
    })
    .await;
    let (code, told) = audit(data.path(), &["status", "--format", "json"]);
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["publications"][0]["published_size"], old.size, "{told}");
    server.interrupt();

    // Another start enters what has changed since: the next checkpoint begins with the one before.
    let server = serve(data.path(), &url);
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let second = receiver.next(1).await;
    let new = keys.checkpoint(&second, &origin).unwrap();
    assert!(new.size > old.size, "{} {}", old.size, new.size);
    let (old_size, new_size) = (old.size.to_string(), new.size.to_string());
    let (code, proof) = audit(data.path(), &["consistency", &old_size, &new_size]);
    assert_eq!(code, Some(0), "{proof}");
    let signed = ephor_seal::ConsistencyProof::parse(&proof).unwrap();
    assert_eq!((&signed.old, &signed.new), (&first, &second), "the receiver holds the same two");
    signed.verify(&origin, &keys).unwrap();

    // A receipt of an entry, checked as an auditor does.
    let me = eve.json("/v1/me").await;
    let organization = me["organization_id"].as_str().unwrap().to_owned();
    let url = ephor().args(["db", "url", "--data"]).arg(data.path()).output().unwrap();
    let url = String::from_utf8(url.stdout).unwrap();
    let mut database = <sqlx::PgConnection as sqlx::Connection>::connect(url.trim()).await.unwrap();
    let id: String = sqlx::query_scalar(
        "select id::text from audit.audit_logs where organization_id = $1::uuid limit 1",
    )
    .bind(&organization)
    .fetch_one(&mut database)
    .await
    .unwrap();
    let receipt = within_async("the entry is proven", async || {
        let (code, text) = audit(data.path(), &["prove", &id, "--organization", &organization]);
        (code == Some(0)).then_some(text)
    })
    .await;
    for (name, text) in [("receipt.txt", &receipt), ("grown.txt", &proof)] {
        let file = data.path().join(name);
        std::fs::write(&file, text).unwrap();
        let (code, told) =
            audit(data.path(), &["check", file.to_str().unwrap(), "--key", key.trim()]);
        assert!(code == Some(0) && told.contains("proven: "), "{told}");
        let forged =
            text.replacen("index ", "index 1", 1).replacen("ephor/instance", "ephor/instanse", 1);
        std::fs::write(&file, forged).unwrap();
        let (code, told) =
            audit(data.path(), &["check", file.to_str().unwrap(), "--key", key.trim()]);
        assert!(code == Some(1) && told.contains("NOT PROVEN"), "{told}");
    }
    let file = std::fs::read_to_string(data.path().join("checkpoints.txt")).unwrap();
    assert!(file.contains(&first) && file.contains(&second));
    let log = server.log();
    assert!(!log.contains("secret-path"), "{log}");
    server.interrupt();
}
