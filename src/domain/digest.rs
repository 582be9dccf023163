//! SHA-256: names for what is not to be kept, or not to be shown, itself.

use std::fmt::Write as _;

use aws_lc_rs::digest::{self, SHA256};

/// The digest.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(digest::digest(&SHA256, bytes).as_ref());
    digest
}

/// The digest, in lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    sha256(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
