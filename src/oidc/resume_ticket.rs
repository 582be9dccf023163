//! Resume tickets: the hub's own tokens, by which an app stays subscribed for as long
//! as its own session lasts without asking the issuer for a new ID token.
//!
//! A ticket is `slo1.<claims>.<HMAC-SHA256>`, both parts in base64url. No JWT begins
//! like that.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::fault::TokenFault;
use super::jose::{MAX_TOKEN_BYTES, base64url};
use crate::domain::app::Directory;
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{ClientId, InvalidId, Issuer, Sid, Subject};
use crate::domain::logout::SignIn;

const PREFIX: &str = "slo1.";

/// Gives out resume tickets and takes them back.
pub struct ResumeTickets {
    key: hmac::Key,
}

/// What a ticket of the hub's says. Only [`ResumeTickets::verify`] makes one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResumeTicket {
    /// The sign-in that the ticket was given for, with the times of its token.
    pub sign_in: SignIn,
    /// Whether the ticket is past its time.
    pub is_expired: bool,
}

impl ResumeTickets {
    /// Signs with this key. Every hub with the same key takes the tickets.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key) }
    }

    /// Whether a text is meant to be a ticket, and not a JWT. Says nothing about
    /// whether it is a good one.
    #[must_use]
    pub fn is_ticket(raw: &str) -> bool {
        raw.starts_with(PREFIX)
    }

    /// A ticket for that sign-in.
    #[must_use]
    pub fn issue(&self, sign_in: &SignIn, expires_at: UnixSeconds) -> String {
        let claims = TicketClaims {
            iss: sign_in.issuer.as_str().to_owned(),
            azp: sign_in.client_id.as_str().to_owned(),
            sub: sign_in.sub.as_str().to_owned(),
            sid: sign_in.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            iat: sign_in.issued_at.0,
            auth_time: sign_in.auth_time.map(|at| at.0),
            exp: expires_at.0,
        };
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let signed = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(claims));
        let tag = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// What the ticket says, if this hub gave it out and its app is still registered.
    /// No clock skew: it is the hub's own clock that set its time.
    ///
    /// # Errors
    /// [`TokenFault::TooLarge`]; [`TokenFault::BadSignature`] for all that this hub did
    /// not sign; [`TokenFault::IssNotAllowed`] and [`TokenFault::AudNotAllowed`] for
    /// what is no longer configured.
    pub fn verify(&self, raw: &str, now: UnixSeconds, directory: &Directory) -> Result<ResumeTicket, TokenFault> {
        if raw.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLarge);
        }
        let claims = self.authentic_claims(raw).ok_or(TokenFault::BadSignature)?;
        let is_expired = claims.exp <= now.0;
        let sign_in = claims.sign_in().map_err(|_| TokenFault::BadSignature)?;
        directory.issuer(sign_in.issuer.as_str()).ok_or(TokenFault::IssNotAllowed)?;
        directory.app(&sign_in.issuer, sign_in.client_id.as_str()).ok_or(TokenFault::AudNotAllowed)?;
        Ok(ResumeTicket { sign_in, is_expired })
    }

    /// The sign-in of a ticket that this hub gave out, whoever is registered now.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn authentic(&self, raw: &str) -> Option<SignIn> {
        self.authentic_claims(raw)?.sign_in().ok()
    }

    fn authentic_claims(&self, raw: &str) -> Option<TicketClaims> {
        let (signed, tag) = raw.rsplit_once('.')?;
        let claims = signed.strip_prefix(PREFIX)?;
        let tag = base64url(tag).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &tag).ok()?;
        serde_json::from_slice(&base64url(claims).ok()?).ok()
    }
}

#[derive(Serialize, Deserialize)]
struct TicketClaims {
    iss: String,
    azp: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    exp: i64,
}

