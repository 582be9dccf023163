//! To an issuer and back, for who signs in to the hub itself: to its pages, or to the console.
//!
//! The hub asks the issuer as a client of its own. Nothing is kept of a browser that goes
//! there: anybody can send one. What the hub has to know again when it comes back, it makes
//! again out of its key, the browser's own secret and the name in `state`; only who comes
//! back signed in costs a row, and that uses the name up. So do a few answers that do not
//! hold, which are counted in memory: the issuer has to be asked about each.

use std::time::Duration;

use url::Url;

use super::Hub;
use super::ask_who::Reply;
use super::denied::Denied;
use super::flight::{FLIGHT_TTL_SECONDS, Leg, Stuck};
use super::report_logout::unguessable;
use super::seal::Purpose;
use super::tries::Tries;
use crate::domain::ids::Issuer;
use crate::oidc::code_flow::{Prompt, Question};
use crate::oidc::id_token::Answered;

/// How many answers to one question are taken to the issuer. A code is good once; what comes
/// beyond a reload or two, while the issuer is in trouble, was made up.
const ANSWERS_PER_QUESTION: u32 = 3;

/// The count of answers, for as long as a question can be answered.
#[must_use]
pub fn own_answers() -> Tries {
    Tries::new(ANSWERS_PER_QUESTION, Duration::from_secs(FLIGHT_TTL_SECONDS.unsigned_abs()))
}

/// Why a person could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInFault {
    /// The answer is to no question of this browser's, or has been taken.
    #[error("the answer is not this browser's, or was used")]
    NotThisBrowsers,
    /// The issuer cannot be asked, or gave no answer that holds.
    #[error("the issuer gave no answer that holds")]
    Issuer,
    /// The person did not sign in there.
    #[error("the person did not sign in")]
    Declined,
    /// Somebody else signed in than who was to prove who they are.
    #[error("somebody else signed in")]
    SomebodyElse,
    /// The issuer did not ask the person again.
    #[error("the sign-in is an old one")]
    NotFresh,
    /// Our own trouble.
    #[error(transparent)]
    Hub(#[from] Denied),
}

/// What a person signs in to. Who was sent to the issuer from one comes back through no other.
pub(super) struct Door {
    /// What a `state` of it is sealed for.
    pub(super) purpose: Purpose,
    /// Where the issuer sends browsers back to: registered there.
    pub(super) callback_url: String,
}

/// What a browser that comes back was asked.
pub(super) struct Asked {
    name: String,
    issuer: Issuer,
    question: Question,
}

impl Hub {
    /// Where the browser goes to sign in. Only this browser can come back from there.
    pub(super) async fn send_to_sign_in(
        &self,
        door: &Door,
        issuer: &Issuer,
        browser: &str,
        prompt: Prompt,
    ) -> Result<Url, SignInFault> {
        let name = unguessable();
        let seal = self.seal.put(door.purpose, browser, &asked_at(&name, issuer), self.back_by());
        let question = self.own_question(&name, browser);
        self.ask_to_sign_in(door, issuer, format!("{name}.{seal}"), prompt, &question).await
    }

    /// The same, with a `state` and a question that the caller knows again.
    pub(super) async fn ask_to_sign_in(
        &self,
        door: &Door,
        issuer: &Issuer,
        state: String,
        prompt: Prompt,
        question: &Question,
    ) -> Result<Url, SignInFault> {
        let settings = self.directory.issuer(issuer.as_str()).ok_or(SignInFault::Issuer)?;
        let asked = self.code_flow.ask(settings, &door.callback_url, state, prompt, question).await;
        asked.map_err(|error| {
            tracing::warn!(error = %error, issuer = issuer.as_str(), "could not send a person to sign in");
            SignInFault::Issuer
        })
    }

    /// The question of that name: the same again when the browser comes back.
    fn own_question(&self, name: &str, browser: &str) -> Question {
        let secret = |made_for| self.seal.secret(made_for, browser, name);
        Question::of(secret("pkce verifier"), secret("nonce"))
    }

    /// What this browser was asked, and at which of these issuers, where it was sent there from
    /// this door with that `state`.
    pub(super) fn asked(&self, door: &Door, state: &str, browser: &str, issuers: Vec<Issuer>) -> Option<Asked> {
        let now = self.clock.now().floor();
        let (name, seal) = state.split_once('.')?;
        let is_asked = |issuer: &Issuer| self.seal.holds(seal, door.purpose, browser, &asked_at(name, issuer), now);
        let issuer = issuers.into_iter().find(is_asked)?;
        Some(Asked { name: name.to_owned(), issuer, question: self.own_question(name, browser) })
    }

    /// Who the browser is signed in as, by the answer that it brings. An answer is taken once.
    pub(super) async fn answer_to(&self, door: &Door, asked: Asked, reply: Reply) -> Result<Answered, SignInFault> {
        let Asked { name, issuer, question } = asked;
        self.is_untaken(&name).await?;
        let code = code_from(&issuer, reply)?;
        if !self.own_answers.allow(&name, self.clock.uptime()) {
            return Err(SignInFault::NotThisBrowsers);
        }
        let answered = self.redeem(door, &issuer, question, code).await?;
        self.take_once(&name).await?;
        Ok(answered)
    }

    /// Has the issuer say for whom it gave the code.
    pub(super) async fn redeem(
        &self,
        door: &Door,
        issuer: &Issuer,
        question: Question,
        code: String,
    ) -> Result<Answered, SignInFault> {
        let settings = self.directory.issuer(issuer.as_str()).ok_or(SignInFault::Issuer)?;
        let answered = self.code_flow.answer(settings, &door.callback_url, question, code).await;
        answered.map_err(|error| {
            tracing::warn!(error = %error, issuer = issuer.as_str(), "could not sign a person in");
            SignInFault::Issuer
        })
    }

    /// Whoever reloads the page that they came back to has nothing to ask the issuer.
    async fn is_untaken(&self, name: &str) -> Result<(), SignInFault> {
        match self.look_at::<()>(Leg::OwnSignInTaken, name).await {
            Ok(()) => Err(SignInFault::NotThisBrowsers),
            Err(Stuck::NoFlight) => Ok(()),
            Err(stuck) => Err(hub_fault(stuck)),
        }
    }

    /// A `state` signs in once, though its browser may hold several codes for it.
    async fn take_once(&self, name: &str) -> Result<(), SignInFault> {
        let mark = self.ticket(name, Leg::OwnSignInTaken, &(), FLIGHT_TTL_SECONDS);
        let is_first = self.store.use_up(mark).await.map_err(Denied::Store)?;
        if is_first { Ok(()) } else { Err(SignInFault::NotThisBrowsers) }
    }
}

/// The code that an issuer sent a browser back with (`iss`: RFC 9207).
pub(super) fn code_from(issuer: &Issuer, reply: Reply) -> Result<String, SignInFault> {
    if reply.iss.is_some_and(|iss| iss != issuer.as_str()) {
        return Err(SignInFault::NotThisBrowsers);
    }
    reply.code.ok_or(SignInFault::Declined)
}

/// What `state` is sealed for: a name, and the issuer that was asked.
fn asked_at(name: &str, issuer: &Issuer) -> String {
    format!("{name}\n{}", issuer.as_str())
}

/// What the flights' cupboard says, for someone who signs in.
pub(super) fn hub_fault(stuck: Stuck) -> SignInFault {
    match stuck {
        Stuck::Hub(denied) => SignInFault::Hub(denied),
        _ => SignInFault::NotThisBrowsers,
    }
}
