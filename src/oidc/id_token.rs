//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), as sign-ins that apps show.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::claims::Claims;
use super::fault::{TokenFault, VerifyError};
use super::keys::Arrival;
use super::verifier::Verifier;
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
        let token = verifier.attribute(&self.0)?;
        token.jws.header.is_typed(&["JWT"], true)?;
        verifier.signature_holds(&token, arrival).await?;
        Ok(IdToken::read(verifier, token.issuer, Claims(&token.jws.claims), arrival)?)
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

impl IdToken {
    fn read(
        verifier: &Verifier,
        issuer: &IssuerSettings,
        claims: Claims<'_>,
        arrival: Arrival,
    ) -> Result<Self, TokenFault> {
        let at = verifier.moment(arrival);
        is_no_other_kind(claims)?;
        let client_id = is_for_one_app(claims, issuer, &verifier.directory)?;
        let issued_at = claims.issued_at(at)?;
        let expires_at = claims.time("exp")?.ok_or(TokenFault::ExpMissing)?;
        claims.is_valid_already(at)?;
        let sub = names_a_person(claims)?;
        let sid = claims.session()?;
        let auth_time = claims.time("auth_time")?;
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

fn names_a_person(claims: Claims<'_>) -> Result<Subject, TokenFault> {
    claims.subject()?.ok_or(TokenFault::NoSubject)
}
