//! A strict reader for JSON objects from strangers.
//!
//! `serde_json` keeps the last of two members with one name; two readers that
//! keep different ones can be told different things by one text. Here a
//! repeated member, at any depth, is an error.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and arrays may be nested.
pub const MAX_DEPTH: usize = 16;

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not JSON, not an object, nested too deep, or text after its end.
    #[error("not one JSON object, nested at most 16 deep")]
    NotAnObject,
    /// Two members of one object have one name.
    #[error("a member name is repeated")]
    DuplicateMember,
}

/// Reads one object and nothing else.
///
/// # Errors
/// [`JsonFault`]: a repeated member is told apart, everything else is not.
pub fn read_object(text: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    let repeated = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let seed = Strict { depth: 0, repeated: &repeated };
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        Err(_) if repeated.get() => Err(JsonFault::DuplicateMember),
        Ok(_) | Err(_) => Err(JsonFault::NotAnObject),
    }
}

struct Strict<'a> {
    depth: usize,
    repeated: &'a Cell<bool>,
}

impl Strict<'_> {
    fn inner(&self) -> Self {
        Strict { depth: self.depth + 1, repeated: self.repeated }
    }

    fn enter<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth < MAX_DEPTH { Ok(()) } else { Err(E::custom("nested too deep")) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner())? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                self.repeated.set(true);
                return Err(A::Error::custom("repeated member"));
            }
            let value = members.next_value_seed(self.inner())?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_and_nothing_else() {
        assert!(read_object(br#"{"a":[1,-2,1.5,"x",null,true,{"b":{}}]}"#).is_ok());
        for bad in ["", "[]", "1", "null", "{", "{} {}", "{}x", "{'a':1}", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}"] {
            assert_eq!(read_object(bad.as_bytes()), Err(JsonFault::NotAnObject), "{bad}");
        }
        assert_eq!(read_object(b"{\"a\":\"\xff\"}"), Err(JsonFault::NotAnObject));
    }

    #[test]
    fn a_repeated_member_is_refused_at_any_depth() {
        for bad in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"a":2}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(read_object(bad.as_bytes()), Err(JsonFault::DuplicateMember), "{bad}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth: usize| format!("{}{}", "{\"a\":".repeat(depth - 1) + "{}", "}".repeat(depth - 1));
        assert!(read_object(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(read_object(nested(MAX_DEPTH + 1).as_bytes()), Err(JsonFault::NotAnObject));
        assert_eq!(read_object("[".repeat(100_000).as_bytes()), Err(JsonFault::NotAnObject));
    }
}
