//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), as sign-ins that apps show.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::claims::Claims;
use super::fault::{TokenFault, VerifyError};
use super::jose::JoseHeader;
use super::keys::Arrival;
use super::verifier::{Verifier, in_span};
use crate::domain::app::{Directory, IssuerSettings};
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{ClientId, Subject};
use crate::domain::logout::SignIn;

/// An ID token as it came off the wire. Nothing in it may be believed.
#[derive(Clone)]
pub struct RawIdToken(Box<str>);

impl RawIdToken {
    /// Takes any text.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self(raw.into())
    }

    /// Takes the rules one by one, as of the token's arrival: structure and header;
    /// signature; claims.
    ///
    /// An expired token passes, marked as such: the hub has to know whose it was. How
    /// long a token lives is no matter, for sessions are long. `nonce` and `at_hash` are
    /// for the app to check, which knows what they must be.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with the first rule that the token breaks;
    /// [`VerifyError::KeysUnavailable`] while nobody can tell.
    ///
    /// # Cancel safety
    /// Nothing is lost; a fetch of keys that has begun goes on.
    pub async fn verify(&self, verifier: &Verifier, arrival: Arrival) -> Result<IdToken, VerifyError> {
        in_span(async {
            let token = verifier.attribute(&self.0)?;
            is_typed_so(&token.jws.header)?;
            verifier.signature_holds(&token, arrival).await?;
            Ok(IdToken::read(verifier, token.issuer, Claims(&token.jws.claims), arrival)?)
        })
        .await
    }

    /// The same for a token that the hub itself was given: it is for the hub's own
    /// client `own` and for nobody else, and in date.
    ///
    /// # Errors
    /// As [`RawIdToken::verify`]; [`TokenFault::Expired`].
    pub async fn verify_own(
        &self,
        verifier: &Verifier,
        arrival: Arrival,
        own: &ClientId,
    ) -> Result<OwnIdToken, VerifyError> {
        in_span(async {
            let token = verifier.attribute(&self.0)?;
            is_typed_so(&token.jws.header)?;
            verifier.signature_holds(&token, arrival).await?;
            let claims = Claims(&token.jws.claims);
            is_for_the_hub(claims, own)?;
            let read = IdToken::read_for(verifier, token.issuer, claims, arrival, own.clone())?;
            if read.is_expired {
                return Err(TokenFault::Expired.into());
            }
            let nonce = claims.text("nonce")?.map(str::to_owned);
            Ok(OwnIdToken { sign_in: read.sign_in, nonce, claims: token.jws.claims })
        })
        .await
    }
}

impl fmt::Debug for RawIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawIdToken(…)")
    }
}

/// An ID token that has passed every rule, though it may have expired. Only
/// [`RawIdToken::verify`] makes one.
#[derive(Clone, Debug)]
pub struct IdToken {
    sign_in: SignIn,
    expires_at: UnixSeconds,
    is_expired: bool,
}

/// An ID token of the hub's own sign-in, which has passed every rule but one: whether
/// it answers the question that was asked. Only [`RawIdToken::verify_own`] makes one.
pub struct OwnIdToken {
    sign_in: SignIn,
    nonce: Option<String>,
    claims: Map<String, Value>,
}

impl OwnIdToken {
    /// Who has answered, where the token was made for the request with this `nonce`.
    #[must_use]
    pub fn answering(self, nonce: &str) -> Option<Answered> {
        let is_ours = self.nonce.as_deref() == Some(nonce);
        is_ours.then_some(Answered { sign_in: self.sign_in, claims: self.claims })
    }
}

/// A person who has signed in to the hub itself, and what their issuer says of them: an ID
/// token that has passed every rule, and answers the hub's own question. Only
/// [`OwnIdToken::answering`] makes one.
pub struct Answered {
    sign_in: SignIn,
    claims: Map<String, Value>,
}

impl Answered {
    /// Their sign-in, for the hub's own client.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Their sign-in, without the rest.
    #[must_use]
    pub fn into_sign_in(self) -> SignIn {
        self.sign_in
    }

    /// Whether the issuer gives them one of these values: the claim of that very name is one of
    /// them, or a list that holds one. A name with dots is no path, and nothing is made a text
    /// that is none.
    #[must_use]
    pub fn has(&self, claim: &str, values: &[String]) -> bool {
        let is_one = |value: &Value| value.as_str().is_some_and(|text| values.iter().any(|own| own == text));
        match self.claims.get(claim) {
            Some(Value::Array(list)) => list.iter().any(is_one),
            Some(value) => is_one(value),
            None => false,
        }
    }
}

