//! The attack corpus: `tests/attacks/*.yaml`, played against the real hub.
//!
//! A row is refused as it says. Beside that nothing is recorded, nobody is told, the hub
//! lives, and neither log nor metrics tell what was sent. The controls of each file are
//! taken before its rows and after them, so a hub that refuses everything fails.

mod act;
mod configs;
mod corpus;
mod deliveries;
mod forge;
mod line;
mod log;
mod papers;
mod serving;
mod stage;
mod words;

/// One test for each file, so that they run beside one another.
macro_rules! groups {
    ($($test:ident = $name:literal by $run:path),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $test() {
                Box::pin($run(corpus::group($name))).await;
            }
        )+

        /// The files that are played.
        const PLAYED: &[&str] = &[$($name),+];
    };
}

groups! {
    admin = "admin" by stage::run,
    api = "api" by stage::run,
    config = "config" by configs::run,
    deliveries = "deliveries" by deliveries::run,
    id_tokens = "id-tokens" by stage::run,
    keys = "keys" by stage::run,
    logout_forms = "logout-forms" by stage::run,
    logout_tokens = "logout-tokens" by stage::run,
    pages = "pages" by stage::run,
    raw_http = "raw-http" by stage::run,
    reports = "reports" by stage::run,
    sockets = "sockets" by stage::run,
    strict_issuer = "strict-issuer" by stage::run,
}

#[test]
fn every_file_of_the_corpus_is_played() {
    let played: std::collections::BTreeSet<_> = PLAYED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(played, corpus::names());
}