impl TicketClaims {
    fn sign_in(&self) -> Result<SignIn, InvalidId> {
        Ok(SignIn {
            issuer: Issuer::parse(&self.iss)?,
            client_id: ClientId::parse(&self.azp)?,
            sub: Subject::parse(&self.sub)?,
            sid: self.sid.as_deref().map(Sid::parse).transpose()?,
            issued_at: UnixSeconds(self.iat),
            auth_time: self.auth_time.map(UnixSeconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::app::{App, IssuerSettings, SigningAlg};

    const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
    const LATER: UnixSeconds = UnixSeconds(1_700_000_100);

    fn issuer() -> Issuer {
        Issuer::parse("https://acme.eu.auth0.com/").unwrap()
    }

    fn directory(client_id: &str) -> Directory {
        let settings = IssuerSettings {
            issuer: issuer(),
            signing_algs: vec![SigningAlg::RS256],
            require_logout_jwt_typ: false,
            allow_missing_exp: false,
            client: None,
            management: None,
        };
        let app = App::bare(issuer(), client_id);
        Directory::new(vec![settings], vec![app])
    }

    fn sign_in() -> SignIn {
        SignIn {
            issuer: issuer(),
            client_id: ClientId::parse("notes").unwrap(),
            sub: Subject::parse("auth0|ada \"Zoë\"").unwrap(),
            sid: Some(Sid::parse("laptop").unwrap()),
            issued_at: UnixSeconds(1_699_999_000),
            auth_time: Some(UnixSeconds(1_699_998_000)),
        }
    }

    fn tickets() -> ResumeTickets {
        ResumeTickets::new([7; 32])
    }

    #[test]
    fn a_ticket_carries_the_sign_in_that_it_was_given_for() {
        let bare = SignIn { sid: None, auth_time: None, ..sign_in() };
        for given in [sign_in(), bare] {
            let raw = tickets().issue(&given, LATER);
            let ticket = tickets().verify(&raw, NOW, &directory("notes")).unwrap();
            assert_eq!(ticket.sign_in, given);
            assert!(!ticket.is_expired);
        }
    }

    #[test]
    fn a_ticket_expires_at_its_second() {
        let raw = tickets().issue(&sign_in(), LATER);
        let at = |now| tickets().verify(&raw, now, &directory("notes")).unwrap().is_expired;
        assert!(!at(LATER.plus(-1)) && at(LATER) && at(LATER.plus(1)));
    }

    #[test]
    fn a_ticket_looks_like_no_jwt() {
        assert!(ResumeTickets::is_ticket(&tickets().issue(&sign_in(), LATER)));
        assert!(!ResumeTickets::is_ticket("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"));
    }

    #[test]
    fn only_this_hub_makes_tickets() {
        let raw = tickets().issue(&sign_in(), LATER);
        let refused = |raw: &str| tickets().verify(raw, NOW, &directory("notes")).err();
        assert_eq!(refused(&ResumeTickets::new([8; 32]).issue(&sign_in(), LATER)), Some(TokenFault::BadSignature));
        let (signed, tag) = raw.rsplit_once('.').unwrap();
        for forged in [
            String::new(),
            "slo1.".to_owned(),
            "slo1..".to_owned(),
            signed.to_owned(),
            format!("{signed}."),
            format!("{raw}="),
            format!("{raw} "),
            format!("{signed}.{}", tag.to_lowercase()),
            format!("{}.{tag}", signed.replacen("slo1.ey", "slo1.fy", 1)),
            raw.replacen("slo1", "slo2", 1),
        ] {
            assert_eq!(refused(&forged), Some(TokenFault::BadSignature), "{forged}");
        }
        assert_eq!(refused(&format!("slo1.{}", "a".repeat(MAX_TOKEN_BYTES))), Some(TokenFault::TooLarge));
    }

    #[test]
    fn a_ticket_ends_with_the_registration_of_its_app() {
        let raw = tickets().issue(&sign_in(), LATER);
        assert_eq!(tickets().verify(&raw, NOW, &directory("other")).err(), Some(TokenFault::AudNotAllowed));
        assert_eq!(tickets().verify(&raw, NOW, &Directory::default()).err(), Some(TokenFault::IssNotAllowed));
    }
}
