//! Makes the token that a row describes.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::corpus::Token;
use super::words::Words;
use crate::hub::TestHub;
use crate::support::issuer::{TestIssuer, TestSession};
use crate::support::token::{SigningKey, TokenBuilder};

/// Who can sign, beside the issuer itself.
pub struct Forge<'a> {
    pub hub: &'a TestHub,
    /// A key that nobody publishes.
    pub stranger: &'a Arc<SigningKey>,
}

impl Forge<'_> {
    /// The token, about that session.
    pub fn token(&self, row: &Token, who: &TestSession, words: &Words) -> String {
        finish(self.right(row, who), row, words)
    }

    /// The token as it would be right, signed by whoever the row says.
    fn right(&self, row: &Token, who: &TestSession) -> TokenBuilder {
        let (own, foreign) = match row.issuer.as_deref() {
            None => (&self.hub.issuer, &self.hub.other),
            Some("other") => (&self.hub.other, &self.hub.issuer),
            Some(name) => panic!("no such issuer: {name}"),
        };
        let client = row.client.as_deref().unwrap_or("notes");
        let by = |issuer: &TestIssuer| match row.kind.as_deref() {
            None | Some("logout") => issuer.logout_token(who, client),
            Some("id") => issuer.id_token(who, client),
            Some(kind) => panic!("no such kind of token: {kind}"),
        };
        match row.signed_by.as_deref() {
            None | Some("secret") => by(own),
            Some("other") => by(foreign).with("iss", json!(own.url())).kid(own.kid()),
            Some("stranger") => {
                let claims: Value = serde_json::from_str(&by(own).claims_text()).unwrap();
                TokenBuilder::new(Arc::clone(self.stranger), claims).kid(own.kid())
            }
            Some(name) => panic!("nobody of that name signs: {name}"),
        }
    }
}

/// Lays over a right token what the row says of it.
pub fn finish(mut token: TokenBuilder, row: &Token, words: &Words) -> String {
    for (member, value) in &row.header {
        token = token.header(member, words.value(value));
    }
    for (claim, value) in &row.claims {
        token = token.with(claim, words.value(value));
    }
    token = row.drop_header.iter().fold(token, |token, member| token.without_header(member));
    token = row.drop.iter().fold(token, |token, claim| token.without(claim));
    let text = |whole: &Option<String>, first: &Option<String>, right: String| match (whole, first) {
        (Some(whole), _) => words.text(whole),
        (None, Some(first)) => right.replacen('{', &format!("{{{},", words.text(first)), 1),
        (None, None) => right,
    };
    let header = text(&row.header_text, &row.header_first, token.header_text());
    let claims = text(&row.claims_text, &row.first, token.claims_text());
    let mut signed = token.sign_texts(&header, &claims);
    if row.signed_by.as_deref() == Some("secret") {
        signed = signed_with_a_secret(&signed, &words.text("${jwks}"));
    }
    let Some(shape) = &row.parts else { return signed };
    let parts: Vec<&str> = signed.split('.').collect();
    let mut words = words.clone();
    for (word, part) in ["h", "p", "s"].into_iter().zip(parts) {
        words.set(word, part);
    }
    words.text(shape)
}

/// RFC 8725, section 2.1: what everybody can read, taken for a secret.
fn signed_with_a_secret(token: &str, secret: &str) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}
