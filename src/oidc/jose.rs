//! A strict reader for compact JWS (RFC 7515), in front of the library that checks
//! signatures.
//!
//! That library, like most, takes the last of two members with one name, ignores `crit`
//! and follows what it knows of the header. Here nothing is left to it but the signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::fault::TokenFault;
use crate::domain::app::SigningAlg;
use crate::domain::json::{self, JsonFault};

/// The longest token that is looked at, in bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Header members by which a token would bring its own key, or hide its content.
const FORBIDDEN_MEMBERS: [&str; 7] = ["jwk", "jku", "x5c", "x5u", "cty", "zip", "enc"];

/// A token taken apart. Nothing in it may be believed.
pub(super) struct UnverifiedJws<'a> {
    /// The JOSE header.
    pub(super) header: JoseHeader,
    /// The payload.
    pub(super) claims: Map<String, Value>,
    /// What the signature is over: `header.payload`.
    pub(super) signing_input: &'a str,
    /// The signature, in base64url. Empty when there is none.
    pub(super) signature: &'a str,
}

impl<'a> UnverifiedJws<'a> {
    /// Takes three canonical base64url parts, the first two of them JSON objects
    /// without repeated members.
    ///
    /// An empty signature passes: what is wrong with it depends on the `alg`.
    pub(super) fn read(raw: &'a str) -> Result<Self, TokenFault> {
        if raw.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLarge);
        }
        let (signing_input, signature) = raw.rsplit_once('.').ok_or(TokenFault::NotCompactJws)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenFault::NotCompactJws)?;
        if header.is_empty() || payload.is_empty() || payload.contains('.') {
            return Err(TokenFault::NotCompactJws);
        }
        let header = base64url(header)?;
        let payload = base64url(payload)?;
        base64url(signature)?;
        let header = JoseHeader::read(&header)?;
        let claims = object(&payload, TokenFault::BadPayloadJson)?;
        Ok(Self { header, claims, signing_input, signature })
    }
}

/// Bytes from base64url without padding, of which there is one spelling only.
pub(super) fn base64url(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::BadBase64)
}

fn object(text: &[u8], otherwise: TokenFault) -> Result<Map<String, Value>, TokenFault> {
    json::read_object(text).map_err(|fault| match fault {
        JsonFault::DuplicateMember => TokenFault::DuplicateMember,
        JsonFault::NotAnObject => otherwise,
    })
}

/// A JOSE header. Its `alg` and `kid` are texts; all else is still to be judged.
pub(super) struct JoseHeader {
    alg: String,
    kid: Option<String>,
    members: Map<String, Value>,
}

