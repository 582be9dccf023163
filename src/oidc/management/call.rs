//! One call: leave for it, the token, the request, what its answer means, and what that says
//! of the API's health.

use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, field};

use super::Management;
use super::breaker::{Breaker, Health, Permit};
use super::fault::{ManagementFault, Scope};
use super::token::Access;
use super::wire::{Answer, Heard};
use crate::domain::clock::UnixMillis;
use crate::telemetry::spans::{failed, step};

const TOO_LATE: ManagementFault =
    ManagementFault::Unavailable("the issuer's Management API did not finish its list in time");

/// Until when a call is waited for.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// As long as each of its requests may take.
    Requests,
    /// Until the work has taken too long. An API that does not do it in that time is ill.
    Work(Instant),
    /// Until whoever asks gives up. An API may be too slow for them and well for others.
    Patience(Instant),
}

impl Management {
    pub(super) async fn ask<T>(
        &self,
        access: Access,
        scope: Scope,
        request: impl Fn() -> RequestBuilder,
        read: impl FnOnce(Heard) -> Result<T, ManagementFault>,
    ) -> Result<T, ManagementFault> {
        self.ask_within(Limit::Requests, access, scope, request, read).await
    }

    pub(super) async fn ask_within<T>(
        &self,
        limit: Limit,
        access: Access,
        scope: Scope,
        request: impl Fn() -> RequestBuilder,
        read: impl FnOnce(Heard) -> Result<T, ManagementFault>,
    ) -> Result<T, ManagementFault> {
        let hurried = match limit {
            Limit::Patience(_) => Some(self.leave(&self.hurried)?),
            Limit::Requests | Limit::Work(_) => None,
        };
        let permit = self.leave(&self.breaker)?;
        let heard = self.heard(access, scope, request);
        let heard = match limit {
            Limit::Requests => Ok(heard.await),
            Limit::Work(until) | Limit::Patience(until) => timeout_at(until, heard).await,
        };
        let now = self.clock.uptime();
        if let Some(hurried) = hurried {
            match heard {
                // The other permit is dropped: of the API itself nothing is known.
                Err(_) => {
                    hurried.ended(Health::Ill, now);
                    return Err(TOO_LATE);
                }
                Ok(Ok(_)) => hurried.ended(Health::Well, now),
                // What the API has said itself is for everybody to heed.
                Ok(Err(_)) => {}
            }
        }
        let outcome = heard.unwrap_or(Err(TOO_LATE)).and_then(read);
        let health = match &outcome {
            Err(ManagementFault::RateLimited { until }) => Health::WantsTime(self.until(*until)),
            Err(fault) if fault.is_trouble() => Health::Ill,
            Ok(_) | Err(_) => Health::Well,
        };
        permit.ended(health, now);
        outcome
    }

    fn leave<'a>(&self, breaker: &'a Breaker) -> Result<Permit<'a>, ManagementFault> {
        let permit = breaker.admit(self.clock.uptime());
        permit.map_err(|until| ManagementFault::Resting { until: self.moment(until) })
    }

    async fn heard(
        &self,
        access: Access,
        scope: Scope,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Heard, ManagementFault> {
        let token = self.tokens.get(&self.wire, access).await?;
        let sent = self.sent(request().bearer_auth(token.reveal())).await?;
        if sent.status != 401 {
            return sent.heard(scope, self.clock.now());
        }
        self.tokens.drop_token(access, &token).await;
        let token = self.tokens.get(&self.wire, access).await?;
        let sent = self.sent(request().bearer_auth(token.reveal())).await?;
        if sent.status == 401 {
            self.tokens.drop_token(access, &token).await;
        }
        sent.heard(scope, self.clock.now())
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Answer, ManagementFault> {
        let asking = step!("Management API", otel.kind = "client", http.response.status_code = field::Empty);
        let sent = self.wire.send(request, self.clock.now()).instrument(asking.clone()).await;
        sent.inspect_err(|fault| failed(&asking, fault.code()))
    }

    fn until(&self, moment: UnixMillis) -> Duration {
        Duration::from_millis(u64::try_from(moment.0 - self.clock.now().0).unwrap_or(0))
    }
}
