//! Looks at everything around the hub that a logout depends on, and says what is wrong
//! with it, why, and what would mend it. Signs nobody out.

mod apps;
pub mod finding;
mod issuer;
mod public_url;

use reqwest::Client;

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::oidc::fetch::{FetchError, client};
use finding::{Chapter, worst};

/// What every check asks with.
struct Rounds<'a> {
    config: &'a Config,
    clock: &'a dyn Clock,
    http: Client,
}

/// Looks at everything, one after the other: the issuers, the hub's own public address,
/// every app's logout addresses.
///
/// # Errors
/// [`FetchError::Request`] when the system has no certificates to trust.
pub async fn examine(config: &Config, clock: &dyn Clock) -> Result<Vec<Chapter>, FetchError> {
    let rounds = Rounds { config, clock, http: client()? };
    let mut chapters = Vec::new();
    for settings in &config.issuers {
        chapters.push(issuer::examine(&rounds, settings).await);
    }
    chapters.push(public_url::examine(&rounds).await);
    for app in &config.apps {
        chapters.extend(apps::examine(&rounds, app).await);
    }
    Ok(chapters)
}

/// How it ends, in one line.
#[must_use]
pub fn summary(chapters: &[Chapter]) -> String {
    use finding::Mark;
    let count = |mark| chapters.iter().flat_map(|chapter| &chapter.findings).filter(|it| it.mark == mark).count();
    match worst(chapters) {
        Mark::Fine => format!("everything is as it should be: {} checks", count(Mark::Fine)),
        Mark::Careful | Mark::Wrong => {
            format!("{} fine, {} to look at, {} wrong", count(Mark::Fine), count(Mark::Careful), count(Mark::Wrong))
        }
    }
}
