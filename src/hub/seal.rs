//! Seals: proof that this hub wrote a text, for one purpose, for one browser, not long
//! ago.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::clock::UnixSeconds;

/// What a seal is good for. It is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A person pressed the button on our own page, for this very request.
    Confirmation,
    /// An app of the redirect chain sends the browser back.
    Chain,
    /// The issuer sends the browser back, having been asked who is signed in.
    SignedIn,
    /// A frame on the logout page speaks for its app.
    Frame,
    /// The issuer sends the browser back, having signed the person in for the hub's own
    /// pages.
    OwnSignIn,
    /// The same, for the operator's console.
    ConsoleSignIn,
    /// The issuer sends back a person who was signed in and has proved it.
    ProveAgain,
    /// A person pressed a button that ends sessions, on our own page.
    EndSessions,
}

/// Seals texts, and knows its own seals again. Every node of one hub has the same key.
pub struct Seal(hmac::Key);

impl Seal {
    /// Seals with this key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// A seal for `text`, for the browser that holds `browser`, good until just before
    /// `until`. It hides nothing.
    #[must_use]
    pub fn put(&self, purpose: Purpose, browser: &str, text: &str, until: UnixSeconds) -> String {
        let tag = hmac::sign(&self.0, sealed_text(purpose, browser, text, until.0).as_bytes());
        format!("{}.{}", until.0, URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether `seal` was put on this text for this purpose and this browser, and is
    /// still good.
    #[must_use]
    pub fn holds(&self, seal: &str, purpose: Purpose, browser: &str, text: &str, now: UnixSeconds) -> bool {
        let Some((until, tag)) = seal.split_once('.') else { return false };
        let (Ok(at), Ok(tag)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(tag)) else { return false };
        let sealed = sealed_text(purpose, browser, text, at);
        // The seal is over the number: `+1` and `01` would be other spellings of it.
        at > now.0 && at.to_string() == until && hmac::verify(&self.0, sealed.as_bytes(), &tag).is_ok()
    }

    /// A secret that only this hub can make, and makes again: another one for each use
    /// that is made of it, each browser and each text. 256 bits, in 43 characters of
    /// Base64url.
    #[must_use]
    pub fn secret(&self, made_for: &'static str, browser: &str, text: &str) -> String {
        // No seal begins like this.
        let tag = hmac::sign(&self.0, format!("Secret {made_for}\n{browser}\n{text}").as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }

    /// A name with its seal, as one text for a URL: `<name>.<until>.<tag>`.
    #[must_use]
    pub fn state(&self, purpose: Purpose, browser: &str, name: &str, until: UnixSeconds) -> String {
        format!("{name}.{}", self.put(purpose, browser, name, until))
    }

    /// A name for what these texts name together: always the same, and it tells nothing
    /// of them. 128 bits, in hexadecimal.
    #[must_use]
    pub fn public_name(&self, of: &[&str]) -> String {
        // Lengths first, so that the parts cannot be shifted; no seal begins like this.
        let lengths: Vec<_> = of.iter().map(|part| part.len().to_string()).collect();
        let text = format!("PublicName {}\n{}", lengths.join(" "), of.concat());
        let tag = hmac::sign(&self.0, text.as_bytes());
        let first = tag.as_ref().iter().take(16).fold(0_u128, |name, byte| name << 8 | u128::from(*byte));
        format!("{first:032x}")
    }

    /// The name in such a text, where its seal holds.
    #[must_use]
    pub fn name_in<'a>(&self, state: &'a str, purpose: Purpose, browser: &str, now: UnixSeconds) -> Option<&'a str> {
        let (name, seal) = state.split_once('.')?;
        self.holds(seal, purpose, browser, name, now).then_some(name)
    }
}

/// A browser's own value has no line feed, so the parts cannot be shifted.
fn sealed_text(purpose: Purpose, browser: &str, text: &str, until: i64) -> String {
    format!("{purpose:?}\n{until}\n{browser}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1000);
    const LATER: UnixSeconds = UnixSeconds(1600);

    #[test]
    fn a_seal_is_for_one_purpose_one_browser_one_text_and_a_while() {
        let seal = Seal::new([7; 32]);
        let holds = |token: &str, purpose, browser: &str, text: &str, now| {
            Seal::new([7; 32]).holds(token, purpose, browser, text, now)
        };
        let token = seal.put(Purpose::Confirmation, "browser", "client_id=notes", LATER);
        assert!(holds(&token, Purpose::Confirmation, "browser", "client_id=notes", NOW));
        assert!(!holds(&token, Purpose::Chain, "browser", "client_id=notes", NOW));
        assert!(!holds(&token, Purpose::Confirmation, "other", "client_id=notes", NOW));
        assert!(!holds(&token, Purpose::Confirmation, "browser", "client_id=shop", NOW));
        assert!(holds(&token, Purpose::Confirmation, "browser", "client_id=notes", LATER.plus(-1)));
        assert!(!holds(&token, Purpose::Confirmation, "browser", "client_id=notes", LATER));
        assert!(!Seal::new([8; 32]).holds(&token, Purpose::Confirmation, "browser", "client_id=notes", NOW));
        let longer = token.replacen('1', "9", 1);
        assert!(!holds(&longer, Purpose::Confirmation, "browser", "client_id=notes", NOW));
        for respelled in [format!("+{token}"), format!("0{token}"), format!("{token}=")] {
            assert!(!holds(&respelled, Purpose::Confirmation, "browser", "client_id=notes", NOW), "{respelled}");
        }
        for rubbish in ["", ".", "x.y", "9999999999."] {
            assert!(!holds(rubbish, Purpose::Confirmation, "browser", "client_id=notes", NOW));
        }
    }

    #[test]
    fn a_state_gives_its_name_back_only_as_it_was_sealed() {
        let seal = Seal::new([7; 32]);
        let state = seal.state(Purpose::Chain, "browser", "name", LATER);
        assert_eq!(seal.name_in(&state, Purpose::Chain, "browser", NOW), Some("name"));
        assert_eq!(seal.name_in(&state.replacen("name", "nome", 1), Purpose::Chain, "browser", NOW), None);
        assert_eq!(seal.name_in(&state, Purpose::SignedIn, "browser", NOW), None);
        assert_eq!(seal.name_in("name", Purpose::Chain, "browser", NOW), None);
    }

    #[test]
    fn a_secret_can_be_made_again_and_is_another_for_each_use_browser_text_and_key() {
        let secret = |key, made_for, browser, text| Seal::new([key; 32]).secret(made_for, browser, text);
        let one = secret(7, "nonce", "browser", "name");
        assert_eq!(one, secret(7, "nonce", "browser", "name"));
        assert_eq!(one.len(), 43);
        let others = [
            secret(8, "nonce", "browser", "name"),
            secret(7, "pkce", "browser", "name"),
            secret(7, "nonce", "other", "name"),
            secret(7, "nonce", "browser", "other"),
        ];
        assert!(!others.contains(&one));
    }

    #[test]
    fn a_public_name_is_always_the_same_and_tells_two_things_apart() {
        let name = |of: &[&str]| Seal::new([7; 32]).public_name(of);
        assert_eq!(name(&["https://a/", "laptop"]), name(&["https://a/", "laptop"]));
        assert_eq!(name(&["https://a/", "laptop"]).len(), 32);
        assert_ne!(name(&["https://a/", "laptop"]), name(&["https://a/l", "aptop"]));
        assert_ne!(name(&["a"]), Seal::new([8; 32]).public_name(&["a"]));
    }
}
