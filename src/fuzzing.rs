//! What is fuzzed: every reader of what strangers send. Not a part of the hub: there only
//! for `fuzz/`, which finds inputs by what they cover, and for the tests, which play those
//! it has found, and changes of them.

#[cfg(test)]
mod mutation;
#[cfg(test)]
mod tests;

use crate::{config, hub, oidc, web, ws};

/// One reader, with what must hold of what it takes: it panics where that does not.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("claims", oidc::fuzzed::claims),
    ("config", config::fuzzed::configuration),
    ("forged", hub::fuzzed::forged),
    ("forms", web::fuzzed::forms),
    ("frames", ws::fuzzed::frames),
    ("json", oidc::fuzzed::object),
    ("jws", oidc::fuzzed::jws),
    ("messages", ws::fuzzed::messages),
    ("sealed", hub::fuzzed::sealed),
];

/// The target of that name.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(own, _)| *own == name);
    found.unwrap_or_else(|| panic!("{name} is no target")).1
}
