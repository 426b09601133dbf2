//! Requests that are answered before their body was read: refused for want of a log-in, for example.
//!
//! A connection can go on only after the whole body. Hyper throws away what has arrived by then, and
//! else closes the connection, in most cases after an answer that did not say so: the client's next
//! request is lost. So what is left is read here, as far as that is cheap; otherwise the answer says
//! `connection: close`.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, Version, header},
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _};

/// The most bytes that are read for nothing.
const MOST: usize = 64 << 10;

/// For how long they are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sees to it that a connection is either ready for the next request or said to end.
pub async fn settle(request: Request, next: Next) -> Response {
    // From HTTP/2 on, requests do not stand in each other's way.
    if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let kept = Shared::new(body);
    let lent = Body::from_stream(kept.clone());
    let mut response = next.run(Request::from_parts(parts, lent)).await;
    if !kept.settled(asks_first).await {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A body of which a part is kept here, so that it is not lost when its reader turns away.
#[derive(Clone)]
struct Shared(Arc<Mutex<Reading>>);

struct Reading {
    body: BodyDataStream,
    begun: bool,
    over: bool,
}

impl Shared {
    fn new(body: Body) -> Self {
        let body = body.into_data_stream();
        Self(Arc::new(Mutex::new(Reading { body, begun: false, over: false })))
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the rest, if that is cheap. False when some of it is left.
    ///
    /// `asks_first`: the client sends the body only once somebody begins to read it, so that nobody
    /// should who does not want it.
    async fn settled(mut self, asks_first: bool) -> bool {
        if Arc::strong_count(&self.0) > 1 {
            // The answer goes on to read while it is sent, or work that was begun does.
            return true;
        }
        {
            let reading = self.reading();
            if reading.over || reading.body.is_end_stream() {
                return true;
            }
            let left = HttpBody::size_hint(&reading.body).lower();
            if (asks_first && !reading.begun) || left > MOST as u64 {
                return false;
            }
        }
        let rest = async {
            let mut read = 0;
            while let Some(Ok(piece)) = self.next().await {
                read += piece.len();
                if read > MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(PATIENCE, rest).await.unwrap_or(false)
    }
}

impl Stream for Shared {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut reading = self.reading();
        reading.begun = true;
        let piece = reading.body.poll_next_unpin(context);
        // After an error nothing follows.
        reading.over |= matches!(piece, Poll::Ready(None | Some(Err(_))));
        piece
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn pieces(count: usize) -> Body {
        let piece = || Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1024]));
        Body::from_stream(stream::iter((0..count).map(move |_| piece())))
    }

    #[tokio::test]
    async fn what_is_left_is_read_if_it_is_little() {
        for (count, settled) in [(0, true), (1, true), (64, true), (65, false), (1000, false)] {
            assert_eq!(Shared::new(pieces(count)).settled(false).await, settled, "{count}");
        }
        // Its length is known: not a byte of it is read.
        assert!(!Shared::new(Body::from(vec![b'x'; MOST + 1])).settled(false).await);
        assert!(Shared::new(Body::from(vec![b'x'; MOST])).settled(false).await);
    }

    #[tokio::test]
    async fn who_asks_first_is_not_told_to_send() {
        let shared = Shared::new(pieces(1));
        assert!(!shared.settled(true).await);
        let mut shared = Shared::new(pieces(2));
        assert!(shared.next().await.is_some());
        assert!(shared.settled(true).await, "it was told already");
    }

    #[tokio::test]
    async fn a_body_that_is_still_read_is_left_alone() {
        let shared = Shared::new(pieces(1000));
        let reader = shared.clone();
        assert!(shared.settled(false).await);
        assert!(!reader.reading().begun);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for_for_long() {
        let never = stream::pending::<Result<Bytes, std::io::Error>>();
        assert!(!Shared::new(Body::from_stream(never)).settled(false).await);
    }
}
