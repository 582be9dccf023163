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
    console = "console" by stage::run,
    deliveries = "deliveries" by deliveries::run,
    discovery = "discovery" by stage::run,
    id_tokens = "id-tokens" by stage::run,
    keys = "keys" by stage::run,
    logout_forms = "logout-forms" by stage::run,
    logout_tokens = "logout-tokens" by stage::run,
    pages = "pages" by stage::run,
    proxies = "proxies" by stage::run,
    raw_http = "raw-http" by stage::run,
    reports = "reports" by stage::run,
    sockets = "sockets" by stage::run,
    strict_issuer = "strict-issuer" by stage::run,
    tls = "tls" by stage::run,
}

/// Played by the browser SDK's tests, which see to it that they leave out no row.
const PLAYED_BY_THE_SDK: &[&str] = &["post-message"];

#[test]
fn every_file_of_the_corpus_is_played() {
    let played: std::collections::BTreeSet<_> =
        PLAYED.iter().chain(PLAYED_BY_THE_SDK).map(|name| (*name).to_owned()).collect();
    assert_eq!(played, corpus::names());
}

#[test]
fn what_a_browser_is_told_is_played_by_the_sdk_and_by_nobody_else() {
    let runner = concat!(env!("CARGO_MANIFEST_DIR"), "/client-sdk/client/test/attacks.test.ts");
    let runner = std::fs::read_to_string(runner).unwrap();
    for name in corpus::names() {
        let is_the_sdks = PLAYED_BY_THE_SDK.contains(&name.as_str());
        let group = corpus::group(&name);
        for row in group.rows.iter().chain(&group.controls) {
            assert_eq!(row.message.is_some(), is_the_sdks, "{name}/{}", row.id);
        }
        assert_eq!(runner.contains(&format!("tests/attacks/{name}.yaml")), is_the_sdks, "{name}");
    }
}
