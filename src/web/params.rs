//! Parameters of a query or a form, read strictly: a repeated one is refused,
//! because two readers could take different ones.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::problem::Problem;

use crate::hub::denied::RequestFault;

/// Decoded parameters, each name once.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// [`RequestFault::DuplicateParameter`]; [`RequestFault::BadParameter`] for what is
    /// not UTF-8 once decoded.
    pub fn parse(text: &str) -> Result<Self, RequestFault> {
        let mut params = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.add(decode(name)?, decode(value)?)?;
        }
        Ok(params)
    }

    /// These parameters and those: a name may stand in one of them only.
    ///
    /// # Errors
    /// [`RequestFault::DuplicateParameter`].
    pub fn and(mut self, others: Self) -> Result<Self, RequestFault> {
        for (name, value) in others.0 {
            self.add(name, value)?;
        }
        Ok(self)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), RequestFault> {
        if self.has(&name) {
            return Err(RequestFault::DuplicateParameter);
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Whether there is such a parameter, with whatever value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// Whether nothing is left.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a parameter out exactly as it was given, empty or not.
    pub fn take_as_given(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes a parameter out. An empty value is as good as none (RFC 6749, section 3.1).
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.take_as_given(name).filter(|value| !value.is_empty())
    }
}

/// Refuses a query with a repeated parameter, whatever the endpoint makes of it. The
/// pages refuse it themselves, in words for people.
pub async fn once_each(request: Request, next: Next) -> Response {
    match Params::parse(request.uri().query().unwrap_or_default()) {
        Err(fault) => Problem::request(fault).into_response(),
        Ok(_) => next.run(request).await,
    }
}

fn decode(text: &str) -> Result<String, RequestFault> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| RequestFault::BadParameter)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once() {
        assert_eq!(Params::parse("a=1&b=2&a=1").unwrap_err(), RequestFault::DuplicateParameter);
        assert_eq!(Params::parse("a=1&%61=2").unwrap_err(), RequestFault::DuplicateParameter);
        let query = Params::parse("a=1").unwrap();
        assert!(query.and(Params::parse("a=2").unwrap()).is_err());
    }

    #[test]
    fn values_come_decoded_and_empty_ones_not_at_all() {
        let mut params = Params::parse("a=x+y%2B%C3%A9&b=&c").unwrap();
        assert_eq!(params.take("a").as_deref(), Some("x y+é"));
        assert!(params.has("b") && params.has("c"));
        assert_eq!((params.take("b"), params.take("c")), (None, None));
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        assert_eq!(Params::parse("a=%ff").unwrap_err(), RequestFault::BadParameter);
    }
}
