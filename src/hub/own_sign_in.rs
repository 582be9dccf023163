//! The hub's own pages about a person: signing in to them, staying signed in, and
//! proving once more who one is before something is ended.
//!
//! The way to the issuer and back is in [`super::own_questions`]. What comes of it is kept in the store under a name that only the browser's cookie holds,
//! and counts for as long as the session it came from: every request asks the facts.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::Hub;
use super::ask_who::Reply;
use super::denied::Denied;
use super::flight::Leg;
use super::my_sessions::Which;
use super::own_questions::{Door, SignInFault, code_from, hub_fault};
use super::report_logout::unguessable;
use super::seal::Purpose;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::digest::sha256;
use crate::domain::ids::{ClientId, InvalidId, Issuer, Sid, Subject};
use crate::domain::logout::SignIn;
use crate::oidc::code_flow::{Prompt, Question};
use crate::store::NewTicket;

/// How long a person stays signed in to the hub's pages at most, in seconds.
pub const OWN_LIFE_SECONDS: i64 = 8 * 3600;
/// How long they stay signed in without doing anything, in seconds.
const OWN_IDLE_SECONDS: i64 = 30 * 60;
/// How often it is written down, at most, that they are still there, in seconds.
const NOTED_EVERY_SECONDS: i64 = 60;
/// How long after a person proved who they are they may end sessions (ASVS 7.5.2), in
/// seconds.
pub const FRESH_SECONDS: i64 = 300;

/// A person who is signed in to the hub's pages.
pub struct SignedIn {
    /// Their sign-in, for the hub's own client.
    pub sign_in: SignIn,
    /// What only their browser knows.
    name: String,
}

/// What opens a page never reaches a log.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedIn(…)")
    }
}

impl SignedIn {
    /// What forms on their pages are sealed for.
    #[must_use]
    pub fn browser(&self) -> &str {
        &self.name
    }
}

/// Why a page about a person is not shown.
#[derive(Debug, thiserror::Error)]
pub enum NotIn {
    /// Nobody is signed in here, or not any more.
    #[error("nobody is signed in")]
    Nobody,
    /// The session that they signed in from is over.
    #[error("the session is over")]
    Over,
    /// Our own trouble.
    #[error(transparent)]
    Hub(#[from] Denied),
}

/// A person who has just signed in.
pub struct Arrival {
    /// For their browser's cookie.
    pub cookie: String,
    /// What they wanted to end, and proved who they are for.
    pub wish: Option<Which>,
}

/// Somebody who is at the issuer, to prove who they are.
#[derive(Serialize, Deserialize)]
struct Proving {
    issuer: String,
    question: Question,
    sub: String,
    wish: Which,
}

/// A sign-in as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    issuer: String,
    client_id: String,
    sub: String,
    sid: Option<String>,
    issued_at: i64,
    auth_time: Option<i64>,
    /// Unix milliseconds.
    ends_at: i64,
}

impl Hub {
    /// The issuers at which a person can sign in to the hub's pages, by their host.
    #[must_use]
    pub fn own_issuers(&self) -> Vec<Issuer> {
        let with_client = self.directory.issuers().filter(|settings| settings.client.is_some());
        let mut issuers: Vec<_> = with_client.map(|settings| settings.issuer.clone()).collect();
        issuers.sort_by_key(Issuer::host);
        issuers
    }

    /// Where the browser goes to sign in. Only this browser can come back from there.
    ///
    /// # Errors
    /// [`SignInFault::Issuer`] where the issuer cannot be asked; [`SignInFault::Hub`].
    pub async fn begin_own_sign_in(&self, issuer: &Issuer, browser: &str) -> Result<Url, SignInFault> {
        self.send_to_sign_in(&self.own_pages(), issuer, browser, Prompt::IfNeeded).await
    }

    /// The same for a person who is signed in and has to prove it, before something is
    /// ended.
    ///
    /// # Errors
    /// As [`Hub::begin_own_sign_in`].
    pub async fn prove_again(&self, who: &SignedIn, wish: Which, browser: &str) -> Result<Url, SignInFault> {
        let (name, question) = (unguessable(), Question::random());
        let state = self.seal.state(Purpose::ProveAgain, browser, &name, self.back_by());
        let issuer = &who.sign_in.issuer;
        let url = self.ask_to_sign_in(&self.own_pages(), issuer, state, Prompt::Again, &question).await?;
        let (issuer, sub) = (issuer.as_str().to_owned(), who.sign_in.sub.as_str().to_owned());
        let proving = Proving { issuer, question, sub, wish };
        self.keep_as(&name, Leg::ProveAgain, &proving).await.map_err(hub_fault)?;
        Ok(url)
    }

    /// Takes the browser back from the issuer. `old` is the cookie that it had, which
    /// then opens nothing any more.
    ///
    /// # Errors
    /// [`SignInFault`].
    pub async fn finish_own_sign_in(
        &self,
        reply: Reply,
        browser: &str,
        old: Option<&str>,
    ) -> Result<Arrival, SignInFault> {
        let door = self.own_pages();
        let (sign_in, wish) = match self.asked(&door, &reply.state, browser, self.own_issuers()) {
            Some(asked) => (self.answer_to(&door, asked, reply).await?.into_sign_in(), None),
            None => self.proved(&door, reply, browser).await?,
        };
        if let Some(old) = old {
            self.forget_own_sign_in(old).await?;
        }
        Ok(Arrival { cookie: self.keep_own_sign_in(&sign_in).await?, wish })
    }

