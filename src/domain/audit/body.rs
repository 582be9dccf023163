//! What a row says, on its way in.

use std::collections::BTreeMap;

/// What is to be said of something that happened: names and values, in the order of the names.
#[derive(Clone, Debug, Default)]
pub struct Body(BTreeMap<&'static str, Member>);

#[derive(Clone, Debug)]
enum Member {
    Text(String),
    Number(i64),
    Truth(bool),
    /// An issuer, and a `sid` or `sub` there: written as a hash only.
    Named([String; 2]),
    List(Vec<Body>),
}

impl Body {
    /// Adds a text.
    #[must_use]
    pub fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Member::Text(text.into()))
    }

    /// Adds a text, where there is one.
    #[must_use]
    pub fn maybe(self, name: &'static str, text: Option<impl Into<String>>) -> Self {
        if let Some(text) = text { self.text(name, text) } else { self }
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &'static str, number: i64) -> Self {
        self.with(name, Member::Number(number))
    }

    /// Adds a truth.
    #[must_use]
    pub fn truth(self, name: &'static str, is_true: bool) -> Self {
        self.with(name, Member::Truth(is_true))
    }

    /// Adds somebody or a session, by the hash of what they are called at their issuer.
    #[must_use]
    pub fn named(self, name: &'static str, issuer: &str, secret: Option<&str>) -> Self {
        match secret {
            Some(secret) => self.with(name, Member::Named([issuer.to_owned(), secret.to_owned()])),
            None => self,
        }
    }

    /// Adds a list.
    #[must_use]
    pub fn list(self, name: &'static str, items: Vec<Self>) -> Self {
        self.with(name, Member::List(items))
    }

    fn with(mut self, name: &'static str, member: Member) -> Self {
        self.0.insert(name, member);
        self
    }

    /// The text of it; `hashed` says what an issuer and a name there are written as.
    #[must_use]
    pub fn write(&self, hashed: &impl Fn([&str; 2]) -> String) -> String {
        let mut text = String::with_capacity(256);
        self.write_to(&mut text, hashed);
        text
    }

    fn write_to(&self, text: &mut String, hashed: &impl Fn([&str; 2]) -> String) {
        let quoted = |what: &str| serde_json::Value::from(what).to_string();
        let mut mark = '{';
        for (name, member) in &self.0 {
            text.push(mark);
            mark = ',';
            text.push_str(&quoted(name));
            text.push(':');
            match member {
                Member::Text(own) => text.push_str(&quoted(own)),
                Member::Number(number) => text.push_str(&number.to_string()),
                Member::Truth(is_true) => text.push_str(if *is_true { "true" } else { "false" }),
                Member::Named([issuer, secret]) => text.push_str(&quoted(&hashed([issuer, secret]))),
                Member::List(items) => {
                    text.push('[');
                    for (place, item) in items.iter().enumerate() {
                        text.push_str(if place == 0 { "" } else { "," });
                        item.write_to(text, hashed);
                    }
                    text.push(']');
                }
            }
        }
        text.push_str(if mark == '{' { "{}" } else { "}" });
    }
}
