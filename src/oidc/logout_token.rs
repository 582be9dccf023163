//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::claims::{Claims, Moment};
use super::fault::{TokenFault, VerifyError};
use super::jose::{JoseHeader, UnverifiedJws};
use super::keys::Arrival;
use super::verifier::{Verifier, in_span, is_signed, issuer_is_configured};
use crate::domain::app::{Directory, IssuerSettings};
use crate::domain::clock::UnixSeconds;
use crate::domain::digest::sha256;
use crate::domain::ids::{ClientId, Issuer, Jti, SessionKey, SubjectKey};
use crate::domain::logout::LogoutTarget;

/// The member of `events` that makes a token a logout token.
pub(super) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How far ahead an `exp` may lie, in seconds.
const LIFETIME_MAX_SECONDS: i64 = 24 * 60 * 60;

/// A logout token as it came off the wire. Nothing in it may be believed.
#[derive(Clone)]
pub struct RawLogoutToken(Box<str>);

impl RawLogoutToken {
    /// Takes any text.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self(raw.into())
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the whole text, its signature included: a name for this very text,
    /// which nobody can take who does not hold it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// The configured issuer that the token claims to be from.
    #[must_use]
    pub fn claimed_issuer(&self, directory: &Directory) -> Option<Issuer> {
        let jws = UnverifiedJws::read(&self.0).ok()?;
        issuer_is_configured(directory, Claims(&jws.claims)).ok().map(|settings| settings.issuer.clone())
    }

    /// Takes the rules one by one, as of the token's arrival: structure and header;
    /// signature; claims.
    ///
    /// Not among them is that a `jti` counts once, for which somebody has to remember.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with the first rule that the token breaks;
    /// [`VerifyError::KeysUnavailable`] while nobody can tell.
    ///
    /// # Cancel safety
    /// Nothing is lost; a fetch of keys that has begun goes on.
    pub async fn verify(&self, verifier: &Verifier, arrival: Arrival) -> Result<LogoutToken, VerifyError> {
        in_span(async {
            let token = verifier.attribute(&self.0)?;
            is_typed_as_logout_token(&token.jws.header, token.issuer)?;
            verifier.signature_holds(&token, arrival).await?;
            let claims = LogoutClaims::read(verifier, token.issuer, Claims(&token.jws.claims), arrival)?;
            Ok(LogoutToken { raw: self.0.clone(), digest: sha256(token.jws.signing_input.as_bytes()), claims })
        })
        .await
    }

    /// Whether everything but the signature is as it must be, so that it is worth
    /// keeping the token until the issuer's keys can be had.
    #[must_use]
    pub fn worth_waiting_for(&self, verifier: &Verifier, arrival: Arrival) -> bool {
        let judge = || {
            let token = verifier.attribute(&self.0)?;
            is_typed_as_logout_token(&token.jws.header, token.issuer)?;
            is_signed(&token)?;
            LogoutClaims::read(verifier, token.issuer, Claims(&token.jws.claims), arrival)
        };
        judge().is_ok()
    }
}

impl fmt::Debug for RawLogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawLogoutToken(…)")
    }
}

/// A logout token that has passed every rule. Only [`RawLogoutToken::verify`] makes one.
#[derive(Clone)]
pub struct LogoutToken {
    raw: Box<str>,
    digest: [u8; 32],
    claims: LogoutClaims,
}

impl LogoutToken {
    /// Who says so.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        self.claims.target.issuer()
    }

    /// For whom the token was made: apps of the issuer, or the hub's own client there.
    #[must_use]
    pub fn audiences(&self) -> &[ClientId] {
        &self.claims.audiences
    }

    /// Whom it signs out. With a `sid` it is that session, also when there is a `sub`;
    /// with a `sub` alone, every session of that person.
    #[must_use]
    pub fn target(&self) -> LogoutTarget {
        self.claims.target.clone()
    }

    /// Its `iat`.
    #[must_use]
    pub fn issued_at(&self) -> UnixSeconds {
        self.claims.issued_at
    }

    /// Its `exp`; `None` only where the issuer's tokens may lack it.
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixSeconds> {
        self.claims.expires_at
    }

    /// Its own name: with its issuer's, that of one logout token only.
    #[must_use]
    pub fn jti(&self) -> &Jti {
        &self.claims.jti
    }

    /// SHA-256 of header and claims: the same for the same token, however often signed.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The token as it came, to be passed on byte for byte.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }
}

impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogoutToken(…)")
    }
}

/// What a logout token says, once its claims have passed every rule.
#[derive(Clone)]
pub(super) struct LogoutClaims {
    audiences: Vec<ClientId>,
    issued_at: UnixSeconds,
    expires_at: Option<UnixSeconds>,
    jti: Jti,
    target: LogoutTarget,
}

