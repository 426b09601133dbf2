//! Events of the domain, and the news of organizations.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ephor_kernel::{AnalysisId, DatasetId, DomainEvent, OrganizationId, Scope};
use ephor_store::{
    Store,
    jobs::{EventHandler, JobFailure, Workers},
    testing,
};

use super::support::{quick, until_true};

/// Fails the first time that it is told of anything.
#[derive(Default)]
struct Hearing(Mutex<Vec<(OrganizationId, DomainEvent)>>, Mutex<bool>);

#[async_trait]
impl EventHandler for Hearing {
    async fn handle(
        &self,
        _: &Store,
        scope: &Scope,
        event: &DomainEvent,
    ) -> Result<(), JobFailure> {
        if !std::mem::replace(&mut *self.1.lock().unwrap(), true) {
            return Err(JobFailure::retry("not the first time"));
        }
        self.0.lock().unwrap().push((scope.organization(), event.clone()));
        Ok(())
    }
}

async fn emit(store: &Store, scope: &Scope, event: &DomainEvent) {
    let mut tx = store.begin(scope).await.unwrap();
    tx.emit(event).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_event_is_told_until_it_is_handled() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let hearing = Arc::new(Hearing::default());
    let workers = Workers::start_with_events(db.store(), vec![], Some(hearing.clone()), quick());
    let event = DomainEvent::DatasetStored { dataset: DatasetId::new() };
    emit(&db.store(), &scope, &event).await;
    until_true("it is handled", async || !hearing.0.lock().unwrap().is_empty()).await;
    assert_eq!(*hearing.0.lock().unwrap(), [(scope.organization(), event)]);
    until_true("it is forgotten", async || {
        let left: i64 = sqlx::query_scalar("select count(*) from ops.outbox")
            .fetch_one(&db.admin())
            .await
            .unwrap();
        left == 0
    })
    .await;
    workers.shutdown().await;
}

#[tokio::test]
async fn news_goes_to_its_organization_alone() {
    let db = testing::database().await;
    let (one, two) = (db.organization("One").await, db.organization("Two").await);
    let store = db.store();
    let (mut first, mut second) =
        (store.live().subscribe(one.organization()), store.live().subscribe(two.organization()));
    let workers = Workers::start(db.store(), vec![], quick());
    let event = DomainEvent::AnalysisCancelled { analysis: AnalysisId::new() };
    // The listener may not listen yet: what it misses it says by `resync`.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let update = loop {
        emit(&store, &one, &event).await;
        let heard = tokio::time::timeout(std::time::Duration::from_millis(500), async {
            loop {
                let update = first.recv().await.unwrap();
                if update.kind != "resync" {
                    return update;
                }
            }
        })
        .await;
        if let Ok(update) = heard {
            break update;
        }
        assert!(tokio::time::Instant::now() < deadline, "nothing was heard");
    };
    assert_eq!(
        (update.organization, update.kind.as_str()),
        (one.organization(), "analysis_cancelled")
    );
    while let Ok(update) = second.try_recv() {
        assert_eq!((update.organization, update.kind.as_str()), (two.organization(), "resync"));
    }
    workers.shutdown().await;
}