/// What an issuer says of a person never reaches a log.
impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answered(…)")
    }
}

impl IdToken {
    pub(super) fn read(
        verifier: &Verifier,
        issuer: &IssuerSettings,
        claims: Claims<'_>,
        arrival: Arrival,
    ) -> Result<Self, TokenFault> {
        is_no_other_kind(claims)?;
        let client_id = is_for_one_app(claims, issuer, &verifier.directory)?;
        Self::read_for(verifier, issuer, claims, arrival, client_id)
    }

    fn read_for(
        verifier: &Verifier,
        issuer: &IssuerSettings,
        claims: Claims<'_>,
        arrival: Arrival,
        client_id: ClientId,
    ) -> Result<Self, TokenFault> {
        let at = verifier.moment(arrival);
        let issued_at = claims.issued_at(at)?;
        let expires_at = claims.time("exp")?.ok_or(TokenFault::ExpMissing)?;
        claims.is_valid_already(at)?;
        let sub = names_a_person(claims)?;
        let sid = claims.session()?;
        let auth_time = claims.time("auth_time")?;
        // Not the hub's to compare, but a token with such a claim of a wrong type is none.
        for name in ["nonce", "at_hash", "c_hash"] {
            claims.text(name)?;
        }
        let sign_in = SignIn { issuer: issuer.issuer.clone(), client_id, sub, sid, issued_at, auth_time };
        Ok(Self { sign_in, expires_at, is_expired: at.is_after(expires_at) })
    }

    /// Who signed in to which app, and when.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Its `exp`.
    #[must_use]
    pub fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    /// Whether it had expired when it arrived.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.is_expired
    }
}

/// `typ` is absent or `JWT`. A token that says of itself that it is a logout token is
/// told what it is not, rather than that its type is wrong.
fn is_typed_so(header: &JoseHeader) -> Result<(), TokenFault> {
    if header.is_typed(&["logout+jwt", "application/logout+jwt"], false).is_ok() {
        return Err(TokenFault::NotAnIdToken);
    }
    header.is_typed(&["JWT"], true)
}

/// Logout tokens have `events`. Access tokens have no mark that all issuers agree on,
/// so whatever is only found in them counts.
fn is_no_other_kind(claims: Claims<'_>) -> Result<(), TokenFault> {
    let says = |name: &str, word: &str| {
        claims.get(name).and_then(Value::as_str).is_some_and(|value| value.eq_ignore_ascii_case(word))
    };
    let is_other = ["events", "scope", "scp", "gty"].iter().any(|name| claims.has(name))
        || says("token_use", "access")
        || says("typ", "Bearer");
    if is_other { Err(TokenFault::NotAnIdToken) } else { Ok(()) }
}

/// `aud` is one configured app; or several, and `azp` says which of them the token was
/// made for. An `azp` beside one `aud` must be that one. The hub's own client is no app.
fn is_for_one_app(claims: Claims<'_>, issuer: &IssuerSettings, directory: &Directory) -> Result<ClientId, TokenFault> {
    let audiences: BTreeSet<_> = claims.audiences()?.into_iter().collect();
    let only = if audiences.len() == 1 { audiences.first().copied() } else { None };
    let wanted = claims.text("azp")?.or(only).ok_or(TokenFault::AudNotAllowed)?;
    let all_ours = audiences.iter().all(|name| directory.app(&issuer.issuer, name).is_some());
    if !all_ours || !audiences.contains(wanted) {
        return Err(TokenFault::AudNotAllowed);
    }
    ClientId::parse(wanted).map_err(|_| TokenFault::AudNotAllowed)
}

/// `aud` is the hub's own client and nobody else, and so is an `azp`.
fn is_for_the_hub(claims: Claims<'_>, own: &ClientId) -> Result<(), TokenFault> {
    let is_own = |name: &str| name == own.as_str();
    let is_ours = claims.audiences()?.into_iter().all(is_own) && claims.text("azp")?.is_none_or(is_own);
    if is_ours { Ok(()) } else { Err(TokenFault::AudNotAllowed) }
}

fn names_a_person(claims: Claims<'_>) -> Result<Subject, TokenFault> {
    claims.subject()?.ok_or(TokenFault::NoSubject)
}
