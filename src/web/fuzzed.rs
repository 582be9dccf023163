//! What a fuzzer may throw at forms, and what must hold of what is read.

use std::cell::LazyCell;
use std::collections::HashMap;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use super::body::{self, BODY_MAX_BYTES};
use super::params::Params;
use crate::hub::denied::RequestFault;

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
}

/// The body of a form. The first byte says in what pieces the rest comes, and what its
/// type is said to be. What is read of it is what another reader finds.
pub(crate) fn forms(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else { return };
    let (kind, is_form) = match how % 4 {
        0 => ("application/x-www-form-urlencoded", true),
        1 => ("Application/X-WWW-Form-Urlencoded; charset=utf-8", true),
        2 => ("application/x-www-form-urlencoded ;", true),
        _ => ("multipart/form-data", false),
    };
    let pieces =
        bytes.chunks(usize::from(how / 4) + 1).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)));
    let body = Body::from_stream(futures_util::stream::iter(pieces.collect::<Vec<_>>()));
    let request = Request::post("/").header("content-type", kind).body(body).expect("a request");
    let read = RUNTIME.with(|runtime| runtime.block_on(body::form(request)));
    match (read, str::from_utf8(bytes)) {
        (read, _) if !is_form => assert_eq!(read.err(), Some(RequestFault::BadContentType)),
        (read, _) if bytes.len() > BODY_MAX_BYTES => assert_eq!(read.err(), Some(RequestFault::TooLarge)),
        (read, Err(_)) => assert_eq!(read.err(), Some(RequestFault::BadParameter)),
        (read, Ok(text)) => agrees(read, text),
    }
}

/// With the reader of the `url` crate, which takes everything: what is refused here says a
/// name twice, or is not UTF-8.
fn agrees(read: Result<Params, RequestFault>, text: &str) {
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    let mut values = HashMap::new();
    let is_repeated = pairs.iter().any(|(name, value)| values.insert(name.as_ref(), value.as_ref()).is_some());
    match read {
        Ok(mut params) => {
            assert!(!is_repeated, "a name that stands twice is taken");
            for (name, value) in values {
                assert!(params.has(name));
                assert_eq!(params.take_as_given(name).as_deref(), Some(value), "two readers find the same");
                assert!(!params.has(name), "what was taken is gone");
            }
            assert!(params.is_empty(), "nobody else finds these");
        }
        Err(RequestFault::DuplicateParameter) => assert!(is_repeated, "no name stands twice"),
        Err(RequestFault::BadParameter) => assert!(!is_utf8(text), "all of it is UTF-8"),
        Err(other) => panic!("{other:?}"),
    }
}

/// Whether every name and value is UTF-8 once decoded.
fn is_utf8(text: &str) -> bool {
    text.split(['&', '=']).all(|part| percent_encoding::percent_decode_str(part).decode_utf8().is_ok())
}
