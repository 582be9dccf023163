//! What feeds a page: server-sent events, one whenever something has changed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Pages;
use crate::hub::Hub;
use crate::hub::end_session::Stuck;
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::respond::event_stream;

/// How long a page is fed at most.
const FED_FOR: Duration = Duration::from_secs(60);
/// What happens within this time is told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How often there is a look although no receipt has changed: patience runs out too.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Feeds the page that a request names by its `ticket`, in the browser that it is bound
/// to, with what `look` sees of it whenever that has changed; until it sees nothing.
pub(super) async fn fed<T, L, F>(pages: &Pages, request: Request, look: L) -> Result<Response, Problem>
where
    T: PartialEq + Serialize + Send + 'static,
    L: Fn(Arc<Hub>, String, String) -> F + Send + 'static,
    F: Future<Output = Result<T, Stuck>> + Send,
{
    let hub = Arc::clone(&pages.edge.hub);
    let mut params = Params::parse(request.uri().query().unwrap_or_default()).map_err(Problem::request)?;
    let ticket = params.take("ticket").ok_or(Problem::not_found())?;
    let browser = pages.browser_cookie().read(request.headers()).ok_or(Problem::not_found())?;
    // Before the first look: what changes in between rings.
    let changes = hub.receipts_changed();
    let first = look(Arc::clone(&hub), ticket.clone(), browser.clone()).await.map_err(problem)?;
    let ends_at = Instant::now() + FED_FOR;
    let feed = Feed { hub, ticket, browser, look, changes, said: None, next: Some(first), ends_at };
    Ok(event_stream(stream::unfold(feed, async |mut feed| Some((feed.next().await?, feed)))))
}

/// A script is told that there is nothing for it; a person would be shown a page.
pub(super) fn problem(why: Stuck) -> Problem {
    match why {
        Stuck::Hub(denied) => denied.into(),
        Stuck::NoFlight | Stuck::NotThisBrowsers | Stuck::IssuerUnreachable | Stuck::Hint(_) => Problem::not_found(),
    }
}

struct Feed<T, L> {
    hub: Arc<Hub>,
    ticket: String,
    browser: String,
    look: L,
    changes: watch::Receiver<()>,
    said: Option<T>,
    next: Option<T>,
    ends_at: Instant,
}

impl<T, L, F> Feed<T, L>
where
    T: PartialEq + Serialize,
    L: Fn(Arc<Hub>, String, String) -> F,
    F: Future<Output = Result<T, Stuck>>,
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
            let look = (self.look)(Arc::clone(&self.hub), self.ticket.clone(), self.browser.clone());
            self.next = Some(look.await.ok()?);
        }
    }
}
