//! What verification needs to know, and the steps that every token goes through first.

use std::sync::Arc;

use tracing::Instrument as _;

use super::claims::{Claims, Moment};
use super::fault::{TokenFault, VerifyError};
use super::jose::UnverifiedJws;
use super::key_set::{Judgement, KeySet};
use super::keys::{Arrival, IssuerKeys};
use crate::domain::app::{Directory, IssuerSettings, SigningAlg};
use crate::telemetry::spans::{failed, step};

/// The configured limits of tokens.
#[derive(Clone, Copy, Debug)]
pub struct TokenRules {
    /// How far an issuer's clock and the hub's may be apart, in seconds.
    pub clock_skew_seconds: i64,
    /// How old a logout token may be when it arrives, in seconds.
    pub logout_token_max_age_seconds: i64,
}

/// Turns raw tokens into verified ones; see [`RawLogoutToken::verify`] and
/// [`RawIdToken::verify`], the only ways to make one.
///
/// [`RawLogoutToken::verify`]: super::logout_token::RawLogoutToken::verify
/// [`RawIdToken::verify`]: super::id_token::RawIdToken::verify
#[derive(Clone)]
pub struct Verifier {
    pub(super) directory: Arc<Directory>,
    pub(super) rules: TokenRules,
    keys: Arc<IssuerKeys>,
}

/// A token that may have come from this issuer: its signature has to tell.
pub(super) struct Attributed<'a> {
    pub(super) jws: UnverifiedJws<'a>,
    pub(super) issuer: &'a IssuerSettings,
    alg: SigningAlg,
}

impl Verifier {
    /// Verifies by these keys, for these apps.
    #[must_use]
    pub fn new(directory: Arc<Directory>, keys: Arc<IssuerKeys>, rules: TokenRules) -> Self {
        Self { directory, rules, keys }
    }

    /// When a token is judged.
    pub(super) fn moment(&self, arrival: Arrival) -> Moment {
        Moment { now: arrival.at.floor(), skew: self.rules.clock_skew_seconds }
    }

    /// Everything that precedes the kinds of token, up to the choice of an issuer.
    ///
    /// The unverified `iss` does no more than choose whose keys are to decide. It has
    /// to be looked at before the signature for that, and before the last rule about
    /// `alg`, since every issuer has its own list.
    pub(super) fn attribute<'a>(&'a self, raw: &'a str) -> Result<Attributed<'a>, TokenFault> {
        let jws = UnverifiedJws::read(raw)?;
        let alg = jws.header.is_fit()?;
        let issuer = issuer_is_configured(&self.directory, Claims(&jws.claims))?;
        algorithm_is_on_the_list(issuer, alg)?;
        Ok(Attributed { jws, issuer, alg })
    }

    /// Whether the token is signed by its issuer.
    ///
    /// A `kid` is called unknown only by a key set fetched after the token's arrival;
    /// until there is one, nobody can tell. A token without `kid` is judged by what is
    /// at hand, with a second look at a newer set where one can be had at once.
    pub(super) async fn signature_holds(&self, token: &Attributed<'_>, arrival: Arrival) -> Result<(), VerifyError> {
        is_signed(token)?;
        let issuer = &token.issuer.issuer;
        let at_hand = self.keys.at_hand(issuer);
        let is_settled = |keys: &KeySet, verdict: &Judgement| match verdict {
            Judgement::Holds | Judgement::Refused(_) => true,
            Judgement::NoSuchKey | Judgement::RefusedUnnamed(_) => keys.fetched.is_later_than(arrival),
        };
        if let Some(keys) = at_hand {
            let verdict = keys.judge(&token.jws, token.alg);
            if is_settled(&keys, &verdict) {
                return answer(&verdict);
            }
        }
        let waiting = step!("wait for keys", slo_hub.issuer = issuer.as_str());
        let keys = self.keys.newest(issuer).instrument(waiting).await.ok_or(VerifyError::KeysUnavailable)?;
        match keys.judge(&token.jws, token.alg) {
            Judgement::NoSuchKey if !keys.fetched.is_later_than(arrival) => Err(VerifyError::KeysUnavailable),
            verdict => answer(&verdict),
        }
    }
}

/// Verifies within a span of its own, which names the rule that a token breaks.
pub(super) async fn in_span<T>(verifying: impl Future<Output = Result<T, VerifyError>>) -> Result<T, VerifyError> {
    let span = step!("verify token");
    let verdict = verifying.instrument(span.clone()).await;
    match &verdict {
        Ok(_) => {}
        Err(VerifyError::Refused(fault)) => failed(&span, fault.code()),
        Err(VerifyError::KeysUnavailable) => failed(&span, "keys_unavailable"),
    }
    verdict
}

fn answer(verdict: &Judgement) -> Result<(), VerifyError> {
    match *verdict {
        Judgement::Holds => Ok(()),
        Judgement::Refused(fault) | Judgement::RefusedUnnamed(fault) => Err(fault.into()),
        Judgement::NoSuchKey => Err(TokenFault::KidInvalid.into()),
    }
}

pub(super) fn issuer_is_configured<'a>(
    directory: &'a Directory,
    claims: Claims<'_>,
) -> Result<&'a IssuerSettings, TokenFault> {
    let issuer = directory.issuer(claims.issuer()?);
    issuer.map(Arc::as_ref).ok_or(TokenFault::IssNotAllowed)
}

fn algorithm_is_on_the_list(issuer: &IssuerSettings, alg: SigningAlg) -> Result<(), TokenFault> {
    if issuer.signing_algs.contains(&alg) { Ok(()) } else { Err(TokenFault::AlgNotAllowed) }
}

/// An empty signature is nobody's: no key is needed to tell.
pub(super) fn is_signed(token: &Attributed<'_>) -> Result<(), TokenFault> {
    if token.jws.signature.is_empty() { Err(TokenFault::BadSignature) } else { Ok(()) }
}
