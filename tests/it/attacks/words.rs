//! What stands in the place of `${…}` in a row.

use std::collections::BTreeMap;

use serde_json::Value;

/// The words that rows may use.
#[derive(Clone, Default)]
pub struct Words {
    known: BTreeMap<String, Value>,
    now: i64,
}

impl Words {
    pub fn at(now: i64) -> Self {
        Self { known: BTreeMap::new(), now }
    }

    pub fn set(&mut self, word: &str, value: impl Into<Value>) {
        self.known.insert(word.to_owned(), value.into());
    }

    /// A text with every `${word}` replaced. Besides the words there are `${now-60}`,
    /// the time in seconds, and `${x*300}`, a text so many times.
    pub fn text(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (word, rest) = part.split_once('}').unwrap_or_else(|| panic!("no end of ${{{part}"));
            match self.of(word) {
                Value::String(text) => filled.push_str(&text),
                other => filled.push_str(&other.to_string()),
            }
            filled.push_str(rest);
        }
        filled
    }

    /// The same in every text of a value. One that is a single word becomes the word's
    /// own value, which may be no text.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                Some(word) if !word.contains("${") => self.of(word),
                _ => self.text(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (self.text(name), self.value(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn of(&self, word: &str) -> Value {
        if let Some(value) = self.known.get(word) {
            return value.clone();
        }
        if let Some(offset) = word.strip_prefix("now") {
            let offset = if offset.is_empty() { Ok(0) } else { offset.parse() };
            let offset: i64 = offset.unwrap_or_else(|_| panic!("no time: {word}"));
            return self.now.saturating_add(offset).into();
        }
        let (text, times) = word.rsplit_once('*').unwrap_or_else(|| panic!("an unknown word: {word}"));
        text.repeat(times.parse().unwrap_or_else(|_| panic!("no number: {word}"))).into()
    }
}
