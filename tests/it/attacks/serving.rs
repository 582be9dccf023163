//! Issuers that serve what rows say: one for each row of the group about keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::corpus::{Group, Reply, Row, Token};
use super::forge::finish;
use super::words::Words;
use crate::hub::TestHub;
use crate::receiver::Intranet;
use crate::rig::{self, KEYS, METADATA, ScriptedIssuer, key_set, p256};
use crate::support::issuer::TestSession;
use crate::support::token::{SigningKey, TokenBuilder};

/// Where a good key set is that no row's metadata names.
const ELSEWHERE: &str = "/elsewhere";

/// The issuers of all rows that have one of their own, by the rows' ids.
pub struct Servings(BTreeMap<String, Serving>);

/// One issuer, with its key.
pub struct Serving {
    issuer: ScriptedIssuer,
    key: Arc<SigningKey>,
}

impl Servings {
    pub async fn start(group: &Group) -> Self {
        let mut servings = BTreeMap::new();
        for row in group.controls.iter().chain(&group.rows).filter(|row| row.issuer.is_some()) {
            servings.insert(row.id.clone(), Serving::start(row).await);
        }
        Self(servings)
    }

    /// A hub that trusts all of them.
    pub async fn hub(&self, tables: &str) -> TestHub {
        if self.0.is_empty() {
            return TestHub::start_with(tables).await;
        }
        let mut text = String::new();
        for Serving { issuer, .. } in self.0.values() {
            writeln!(text, "[[issuers]]\nissuer = \"{}\"\nsigning_algs = [\"ES256\", \"RS256\"]", issuer.url).unwrap();
            writeln!(text, "[[apps]]\nclient_id = \"notes\"\nissuer = \"{}\"", issuer.url).unwrap();
            writeln!(text, "origins = [\"https://notes.example\"]").unwrap();
        }
        TestHub::start_found_by(&text, Arc::new(Intranet)).await
    }

    pub fn of(&self, row: &Row) -> Option<&Serving> {
        self.0.get(&row.id)
    }
}

impl Serving {
    async fn start(row: &Row) -> Self {
        let key = p256("first");
        let issuer = ScriptedIssuer::start("localhost", &key).await;
        let serving = Self { issuer, key };
        let documents = row.issuer.as_ref().unwrap();
        let words = serving.words();
        for (path, reply) in [(METADATA, &documents.metadata), (KEYS, &documents.keys)] {
            if let Some(reply) = reply {
                serving.issuer.answers(path, answer(reply, &words));
            }
        }
        serving.issuer.answers(ELSEWHERE, rig::Reply::Json(key_set(&[&serving.key])));
        serving
    }

    fn words(&self) -> Words {
        let mut words = Words::default();
        words.set("url", self.issuer.url.as_str());
        words.set("jwk", self.key.jwk());
        words.set("good_keys", key_set(&[&self.key]));
        words.set("good_metadata", self.issuer.metadata(KEYS));
        words.set("other_jwk", p256("other").jwk());
        for name in ["kty", "crv", "x", "y"] {
            words.set(name, self.key.jwk()[name].clone());
        }
        words
    }

    /// A logout token of this issuer, for a session that has the name of another's.
    pub fn token(&self, row: &Token, who: &TestSession, stranger: &Arc<SigningKey>, words: &Words) -> String {
        let now = words.value(&Value::from("${now}")).as_i64().unwrap();
        let claims = json!({
            "iss": self.issuer.url, "aud": "notes", "sub": who.sub, "sid": who.sid, "iat": now, "exp": now + 120,
            "jti": ulid::Ulid::generate().to_string(),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        let key = if row.signed_by.as_deref() == Some("stranger") { stranger } else { &self.key };
        finish(TokenBuilder::new(Arc::clone(key), claims).kid("first".to_owned()), row, words)
    }
}

fn answer(reply: &Reply, words: &Words) -> rig::Reply {
    match reply {
        Reply::Json(value) => rig::Reply::Json(words.value(value)),
        Reply::Text(text) => rig::Reply::Text(200, words.text(text)),
        Reply::Status(status) => rig::Reply::Text(*status, words.text("${good_keys}")),
        Reply::Redirect(to) => {
            assert_eq!(to, ELSEWHERE);
            rig::Reply::Redirect(ELSEWHERE)
        }
        Reply::Never => rig::Reply::Never,
    }
}