impl JoseHeader {
    fn read(text: &[u8]) -> Result<Self, TokenFault> {
        let members = object(text, TokenFault::BadHeaderJson)?;
        let alg = members.get("alg").and_then(Value::as_str).ok_or(TokenFault::BadHeaderJson)?.to_owned();
        let kid = match members.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(TokenFault::BadHeaderJson),
        };
        Ok(Self { alg, kid, members })
    }

    /// The key that the token claims to be signed with.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The rules that hold for every token, whoever it is from. Returns its algorithm.
    pub(super) fn is_fit(&self) -> Result<SigningAlg, TokenFault> {
        let alg = self.has_a_known_algorithm()?;
        self.brings_no_key_and_hides_nothing()?;
        self.demands_no_extension()?;
        self.has_an_encoded_payload()?;
        Ok(alg)
    }

    /// `none` and symmetric algorithms have no name here, so they cannot pass.
    fn has_a_known_algorithm(&self) -> Result<SigningAlg, TokenFault> {
        SigningAlg::from_name(&self.alg).ok_or(TokenFault::AlgNotAllowed)
    }

    fn brings_no_key_and_hides_nothing(&self) -> Result<(), TokenFault> {
        let forbidden = FORBIDDEN_MEMBERS.iter().any(|name| self.members.contains_key(*name));
        if forbidden { Err(TokenFault::HeaderNotAllowed) } else { Ok(()) }
    }

    /// RFC 7515, section 4.1.11: whoever does not understand what `crit` lists must refuse.
    fn demands_no_extension(&self) -> Result<(), TokenFault> {
        if self.members.contains_key("crit") { Err(TokenFault::CritNotSupported) } else { Ok(()) }
    }

    /// RFC 7797: `b64` other than `true` makes the signature one over something else.
    /// It should stand in `crit` too, but not every signer knows.
    fn has_an_encoded_payload(&self) -> Result<(), TokenFault> {
        match self.members.get("b64") {
            None | Some(Value::Bool(true)) => Ok(()),
            Some(_) => Err(TokenFault::HeaderNotAllowed),
        }
    }

    /// Whether `typ` is one of these, in any case, or absent where that is allowed.
    pub(super) fn is_typed(&self, allowed: &[&str], may_lack: bool) -> Result<(), TokenFault> {
        let fits = match self.members.get("typ") {
            None => may_lack,
            Some(Value::String(typ)) => allowed.iter().any(|one| one.eq_ignore_ascii_case(typ)),
            Some(_) => false,
        };
        if fits { Ok(()) } else { Err(TokenFault::TypNotAllowed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn fault(raw: &str) -> Option<TokenFault> {
        UnverifiedJws::read(raw).err()
    }

    fn header_fault(header: &str) -> Option<TokenFault> {
        match UnverifiedJws::read(&token(header, "{}")) {
            Ok(jws) => jws.header.is_fit().err(),
            Err(fault) => Some(fault),
        }
    }

    const GOOD: &str = r#"{"alg":"RS256"}"#;

    proptest::proptest! {
        #[test]
        fn no_text_brings_the_reader_down(raw in r"[\PC.\x00-\x20]{0,200}") {
            let _ = UnverifiedJws::read(&raw);
        }

        #[test]
        fn no_parts_bring_the_reader_down(header in proptest::collection::vec(0u8.., 0..80), payload in ".{0,80}") {
            let parts = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            let _ = UnverifiedJws::read(&format!("{}.{}.", parts.0, parts.1));
        }
    }

    #[test]
    fn three_base64url_parts_and_nothing_else() {
        let good = token(GOOD, "{}");
        assert_eq!(fault(&good), None);
        for bad in
            ["", ".", "a", "a.b", "..", ".e30.AAAA", "e30..AAAA", "a.b.c.d", &format!("{good}."), &format!(".{good}")]
        {
            assert_eq!(fault(bad), Some(TokenFault::NotCompactJws), "{bad}");
        }
    }

    #[test]
    fn base64url_has_one_spelling() {
        let good = token(GOOD, "{}");
        for bad in [
            format!("{good}="),
            format!(" {good}"),
            format!("{good}\n"),
            good.replace("e30", "e31"), // bits after the last byte
            good.replace("e30", "e3+/"),
            good.replace("e30", "e30\u{e9}"),
            good.replace("AAAA", "AAAAA"),
        ] {
            assert_eq!(fault(&bad), Some(TokenFault::BadBase64), "{bad}");
        }
    }

    #[test]
    fn a_token_over_16_kib_is_not_even_decoded() {
        assert_eq!(fault(&"#".repeat(MAX_TOKEN_BYTES + 1)), Some(TokenFault::TooLarge));
        assert_eq!(fault(&"#".repeat(MAX_TOKEN_BYTES)), Some(TokenFault::NotCompactJws));
    }

    #[test]
    fn header_and_claims_are_objects_without_repeated_members() {
        for bad in ["", "[]", "null", "{", r#"{"alg":"RS256"}x"#, "{}", r#"{"alg":5}"#, r#"{"alg":null}"#] {
            assert_eq!(fault(&token(bad, "{}")).map(TokenFault::code), Some(fault_of_header(bad)), "{bad}");
        }
        for bad in ["[]", "null", "{", "\"x\"", "{} {}"] {
            assert_eq!(fault(&token(GOOD, bad)), Some(TokenFault::BadPayloadJson), "{bad}");
        }
        assert_eq!(fault(&token(r#"{"alg":"RS256","alg":"none"}"#, "{}")), Some(TokenFault::DuplicateMember));
        assert_eq!(fault(&token(GOOD, r#"{"sid":"a","sid":"b"}"#)), Some(TokenFault::DuplicateMember));
        assert_eq!(fault(&token(GOOD, r#"{"x":[{"a":1,"\u0061":2}]}"#)), Some(TokenFault::DuplicateMember));
    }

    /// An empty header is an empty part; the rest is JSON that is no header.
    fn fault_of_header(header: &str) -> &'static str {
        if header.is_empty() { "not_compact_jws" } else { "bad_header_json" }
    }

    #[test]
    fn what_is_nested_too_deep_is_no_object() {
        let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
        assert_eq!(fault(&token(GOOD, &deep)), Some(TokenFault::BadPayloadJson));
        assert_eq!(fault(&token(&deep, "{}")), Some(TokenFault::BadHeaderJson));
    }

    #[test]
    fn kid_is_a_text() {
        assert_eq!(fault(&token(r#"{"alg":"RS256","kid":5}"#, "{}")), Some(TokenFault::BadHeaderJson));
        assert_eq!(fault(&token(r#"{"alg":"RS256","kid":null}"#, "{}")), Some(TokenFault::BadHeaderJson));
    }

    #[test]
    fn only_asymmetric_algorithms_have_a_name() {
        for alg in SigningAlg::ALL {
            assert_eq!(header_fault(&format!(r#"{{"alg":"{}"}}"#, alg.as_str())), None);
        }
        for alg in ["none", "None", "HS256", "rs256", "ES256K", "ES512", "RSA-OAEP", "dir", ""] {
            assert_eq!(header_fault(&format!(r#"{{"alg":"{alg}"}}"#)), Some(TokenFault::AlgNotAllowed), "{alg}");
        }
    }

    #[test]
    fn a_token_brings_no_key_and_hides_nothing() {
        for name in FORBIDDEN_MEMBERS {
            for value in ["null", "{}", "\"https://evil.example/\""] {
                let header = format!(r#"{{"alg":"RS256","{name}":{value}}}"#);
                assert_eq!(header_fault(&header), Some(TokenFault::HeaderNotAllowed), "{header}");
            }
        }
        assert_eq!(header_fault(r#"{"alg":"RS256","x5t":"abc","x5t#S256":"abc","extra":1}"#), None);
    }

    #[test]
    fn any_crit_is_refused() {
        for crit in ["[]", "null", r#"["exp"]"#, r#"["b64"]"#, r#"["https://example.com/unknown"]"#] {
            let header = format!(r#"{{"alg":"RS256","b64":false,"crit":{crit}}}"#);
            assert_eq!(header_fault(&header), Some(TokenFault::CritNotSupported), "{header}");
        }
    }

    #[test]
    fn an_unencoded_payload_is_refused() {
        assert_eq!(header_fault(r#"{"alg":"RS256","b64":false}"#), Some(TokenFault::HeaderNotAllowed));
        assert_eq!(header_fault(r#"{"alg":"RS256","b64":true}"#), None);
    }

    #[test]
    fn typ_is_one_of_those_allowed_in_any_case() {
        let typed = |header: &str, may_lack| {
            UnverifiedJws::read(&token(header, "{}")).unwrap().header.is_typed(&["JWT", "logout+jwt"], may_lack).is_ok()
        };
        assert!(typed(GOOD, true) && !typed(GOOD, false));
        assert!(typed(r#"{"alg":"RS256","typ":"LOGOUT+jwt"}"#, false));
        for typ in ["\"at+jwt\"", "\"\"", "5", "null", "[\"JWT\"]"] {
            assert!(!typed(&format!(r#"{{"alg":"RS256","typ":{typ}}}"#), true), "{typ}");
        }
    }
}