impl LogoutClaims {
    pub(super) fn read(
        verifier: &Verifier,
        issuer: &IssuerSettings,
        claims: Claims<'_>,
        arrival: Arrival,
    ) -> Result<Self, TokenFault> {
        let at = verifier.moment(arrival);
        let audiences = is_for_our_apps(claims, issuer, &verifier.directory)?;
        let issued_at = is_recent(claims, at, verifier.rules.logout_token_max_age_seconds)?;
        let expires_at = is_in_date(claims, at, issuer)?;
        claims.is_valid_already(at)?;
        is_about_a_logout(claims)?;
        has_no_nonce(claims)?;
        let jti = has_a_name(claims)?;
        let target = names_someone(claims, issuer)?;
        is_authorized_for_an_app(claims, issuer, &verifier.directory)?;
        Ok(Self { audiences, issued_at, expires_at, jti, target })
    }
}

/// `typ` may be absent, since the specification only recommends it; where the issuer is
/// known to send it, it can be demanded.
fn is_typed_as_logout_token(header: &JoseHeader, issuer: &IssuerSettings) -> Result<(), TokenFault> {
    const OWN: [&str; 2] = ["logout+jwt", "application/logout+jwt"];
    if issuer.require_logout_jwt_typ {
        return header.is_typed(&OWN, false);
    }
    header.is_typed(&["JWT", OWN[0], OWN[1]], true)
}

/// Every member of `aud` is an app of the issuer, or the hub's own client there.
fn is_for_our_apps(
    claims: Claims<'_>,
    issuer: &IssuerSettings,
    directory: &Directory,
) -> Result<Vec<ClientId>, TokenFault> {
    let named = claims.audiences()?;
    let ours = |name: &str| ClientId::parse(name).ok().filter(|_| directory.is_audience(issuer, name));
    named.into_iter().map(|name| ours(name).ok_or(TokenFault::AudNotAllowed)).collect()
}

/// `iat` is neither in the future nor too far in the past.
fn is_recent(claims: Claims<'_>, at: Moment, max_age_seconds: i64) -> Result<UnixSeconds, TokenFault> {
    let iat = claims.issued_at(at)?;
    let oldest = at.now.plus(-at.skew).plus(-max_age_seconds);
    if iat < oldest { Err(TokenFault::IatTooOld) } else { Ok(iat) }
}

/// `exp` is not past, and not so far ahead that the token could be kept for later.
fn is_in_date(claims: Claims<'_>, at: Moment, issuer: &IssuerSettings) -> Result<Option<UnixSeconds>, TokenFault> {
    let Some(exp) = claims.time("exp")? else {
        return if issuer.allow_missing_exp { Ok(None) } else { Err(TokenFault::ExpMissing) };
    };
    if at.is_after(exp) {
        return Err(TokenFault::Expired);
    }
    if exp > at.now.plus(at.skew).plus(LIFETIME_MAX_SECONDS) {
        return Err(TokenFault::LifetimeTooLong);
    }
    Ok(Some(exp))
}

/// `events` has the logout event's member, and that is an object, empty or not.
fn is_about_a_logout(claims: Claims<'_>) -> Result<(), TokenFault> {
    let events = claims.get("events").ok_or(TokenFault::EventsMissing)?;
    let is_logout = events.get(LOGOUT_EVENT).is_some_and(Value::is_object);
    if is_logout { Ok(()) } else { Err(TokenFault::EventsInvalid) }
}

/// A `nonce` is what ID tokens have: without this rule one could pass for the other.
fn has_no_nonce(claims: Claims<'_>) -> Result<(), TokenFault> {
    if claims.has("nonce") { Err(TokenFault::NoncePresent) } else { Ok(()) }
}

/// `jti` is a text, and not an empty one. One that is no identifier by the hub's
/// measure (too long, or with control characters) is known by its digest.
fn has_a_name(claims: Claims<'_>) -> Result<Jti, TokenFault> {
    let jti = claims.text("jti")?.filter(|jti| !jti.is_empty()).ok_or(TokenFault::JtiMissing)?;
    let by_digest = || Jti::parse(&format!("sha256:{}", URL_SAFE_NO_PAD.encode(sha256(jti.as_bytes()))));
    Jti::parse(jti).or_else(|_| by_digest()).map_err(|_| TokenFault::JtiMissing)
}

/// A `sid`, a `sub`, or both. A `sid` narrows the logout to one session.
fn names_someone(claims: Claims<'_>, issuer: &IssuerSettings) -> Result<LogoutTarget, TokenFault> {
    let issuer = issuer.issuer.clone();
    match (claims.session()?, claims.subject()?) {
        (Some(sid), sub) => Ok(LogoutTarget::Session { key: SessionKey { issuer, sid }, sub }),
        (None, Some(sub)) => Ok(LogoutTarget::User(SubjectKey { issuer, sub })),
        (None, None) => Err(TokenFault::NoSubject),
    }
}

/// `azp`, where present, is held to the same rule as a member of `aud`.
fn is_authorized_for_an_app(
    claims: Claims<'_>,
    issuer: &IssuerSettings,
    directory: &Directory,
) -> Result<(), TokenFault> {
    match claims.text("azp")? {
        Some(azp) if !directory.is_audience(issuer, azp) => Err(TokenFault::AudNotAllowed),
        _ => Ok(()),
    }
}
