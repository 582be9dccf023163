//! What feeds a page: server-sent events, one whenever something has changed.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::hub::Hub;
use crate::web::respond::event_stream;

/// How long a page is fed at most.
const FED_FOR: Duration = Duration::from_secs(60);
/// What happens within this time is told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How often there is a look although no receipt has changed: patience runs out too.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A feed that begins with `first`, and goes on with what `look` sees whenever that has
/// changed; it ends when `look` sees nothing. `changes` was taken before the first look.
pub(super) fn fed<T, L, F>(hub: Arc<Hub>, changes: watch::Receiver<()>, first: T, look: L) -> Response
where
    T: PartialEq + Serialize + Send + 'static,
    L: Fn() -> F + Send + 'static,
    F: Future<Output = Option<T>> + Send,
{
    let feed = Feed { hub, look, changes, said: None, next: Some(first), ends_at: Instant::now() + FED_FOR };
    event_stream(stream::unfold(feed, async |mut feed| Some((feed.next().await?, feed))))
}

struct Feed<T, L> {
    hub: Arc<Hub>,
    look: L,
    changes: watch::Receiver<()>,
    said: Option<T>,
    next: Option<T>,
    ends_at: Instant,
}

impl<T, L, F> Feed<T, L>
where
    T: PartialEq + Serialize,
    L: Fn() -> F,
    F: Future<Output = Option<T>>,
{
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(seen) = self.next.take().filter(|seen| self.said.as_ref() != Some(seen)) {
                // One line of JSON needs no escaping.
                let data = serde_json::to_string(&seen).unwrap_or_default();
                self.said = Some(seen);
                return Some(format!("data: {data}\n\n").into());
            }
            tokio::select! {
                looked = timeout_at(self.ends_at, timeout(LOOK_EVERY, self.changes.changed())) => {
                    // Nothing has changed, or something has: a look either way.
                    if let Ok(changed) = looked.ok()? {
                        changed.ok()?;
                    }
                }
                () = self.hub.tasks.stopping() => return None,
            }
            sleep(TOGETHER).await;
            self.changes.mark_unchanged();
            self.next = Some((self.look)().await?);
        }
    }
}
