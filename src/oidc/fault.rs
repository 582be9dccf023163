//! Every rule that a token can break, each with its public code.

use std::fmt;

use crate::domain::coded::coded_faults;

coded_faults! {
    /// The rule that a token breaks.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum TokenFault {
        TooLarge "too_large" "The token is larger than 16 KiB."
        NotCompactJws "not_compact_jws" "The token is not three base64url parts with a dot between them; send a signed JWT."
        BadBase64 "bad_base64" "A part of the token is not base64url; it must be canonical and have no padding."
        BadHeaderJson "bad_header_json" "The header is not a JSON object, nested at most 16 deep, with a text as alg."
        BadPayloadJson "bad_payload_json" "The claims are not a JSON object, nested at most 16 deep."
        DuplicateMember "duplicate_member" "A member name is repeated; each may stand once in its object."
        AlgNotAllowed "alg_not_allowed" "The token must be signed with an algorithm on the issuer's list, by a key made for it."
        HeaderNotAllowed "header_not_allowed" "The header must not have jwk, jku, x5c, x5u, cty, zip or enc, nor an unencoded payload (b64)."
        CritNotSupported "crit_not_supported" "The header must not have crit: no extension is supported."
        TypNotAllowed "typ_not_allowed" "The header's typ is not that of the kind of token that is taken here."
        BadSignature "bad_signature" "The signature does not fit the token."
        KidMissing "kid_missing" "The header must name its key by kid, since the issuer has more or fewer than one that fits."
        KidInvalid "kid_invalid" "The header's kid names no key of the issuer."
        IssMissing "iss_missing" "The claim iss is missing; it must be the issuer's identifier."
        IssNotAllowed "iss_not_allowed" "The claim iss is no configured issuer; it is compared byte for byte."
        AudMissing "aud_missing" "The claim aud is missing or empty; it must be a text or an array of texts."
        AudNotAllowed "aud_not_allowed" "The claims aud and azp must name configured apps of the issuer, and nobody else."
        IatMissing "iat_missing" "The claim iat is missing; it must say when the token was issued."
        IatFuture "iat_future" "The claim iat lies in the future; set the clocks."
        IatTooOld "iat_too_old" "The claim iat lies too far in the past; send a token when it is issued."
        ExpMissing "exp_missing" "The claim exp is missing; it must say when the token expires."
        Expired "expired" "The claim exp is past; send a fresh token."
        LifetimeTooLong "lifetime_too_long" "The claim exp lies more than 24 hours ahead."
        NbfFuture "nbf_future" "The claim nbf lies in the future; the token is not valid yet."
        EventsMissing "events_missing" "The claim events is missing; a logout token must have it."
        EventsInvalid "events_invalid" "The claim events must be an object whose back-channel logout member is an object."
        NoncePresent "nonce_present" "A logout token must not have the claim nonce, of whatever value."
        JtiMissing "jti_missing" "The claim jti is missing or empty; it must be a text of the token's own."
        JtiReused "jti_reused" "The claim jti was seen before, in a token with other content."
        NoSubject "no_subject" "The claims do not say who is meant: a logout token has sid or sub, an ID token has sub."
        SidInvalid "sid_invalid" "The claim sid must be 1 to 255 bytes without control characters."
        SubInvalid "sub_invalid" "The claim sub must be 1 to 255 bytes without control characters."
        ClaimType "claim_type" "A claim is of a wrong JSON type; null is a wrong type for every claim."
        NotAnIdToken "not_an_id_token" "This is an access token or a logout token; send an ID token."
        TokenExpired "token_expired" "The token has expired; fetch a fresh one."
    }
}

impl TokenFault {
    /// The fault of that code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.code() == code)
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for TokenFault {}

/// Why a raw token did not become a verified one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The token breaks a rule, and always will.
    #[error("token refused: {0}")]
    Refused(#[from] TokenFault),
    /// The issuer's keys cannot be had just now, so nobody can tell. Not the sender's
    /// fault: the same token may be good in a moment.
    #[error("the issuer's keys cannot be had")]
    KeysUnavailable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_names_one_fault() {
        for fault in TokenFault::ALL {
            assert_eq!(TokenFault::from_code(fault.code()), Some(*fault));
        }
        assert_eq!(TokenFault::from_code("nonsense"), None);
    }

    #[test]
    fn every_fault_says_in_a_sentence_what_is_wrong() {
        for fault in TokenFault::ALL {
            let said = fault.description();
            assert!(said.ends_with('.') && said.is_ascii() && !said.contains('"'), "{said}");
        }
    }
}
