//! How the hub is, at a glance: for the operator's console.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Hub;
use crate::domain::app::App;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer};
use crate::domain::signing_key::SigningKey;
use crate::oidc::keys::IssuerHealth;
use crate::store::{Backlog, Pace, StoreError, Unconfirmed};

/// How far back the overview looks for what was not confirmed, in seconds: an hour.
pub const UNCONFIRMED_SECONDS: i64 = 3_600;
/// How long what was given up is news after the end of its time, in seconds: a day. What was
/// refused before has more.
pub const GIVEN_UP_SECONDS: i64 = 24 * 3_600;

/// How the hub is.
pub struct Overview {
    /// When this was looked at.
    pub at: UnixMillis,
    /// How many channels are open.
    pub channels: usize,
    /// How many people have one open.
    pub people: usize,
    /// How every issuer's keys are, by name.
    pub issuers: Vec<IssuerHealth>,
    /// What the store says; or why it says nothing.
    pub records: Result<Records, StoreError>,
}

/// What the store says.
pub struct Records {
    /// How long it took to commit a trial write.
    pub commit: Duration,
    /// Logouts of late.
    pub pace: Pace,
    /// Who has not confirmed logouts of the last hour.
    pub unconfirmed: Vec<Unconfirmed>,
    /// Posts to back ends.
    pub posts: Backlog,
    /// Ends at issuers.
    pub ends: Backlog,
    /// How many other nodes there are; `None` where there can be none.
    pub other_nodes: Option<usize>,
}

/// An app, and how it is reached.
pub struct AppState {
    /// Its configuration.
    pub app: Arc<App>,
    /// How many of its channels are open here.
    pub channels: usize,
    /// When one of its tokens was last seen, to a day at worst; `None` where none of the
    /// latest sightings of all is its own.
    pub last_seen: Option<UnixSeconds>,
    /// What it has not confirmed of the last hour's logouts.
    pub unconfirmed: Option<Unconfirmed>,
}

impl Hub {
    /// How the hub is. What cannot be found out is part of the answer.
    pub async fn overview(&self) -> Overview {
        let (open, people) = self.channels.by_app();
        Overview {
            at: self.clock.now(),
            channels: open.values().sum(),
            people,
            issuers: self.issuers_health(),
            records: self.records().await,
        }
    }

    /// How every issuer's keys are, by name.
    #[must_use]
    pub fn issuers_health(&self) -> Vec<IssuerHealth> {
        let mut issuers = self.keys.health();
        issuers.sort_by(|one, other| one.issuer.cmp(&other.issuer));
        issuers
    }

    /// The hub's own signing keys, in the order in which they sign.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn own_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.store.signing_keys().await
    }

    /// Every configured app, in the configuration's order.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn apps_state(&self) -> Result<Vec<AppState>, StoreError> {
        let (mut open, _) = self.channels.by_app();
        let seen = self.store.last_sightings().await?.into_iter();
        let mut seen: HashMap<(Issuer, ClientId), UnixSeconds> =
            seen.map(|(issuer, client_id, at)| ((issuer, client_id), at)).collect();
        let since = self.clock.now().plus_seconds(-UNCONFIRMED_SECONDS);
        let mut unconfirmed = self.store.unconfirmed_since(since).await?;
        let state = |app: &Arc<App>| {
            let key = (app.issuer.clone(), app.client_id.clone());
            let own = unconfirmed.iter().position(|it| it.issuer == key.0 && it.client_id == key.1);
            AppState {
                app: Arc::clone(app),
                channels: open.remove(&key).unwrap_or_default(),
                last_seen: seen.remove(&key),
                unconfirmed: own.map(|at| unconfirmed.swap_remove(at)),
            }
        };
        Ok(self.directory.apps().iter().map(state).collect())
    }

    async fn records(&self) -> Result<Records, StoreError> {
        let (now, begun) = (self.clock.now(), self.clock.uptime());
        self.store.check().await?;
        let commit = self.clock.uptime().saturating_sub(begun);
        let [posts, ends] = self.store.backlogs(now.plus_seconds(-GIVEN_UP_SECONDS)).await?;
        let is_shared = self.store.is_shared();
        Ok(Records {
            commit,
            pace: self.store.pace(now).await?,
            unconfirmed: self.store.unconfirmed_since(now.plus_seconds(-UNCONFIRMED_SECONDS)).await?,
            posts,
            ends,
            other_nodes: if is_shared { Some(self.store.other_nodes().await?) } else { None },
        })
    }
}
