//! An issuer tells the hub that a session, or a person's every session, has ended
//! (Back-Channel Logout 1.0).

use std::sync::Arc;

use super::Hub;
use super::denied::Denied;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::digest::sha256;
use crate::domain::logout::Source;
use crate::oidc::fault::{TokenFault, VerifyError};
use crate::oidc::keys::Arrival;
use crate::oidc::logout_token::{LogoutToken, RawLogoutToken};
use crate::store::{Parked, ParkedToken, PassOn, Report, TokenUse};
use crate::telemetry;

/// How long an attempt to pass a token on may have to wait for its turn, and take.
const ONE_ATTEMPT_SECONDS: i64 = 10;

impl Hub {
    /// Takes a logout token. When the issuer's keys cannot be had, the token is kept
    /// on disk and judged, as of its arrival, as soon as they come; the caller is told
    /// to come back all the same, because nothing is acknowledged yet.
    ///
    /// # Errors
    /// [`Denied::Token`] for the first rule the token breaks,
    /// [`Denied::KeysUnavailable`] and [`Denied::Store`] for our own trouble.
    pub async fn receive_logout_token(self: &Arc<Self>, raw: &str) -> Result<(), Denied> {
        let raw = RawLogoutToken::new(raw);
        let arrival = self.keys.arrival();
        match raw.verify(&self.verifier, arrival).await {
            Ok(token) => self.take(&token).await,
            Err(VerifyError::Refused(fault)) => Err(Denied::Token(fault)),
            Err(VerifyError::KeysUnavailable) => Err(self.park(&raw, arrival).await),
        }
    }

    async fn take(self: &Arc<Self>, token: &LogoutToken) -> Result<(), Denied> {
        let now = self.clock.now();
        let report = Report {
            source: Source::Backchannel,
            is_final: true,
            covers_until: token.issued_at(),
            occurred_at: token.issued_at().into(),
            token: Some(TokenUse {
                jti: token.jti().clone(),
                digest: token.digest(),
                expires_at: self.replayable_until(token),
            }),
            shown: Some(sha256(token.raw().as_bytes())),
            request: telemetry::request(),
            back_ends: self.back_ends.at(token.issuer()),
            pass_on: self.pass_on(token),
            ..Report::new(self.new_logout_id(), token.target(), now, self.repeat_window_seconds())
        };
        self.record_and_push(report).await.map(|_| ())
    }

    /// The token itself, where an app takes it at its back end.
    fn pass_on(&self, token: &LogoutToken) -> Option<PassOn> {
        let wanted = self.back_ends.take_issuers_tokens(token.issuer(), token.audiences());
        let max_age = i64::try_from(self.rules.logout_token_max_age.as_secs()).unwrap_or(i64::MAX);
        wanted.then(|| PassOn {
            token: RawLogoutToken::new(token.raw()),
            audiences: token.audiences().to_vec(),
            good_until: self.good_until(token.expires_at().unwrap_or_else(|| token.issued_at().plus(max_age))),
        })
    }

    /// A token whose end is only just past, by the hub's clock, was taken all the same,
    /// since clocks differ. So its app is told too: at least once.
    fn good_until(&self, end: UnixSeconds) -> UnixMillis {
        let skew = i64::try_from(self.rules.clock_skew.as_secs()).unwrap_or(i64::MAX);
        let end = UnixMillis::from(end);
        self.clock.now().plus_seconds(ONE_ATTEMPT_SECONDS).min(end.plus_seconds(skew)).max(end)
    }

    /// Up to when the same token could pass verification again.
    fn replayable_until(&self, token: &LogoutToken) -> UnixSeconds {
        let by_age = token.issued_at().plus(self.repeat_window_seconds());
        let skew = i64::try_from(self.rules.clock_skew.as_secs()).unwrap_or(i64::MAX);
        token.expires_at().map_or(by_age, |exp| exp.plus(skew).max(by_age))
    }

    /// Keeps a token for later; says what its sender is to be told.
    async fn park(&self, raw: &RawLogoutToken, arrival: Arrival) -> Denied {
        if !raw.worth_waiting_for(&self.verifier, arrival) {
            return Denied::KeysUnavailable;
        }
        let Some(issuer) = raw.claimed_issuer(&self.directory) else { return Denied::KeysUnavailable };
        let token =
            ParkedToken { issuer, digest: raw.digest(), token: raw.as_str().to_owned(), arrived_at: arrival.at };
        match self.store.park(token).await {
            Ok(Parked::Judged(code)) => Denied::Token(TokenFault::from_code(&code).unwrap_or(TokenFault::KidInvalid)),
            Ok(Parked::Kept | Parked::AlreadyParked { .. }) => Denied::KeysUnavailable,
            Ok(Parked::Full) => {
                tracing::warn!("no room to keep another logout token whose keys cannot be had");
                Denied::KeysUnavailable
            }
            Err(error) => Denied::Store(error),
        }
    }

    /// Judges every parked token, each as of its arrival. Those whose keys still
    /// cannot be had stay.
    pub async fn judge_parked(self: &Arc<Self>) {
        let Ok(parked) = self.store.parked(None).await else { return };
        self.metrics.parked(parked.len());
        for one in parked {
            let arrival = self.keys.arrival_of_parked(one.arrived_at);
            let verdict = match RawLogoutToken::new(&one.token).verify(&self.verifier, arrival).await {
                Ok(token) => match self.take(&token).await {
                    Ok(()) => None,
                    Err(Denied::Token(fault)) => Some(fault),
                    Err(_) => continue,
                },
                Err(VerifyError::Refused(fault)) => Some(fault),
                Err(VerifyError::KeysUnavailable) => continue,
            };
            if let Some(fault) = verdict {
                self.metrics.rejected("backchannel_logout", fault.code());
                tracing::warn!(code = fault.code(), "refused a logout token that had waited for its keys");
            }
            let settled = self.store.settle_parked(one.digest, verdict.map(TokenFault::code), self.clock.now()).await;
            if let Err(error) = settled {
                tracing::error!(error = %error, "could not put a judged logout token away");
            }
        }
    }
}
