//! An app reports a logout.

use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Hub;
use super::caller::{Person, Proof};
use super::denied::{Denied, RequestFault};
use super::end_session::Flight;
use super::record::Done;
use super::sessions::Sight;
use crate::domain::app::App;
use crate::domain::ids::{ClientId, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{LogoutTarget, Reason, Scope, SignIn, Source};
use crate::oidc::fault::TokenFault;
use crate::store::{Report, StoreError};
use crate::telemetry;

/// How long the link that a reporting page goes on to is good for, in seconds.
const CONTINUE_TTL_SECONDS: i64 = 60;

/// What an app asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// One session, or all of the person's.
    pub scope: Scope,
    /// Why, for people.
    pub reason: Option<Reason>,
}

/// A person's own report, recorded.
pub struct Reported {
    /// What was recorded.
    pub done: Done,
    /// Where the page then navigates: a one-time link, good for a minute.
    pub continue_url: String,
}

impl Hub {
    /// A page reports that its person signs out. Whom that ends is the token's to say.
    ///
    /// # Errors
    /// [`Denied::Scope`] for `user` by a resume ticket; [`Denied::Token`] when the
    /// token is too old for what it asks; [`Denied::Request`] for `session` by a
    /// token without `sid`; [`Denied::Store`].
    pub async fn report_own_logout(self: &Arc<Self>, person: &Person, wish: Wish) -> Result<Reported, Denied> {
        self.reaches(person.proof, wish.scope)?;
        let target = own_target(&person.sign_in, wish.scope)?;
        let report = self.report(target, Source::App, Some(person.app.client_id.clone()), wish.reason);
        let (name, ticket) = self.departure(&Flight::from_report(person), CONTINUE_TTL_SECONDS);
        let end_at_issuer = Self::end_at_issuer_after_page(&report);
        let (shown, seen) = (Some(person.shown), Some(person.sign_in.clone()));
        let report = Report { shown, seen, ticket: Some(ticket), end_at_issuer, ..report };
        let done = self.recorded(report).await?;
        self.note_session(&person.sign_in, person.device.clone(), Sight::Ended);
        let continue_url = format!("{}/logout/continue?ticket={name}", self.rules.public_url.as_str());
        Ok(Reported { done, continue_url })
    }

    /// A back end reports that a session, or a person, of its issuer is signed out.
    ///
    /// # Errors
    /// [`Denied::Request`] when it does not say whom; [`Denied::Store`].
    pub async fn report_for(
        self: &Arc<Self>,
        app: &App,
        wish: Wish,
        sid: Option<Sid>,
        sub: Option<Subject>,
    ) -> Result<Done, Denied> {
        let issuer = app.issuer.clone();
        let target = match (wish.scope, sid, sub) {
            (Scope::Session, Some(sid), sub) => LogoutTarget::Session { key: SessionKey { issuer, sid }, sub },
            (Scope::User, None, Some(sub)) => LogoutTarget::User(SubjectKey { issuer, sub }),
            (Scope::User, Some(_), _) => return Err(RequestFault::UnexpectedMember.into()),
            (_, None, _) => return Err(RequestFault::NoSubject.into()),
        };
        let report = self.report(target, Source::App, Some(app.client_id.clone()), wish.reason);
        self.recorded(report).await
    }

    /// A report that begins at the hub, now. Provisional: only the issuer makes it final.
    #[must_use]
    pub fn report(
        &self,
        target: LogoutTarget,
        source: Source,
        client_id: Option<ClientId>,
        reason: Option<Reason>,
    ) -> Report {
        let now = self.clock.now();
        Report {
            source,
            means_now: matches!(source, Source::App | Source::Redirect | Source::SessionApi),
            client_id,
            reason,
            request: telemetry::request(),
            back_ends: self.back_ends.at(target.issuer()),
            end_at_issuer: self.end_at_issuer(target.issuer(), source, now),
            ..Report::new(self.new_logout_id(), target, now, self.repeat_window_seconds())
        }
    }

    /// How much later than a recorded logout a report may be and still be the same one.
    #[must_use]
    pub fn repeat_window_seconds(&self) -> i64 {
        let window = self.rules.logout_token_max_age + self.rules.clock_skew;
        i64::try_from(window.as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) fn new_logout_id(&self) -> LogoutId {
        LogoutId::new(self.clock.now(), u128::from_be_bytes(random()))
    }

    pub(super) async fn recorded(self: &Arc<Self>, report: Report) -> Result<Done, Denied> {
        // Only a logout token that was taken before ends without a logout.
        self.record_and_push(report).await?.ok_or(Denied::Store(StoreError::Stopped))
    }

    /// Signing out must not fail because a token is old; signing out everywhere
    /// takes a fresh one.
    fn reaches(&self, proof: Proof, scope: Scope) -> Result<(), Denied> {
        let expired = Err(Denied::Token(TokenFault::TokenExpired));
        match (proof, scope) {
            (Proof::IdToken, _) | (Proof::Ticket, Scope::Session) => Ok(()),
            (Proof::Ticket, Scope::User) => Err(Denied::Scope),
            (Proof::ExpiredIdToken { since }, Scope::Session) => {
                let is_recent = u64::try_from(since).unwrap_or(0) < self.rules.resume_ttl.as_secs();
                if is_recent { Ok(()) } else { expired }
            }
            (Proof::ExpiredIdToken { .. }, Scope::User) | (Proof::ExpiredTicket, _) => expired,
        }
    }
}

/// Whom a person's own logout ends.
///
/// # Errors
/// [`RequestFault::BadScope`] when the token names no session.
pub(super) fn own_target(sign_in: &SignIn, scope: Scope) -> Result<LogoutTarget, RequestFault> {
    match scope {
        Scope::User => Ok(LogoutTarget::User(sign_in.subject())),
        Scope::Session => {
            let key = sign_in.session().ok_or(RequestFault::BadScope)?;
            Ok(LogoutTarget::Session { key, sub: Some(sign_in.sub.clone()) })
        }
    }
}

/// Bytes that nobody can guess.
///
/// # Panics
/// When the operating system has no randomness: nothing safe can be done then.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A name that nobody can guess, for a one-time link: 256 bits, URL-safe.
#[must_use]
pub fn unguessable() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}