    /// A person who comes back having proved who they are.
    async fn proved(&self, door: &Door, reply: Reply, browser: &str) -> Result<(SignIn, Option<Which>), SignInFault> {
        let name = self.seal.name_in(&reply.state, Purpose::ProveAgain, browser, self.clock.now().floor());
        let name = name.ok_or(SignInFault::NotThisBrowsers)?;
        let Proving { issuer, question, sub, wish } = self.take_kept(Leg::ProveAgain, name).await.map_err(hub_fault)?;
        let issuer = Issuer::parse(&issuer).map_err(|_| SignInFault::NotThisBrowsers)?;
        let code = code_from(&issuer, reply)?;
        let sign_in = self.redeem(door, &issuer, question, code).await?.into_sign_in();
        if sub != sign_in.sub.as_str() {
            return Err(SignInFault::SomebodyElse);
        }
        if self.is_fresh(&sign_in) { Ok((sign_in, Some(wish))) } else { Err(SignInFault::NotFresh) }
    }

    /// Who is signed in with that cookie; that they are there keeps them signed in.
    ///
    /// # Errors
    /// [`NotIn`].
    pub async fn signed_in(&self, cookie: &str) -> Result<SignedIn, NotIn> {
        let now = self.clock.now();
        let (digest, kind) = (sha256(cookie.as_bytes()), Leg::OwnSession.as_str());
        let found = self.store.peek_ticket(digest, kind, now).await.map_err(Denied::Store)?;
        let ticket = found.ok_or(NotIn::Nobody)?;
        let kept: Kept = serde_json::from_str(&ticket.payload).map_err(|_| NotIn::Nobody)?;
        let ends_at = UnixMillis(kept.ends_at);
        let sign_in = SignIn::try_from(kept).map_err(|_| NotIn::Nobody)?;
        if self.directory.issuer(sign_in.issuer.as_str()).is_none_or(|settings| settings.client.is_none()) {
            return Err(NotIn::Nobody);
        }
        if self.is_over(&sign_in).await? {
            return Err(NotIn::Over);
        }
        let until = now.plus_seconds(OWN_IDLE_SECONDS).min(ends_at);
        if until > ticket.expires_at.plus_seconds(NOTED_EVERY_SECONDS) {
            self.store.extend_ticket(digest, kind, now, until).await.map_err(Denied::Store)?;
        }
        Ok(SignedIn { sign_in, name: cookie.to_owned() })
    }

    /// Whether a person proved who they are a short while ago, as far as the issuer
    /// says.
    #[must_use]
    pub fn is_fresh(&self, sign_in: &SignIn) -> bool {
        let skew = i64::try_from(self.rules.clock_skew.as_secs()).unwrap_or(i64::MAX);
        let age = sign_in.auth_time.map(|at| self.clock.now().floor().0 - at.0);
        // A time ahead of ours would be fresh for too long.
        age.is_some_and(|age| (-skew..=FRESH_SECONDS).contains(&age))
    }

    /// Has a cookie open nothing any more.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn forget_own_sign_in(&self, cookie: &str) -> Result<(), Denied> {
        let digest = sha256(cookie.as_bytes());
        Ok(self.store.take_ticket(digest, Leg::OwnSession.as_str(), self.clock.now()).await.map(|_| ())?)
    }

    async fn keep_own_sign_in(&self, sign_in: &SignIn) -> Result<String, Denied> {
        let now = self.clock.now();
        let cookie = unguessable();
        let kept = Kept::of(sign_in, now.plus_seconds(OWN_LIFE_SECONDS));
        let ticket = NewTicket {
            digest: sha256(cookie.as_bytes()),
            kind: Leg::OwnSession.as_str(),
            payload: serde_json::to_string(&kept).unwrap_or_default(),
            expires_at: now.plus_seconds(OWN_IDLE_SECONDS),
        };
        self.store.add_ticket(ticket).await?;
        Ok(cookie)
    }

    fn own_pages(&self) -> Door {
        let callback_url = format!("{}/sessions/callback", self.rules.public_url.as_str());
        Door { purpose: Purpose::OwnSignIn, callback_url }
    }
}

impl Kept {
    fn of(sign_in: &SignIn, ends_at: UnixMillis) -> Self {
        Self {
            issuer: sign_in.issuer.as_str().to_owned(),
            client_id: sign_in.client_id.as_str().to_owned(),
            sub: sign_in.sub.as_str().to_owned(),
            sid: sign_in.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            issued_at: sign_in.issued_at.0,
            auth_time: sign_in.auth_time.map(|at| at.0),
            ends_at: ends_at.0,
        }
    }
}

/// What was verified before it was kept.
impl TryFrom<Kept> for SignIn {
    type Error = InvalidId;

    fn try_from(kept: Kept) -> Result<Self, InvalidId> {
        Ok(Self {
            issuer: Issuer::parse(&kept.issuer)?,
            client_id: ClientId::parse(&kept.client_id)?,
            sub: Subject::parse(&kept.sub)?,
            sid: kept.sid.as_deref().map(Sid::parse).transpose()?,
            issued_at: UnixSeconds(kept.issued_at),
            auth_time: kept.auth_time.map(UnixSeconds),
        })
    }
}
