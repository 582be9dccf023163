//! `slo-hub keys`: the keys of the hub's own logout tokens, also while a hub runs.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat};

use super::{block_on, trouble};
use crate::config::Config;
use crate::domain::clock::{Clock, SystemClock, UnixSeconds};
use crate::domain::signing_key::{KEY_SET_CACHE_SECONDS, NOTICED_WITHIN_SECONDS, SigningKey};
use crate::hub::signing_keys::{self, Rotated, Rotation};
use crate::store::Store;
use crate::tasks::Tasks;

pub(super) fn list(path: &Path) -> ExitCode {
    with_store(path, async |store, now| {
        let keys = store.signing_keys().await?;
        if keys.is_empty() {
            say!("no keys yet: the first is made when the hub first starts");
            return Ok(());
        }
        say!("{:43}  {:7}  {:20}  {:20}  {:20}  published until", "kid", "state", "made", "signs from", "signs until");
        for key in keys {
            say!("{}", line(&key, now));
        }
        Ok(())
    })
}

pub(super) fn rotate(path: &Path, how: Rotation) -> ExitCode {
    with_store(path, async |store, now| {
        let rotated = signing_keys::rotate(store, now, how).await?;
        say!("{}", outcome(&rotated, how));
        Ok(())
    })
}

/// Opens the configured store, does the work, and closes it again.
fn with_store(path: &Path, work: impl AsyncFnOnce(&Store, UnixSeconds) -> Result<(), Box<dyn Error>>) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    // Opening would make one, in a place that is perhaps not meant.
    if let Some(file) = config.store.url.file()
        && !file.exists()
    {
        let file = file.display();
        complain!("slo-hub: there is no database at {file}: the hub makes it, and its first key, when it starts");
        return ExitCode::FAILURE;
    }
    let done = block_on(async {
        let store = Store::open(config.store.url.reveal(), &Tasks::default()).await?;
        let done = work(&store, SystemClock::start().now().floor()).await;
        store.close().await;
        done
    });
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => trouble(&*error),
        Err(error) => trouble(&error),
    }
}

fn line(key: &SigningKey, now: UnixSeconds) -> String {
    let end = |at: Option<UnixSeconds>| at.map_or_else(|| "-".to_owned(), time);
    format!(
        "{:43}  {:7}  {:20}  {:20}  {:20}  {}",
        key.kid,
        key.state(now).as_str(),
        time(key.made_at),
        time(key.signs_from),
        end(key.signs_until),
        end(key.published_until()),
    )
}

fn outcome(rotated: &Rotated, how: Rotation) -> String {
    let (kid, from) = (&rotated.key.kid, time(rotated.key.signs_from));
    match (how, rotated.is_new) {
        (Rotation::Now, _) => format!(
            "{kid} signs from now on, and every other key is gone. A running hub knows within \
             {NOTICED_WITHIN_SECONDS} s; whoever keeps a copy of the keys may trust the old ones for \
             {KEY_SET_CACHE_SECONDS} s more"
        ),
        (Rotation::WithOverlap, true) => {
            format!("{kid} is published, and signs from {from}; the one before stays published while its tokens live")
        }
        (Rotation::WithOverlap, false) => {
            format!("{kid} is published already, and signs from {from}: no other key is made")
        }
    }
}

fn time(at: UnixSeconds) -> String {
    DateTime::from_timestamp(at.0, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
