//! What the tests and the load generator share.

pub mod issuer;
pub mod token;
