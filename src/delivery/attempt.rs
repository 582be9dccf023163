//! One attempt: make the token, post it, write down what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{Instrument as _, Span, field};

use super::Chance;
use super::backoff;
use super::client::{Client, Reply};
use super::verdict::Verdict;
use crate::domain::app::Directory;
use crate::domain::clock::Clock;
use crate::domain::retry_after::retry_after;
use crate::domain::via::Via;
use crate::metrics::Metrics;
use crate::oidc::own_logout_token::OwnLogoutTokens;
use crate::store::{Attempt, AttemptEnd, Store, StoreError, Waiting};
use crate::tasks::Tasks;
use crate::telemetry::spans::{failed, of_logout, span};

/// How long the store is left alone after it did not write; doubles up to the second.
const WRITE_AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// What an attempt works with.
pub(super) struct Postman {
    pub(super) directory: Arc<Directory>,
    pub(super) store: Store,
    pub(super) own_tokens: Arc<OwnLogoutTokens>,
    pub(super) client: Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Chance,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tasks: Tasks,
}

impl Postman {
    /// Posts once, and writes down how it ended. When the hub stops the post is dropped,
    /// and its row is found again by the next start, or by another node at once: a back end
    /// may be told twice, and is never not told.
    pub(super) async fn deliver(&self, post: Waiting) {
        let reply = tokio::select! {
            () = self.tasks.stopping() => return self.give_back(&post).await,
            reply = self.post_in_span(&post) => reply,
        };
        let number = post.attempts.saturating_add(1);
        let end = self.end(&post, number, &reply);
        self.note(&post, number, end);
        self.write_down(Attempt { id: post.id, number, end, at: self.clock.now() }).await;
    }

    async fn post_in_span(&self, post: &Waiting) -> Reply {
        let span = span!(
            root,
            "deliver",
            otel.kind = "client",
            slo_hub.logout.id = %post.logout.id,
            slo_hub.app.client_id = post.line.client_id.as_str(),
            http.request.method = "POST",
            http.request.resend_count = post.attempts,
            http.response.status_code = field::Empty,
            server.address = field::Empty,
        );
        let span = of_logout(span, post.logout.id, post.attempts);
        let reply = self.post(post).instrument(span.clone()).await;
        match reply.verdict {
            Verdict::Taken => {}
            Verdict::Refused(_) => failed(&span, "refused"),
            Verdict::Again(_) => failed(&span, "not_delivered"),
        }
        reply
    }

    async fn give_back(&self, post: &Waiting) {
        if let Err(trouble) = self.store.give_back(post).await {
            tracing::warn!(error = %trouble, "could not give a post back; another node takes it when its lease is over");
        }
    }

    async fn post(&self, post: &Waiting) -> Reply {
        let failed = |why| Reply { verdict: Verdict::Again(why), retry_after: None };
        let app = self.directory.app(&post.line.issuer, post.line.client_id.as_str());
        let Some(uri) = app.and_then(|app| app.backchannel_logout_uri.as_ref()) else {
            return failed("the app has no back end any more");
        };
        Span::current().record("server.address", uri.host_str());
        if let Some(token) = &post.token {
            return self.client.post(uri, token.as_str()).await;
        }
        let now = self.clock.now().floor();
        match self.own_tokens.issue(&post.logout, &post.line.client_id, now) {
            Ok(token) => self.client.post(uri, &token).await,
            Err(trouble) => {
                tracing::error!(error = %trouble, logout.id = %post.logout.id, "could not sign a logout token");
                failed("the hub could not sign its token")
            }
        }
    }

    fn end(&self, post: &Waiting, number: u32, reply: &Reply) -> AttemptEnd {
        let now = self.clock.now();
        match reply.verdict {
            Verdict::Taken => AttemptEnd::Acknowledged,
            Verdict::Refused(why) => AttemptEnd::Refused(why),
            Verdict::Again(why) => {
                let asked = reply.retry_after.as_deref().and_then(|value| retry_after(value, now));
                let due_at = backoff::next_try(number, asked, (self.chance)(), now, post.good_until);
                AttemptEnd::Again { why, due_at }
            }
        }
    }

    fn note(&self, post: &Waiting, number: u32, end: AttemptEnd) {
        let (id, client_id) = (post.logout.id, post.line.client_id.as_str());
        match end {
            AttemptEnd::Acknowledged => {
                self.metrics.delivery_attempt("acknowledged");
                self.metrics.acknowledged(Via::Backchannel, id, self.clock.now());
                tracing::info!(logout.id = %id, app.client_id = client_id, attempt = number, "a back end was told");
            }
            AttemptEnd::Refused(why) => {
                self.metrics.delivery_attempt("refused");
                tracing::warn!(logout.id = %id, app.client_id = client_id, attempt = number, why, "a back end refused");
            }
            // Once is worth a warning; an app that is away for a day need not fill the log.
            AttemptEnd::Again { why, .. } if number == 1 => {
                self.metrics.delivery_attempt("failed");
                tracing::warn!(logout.id = %id, app.client_id = client_id, attempt = number, why, "a back end was not told; it is tried again");
            }
            AttemptEnd::Again { why, .. } => {
                self.metrics.delivery_attempt("failed");
                tracing::debug!(logout.id = %id, app.client_id = client_id, attempt = number, why, "a back end was not told");
            }
        }
    }

    /// Holds the post's place until it is written down, so that a store in trouble does
    /// not have the same app told over and over.
    async fn write_down(&self, attempt: Attempt) {
        let [mut pause, longest] = WRITE_AGAIN;
        loop {
            match self.store.tried(attempt.clone()).await {
                Ok(()) | Err(StoreError::Stopped) => return,
                Err(trouble) => tracing::warn!(error = %trouble, "could not write down how an attempt ended"),
            }
            tokio::select! {
                () = self.tasks.stopping() => return,
                () = sleep(pause) => pause = (pause * 2).min(longest),
            }
        }
    }
}
