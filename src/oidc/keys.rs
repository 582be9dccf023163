//! The issuers' keys and metadata: at hand, and asked for anew, but seldom.
//!
//! The last good key set is kept whatever becomes of the issuer. A new one is fetched
//! when a token names an unknown key, and in the background once the set is old; never
//! more often than every 30 s for one issuer, however many tokens ask for it, and only
//! one fetch at a time, which goes on when who asked for it has left.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{Instrument as _, Span, field};
use url::Url;

use super::discovery::{self, IssuerTrouble, Metadata};
use super::fetch::{FetchError, Fetcher};
use super::key_set::{Fetched, KeySet};
use crate::domain::app::Directory;
use crate::domain::clock::{Clock, UnixMillis};
use crate::domain::ids::Issuer;
use crate::tasks::Tasks;
use crate::telemetry::spans::{self, Origin, span, step};

/// The least time between the beginnings of two fetches from one issuer.
pub const COOL_DOWN: Duration = Duration::from_secs(30);

/// The same while the hub has no keys of the issuer at all: every token waits then.
const FIRST_COOL_DOWN: Duration = Duration::from_secs(5);

/// How long a caller waits for a fetch.
pub const CALLER_PATIENCE: Duration = Duration::from_secs(2);

/// How long a fetch may take, metadata and keys together.
pub const FETCH_DEADLINE: Duration = Duration::from_secs(5);

/// The age at which keys that are in use are fetched anew, in the background.
pub const KEYS_ARE_OLD: Duration = Duration::from_secs(10 * 60);

/// The age at which metadata is read anew by the next fetch.
pub const METADATA_IS_OLD: Duration = Duration::from_secs(60 * 60);

/// When a token came. It is judged as of then, and a key that is unknown now may only
/// be called unknown after a fetch that began later.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The time of day: what the token's times are compared with.
    pub at: UnixMillis,
    /// How many fetches had begun by then in this process; `None` for a token that was
    /// kept on disk, whose time alone tells.
    pub(super) fetches_begun: Option<u64>,
}

/// How an issuer's keys are.
#[derive(Clone, Debug)]
pub struct IssuerHealth {
    /// Whose keys.
    pub issuer: Issuer,
    /// How old they are; `None` while there are none.
    pub keys_age: Option<Duration>,
    /// How many of them can check a signature.
    pub usable_keys: usize,
    /// Whether its metadata is at hand.
    pub has_metadata: bool,
    /// When the last fetch failed, and why, in words without addresses; `None` once a later
    /// one has brought keys.
    pub trouble: Option<(UnixMillis, String)>,
    /// Fetches that brought keys.
    pub fetches_ok: u64,
    /// Fetches that did not.
    pub fetches_failed: u64,
}

/// The keys and metadata of every configured issuer.
pub struct IssuerKeys {
    sources: HashMap<Issuer, Arc<Source>>,
    shared: Arc<Shared>,
}

impl IssuerKeys {
    /// Knows nothing yet and asks nobody; see [`IssuerKeys::prefetch_all`].
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "every part is handed what it shares in the same way")]
    pub fn new(directory: Arc<Directory>, fetcher: Fetcher, clock: Arc<dyn Clock>, tasks: Tasks) -> Self {
        let begun = AtomicU64::new(0);
        let shared = Arc::new(Shared { fetcher, clock, tasks, begun, fetched: watch::Sender::new(0) });
        let source = |issuer: &Issuer| (issuer.clone(), Arc::new(Source::new(issuer.clone(), Arc::clone(&shared))));
        Self { sources: directory.issuers().map(|settings| source(&settings.issuer)).collect(), shared }
    }

    /// Begins to fetch the keys of every issuer. Waits for none: one that is down now
    /// is asked again when a token needs it.
    pub fn prefetch_all(&self) {
        for source in self.sources.values() {
            source.fetch_under_way();
        }
    }

    /// Marks the arrival of a token.
    #[must_use]
    pub fn arrival(&self) -> Arrival {
        let at = self.shared.clock.now();
        Arrival { at, fetches_begun: Some(self.shared.begun.load(Ordering::SeqCst)) }
    }

    /// The arrival of a token that has waited on disk since, perhaps from before this
    /// process began. Which fetches are later is then told by the time of day.
    #[must_use]
    pub fn arrival_of_parked(&self, at: UnixMillis) -> Arrival {
        Arrival { at, fetches_begun: None }
    }

    /// Counts the fetches that brought keys, from whichever issuer. For who waits for keys.
    #[must_use]
    pub fn fetched(&self) -> watch::Receiver<u64> {
        self.shared.fetched.subscribe()
    }

    /// Whether there are keys of that issuer.
    #[must_use]
    pub fn has_keys(&self, issuer: &Issuer) -> bool {
        self.sources.get(issuer).is_some_and(|source| source.lock().keys.is_some())
    }

    /// How every issuer's keys are, in no order.
    #[must_use]
    pub fn health(&self) -> Vec<IssuerHealth> {
        self.sources.values().map(|source| source.health()).collect()
    }

    /// The issuer's metadata, if it is at hand.
    #[must_use]
    pub fn metadata(&self, issuer: &Issuer) -> Option<Arc<Metadata>> {
        self.sources.get(issuer)?.lock().metadata.clone()
    }

    /// The issuer's metadata; fetched, if it is not at hand, for at most
    /// [`CALLER_PATIENCE`].
    ///
    /// # Cancel safety
    /// The fetch goes on without the caller.
    pub async fn metadata_or_fetch(&self, issuer: &Issuer) -> Option<Arc<Metadata>> {
        if let Some(at_hand) = self.metadata(issuer) {
            return Some(at_hand);
        }
        self.sources.get(issuer)?.wait_for_fetch().await;
        self.metadata(issuer)
    }

    /// The issuer's last good key set. When it is old, a newer one is fetched in the
    /// background.
    pub(super) fn at_hand(&self, issuer: &Issuer) -> Option<Arc<KeySet>> {
        let source = self.sources.get(issuer)?;
        let keys = source.lock().keys.clone()?;
        if self.shared.clock.uptime().saturating_sub(keys.fetched.uptime) > KEYS_ARE_OLD {
            source.fetch_under_way();
        }
        Some(keys)
    }

    /// The issuer's newest key set: fetched, if that can be done now, for at most
    /// [`CALLER_PATIENCE`]; else the one at hand.
    pub(super) async fn newest(&self, issuer: &Issuer) -> Option<Arc<KeySet>> {
        let source = self.sources.get(issuer)?;
        source.wait_for_fetch().await;
        source.lock().keys.clone()
    }
}

/// What all issuers have in common.
struct Shared {
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
    /// Fetches begun.
    begun: AtomicU64,
    /// Fetches that brought keys.
    fetched: watch::Sender<u64>,
}

/// One issuer, as a source of keys.
struct Source {
    issuer: Issuer,
    shared: Arc<Shared>,
    // `std`'s mutex: nothing awaits while holding it.
    state: Mutex<State>,
    /// The number of the last fetch that ended.
    ended: watch::Sender<u64>,
    ok: AtomicU64,
    failed: AtomicU64,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    metadata: Option<Arc<Metadata>>,
    /// When the metadata was read; `None` when it has to be read again.
    metadata_read: Option<Duration>,
    last_begun: Option<Fetched>,
    trouble: Option<(UnixMillis, String)>,
}

impl Source {
    fn new(issuer: Issuer, shared: Arc<Shared>) -> Self {
        let (ok, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { issuer, shared, state: Mutex::default(), ended: watch::Sender::new(0), ok, failed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the fetch under way, which is begun unless one has begun within
    /// its cool-down. `None` when there is none and may be none yet.
    fn fetch_under_way(self: &Arc<Self>) -> Option<u64> {
        let uptime = self.shared.clock.uptime();
        let mut state = self.lock();
        let cool_down = if state.keys.is_some() { COOL_DOWN } else { FIRST_COOL_DOWN };
        if let Some(last) = state.last_begun
            && uptime.saturating_sub(last.uptime) < cool_down
        {
            return (*self.ended.borrow() < last.number).then_some(last.number);
        }
        if self.shared.tasks.is_stopping() {
            return None;
        }
        let number = self.shared.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let fetched = Fetched { number, at: self.shared.clock.now(), uptime };
        state.last_begun = Some(fetched);
        let span = span!(root, "fetch keys", slo_hub.issuer = self.issuer.as_str());
        let span = Origin::here().parent_of(span);
        self.shared.tasks.spawn(Arc::clone(self).fetch(fetched).instrument(span));
        Some(number)
    }

    async fn wait_for_fetch(self: &Arc<Self>) {
        let mut ended = self.ended.subscribe();
        if let Some(number) = self.fetch_under_way() {
            let over = ended.wait_for(|last| *last >= number);
            // Out of patience is as good as a fetch that failed: what is at hand counts.
            let _ = timeout(CALLER_PATIENCE, over).await;
        }
    }

    /// One fetch, from its beginning to its end, whoever still waits for it.
    async fn fetch(self: Arc<Self>, fetched: Fetched) {
        let outcome = timeout(FETCH_DEADLINE, self.fresh_keys(fetched)).await.unwrap_or(Err(IssuerTrouble::TooSlow));
        match outcome {
            Ok(keys) => self.keep(keys),
            Err(trouble) => self.keep_the_old(&trouble),
        }
        self.ended.send_modify(|last| *last = fetched.number.max(*last));
    }

    fn keep(&self, keys: KeySet) {
        let mut state = self.lock();
        // A fetch that hung may end after a later one.
        let is_newest = state.keys.as_ref().is_none_or(|old| old.fetched.number < keys.fetched.number);
        if is_newest {
            state.keys = Some(Arc::new(keys));
            state.trouble = None;
        }
        drop(state);
        self.ok.fetch_add(1, Ordering::Relaxed);
        self.shared.fetched.send_modify(|count| *count += 1);
    }

    /// The keys may have moved: the next fetch reads the metadata first.
    fn keep_the_old(&self, trouble: &IssuerTrouble) {
        let error: &dyn std::error::Error = trouble;
        let mut state = self.lock();
        state.metadata_read = None;
        state.trouble = Some((self.shared.clock.now(), in_full(error)));
        drop(state);
        self.failed.fetch_add(1, Ordering::Relaxed);
        spans::failed(&Span::current(), "keys_unavailable");
        tracing::warn!(issuer = self.issuer.as_str(), error, "could not fetch the keys of an issuer");
    }

    async fn fresh_keys(&self, fetched: Fetched) -> Result<KeySet, IssuerTrouble> {
        let metadata = match self.metadata_in_date() {
            Some(metadata) => metadata,
            None => self.fresh_metadata().await?,
        };
        let document = self.get("issuer keys", &metadata.jwks_uri).await?;
        KeySet::read(&document, fetched).ok_or(IssuerTrouble::NoKeys)
    }

    async fn get(&self, what: &'static str, at: &Url) -> Result<Value, FetchError> {
        let asking = step!(
            "issuer",
            otel.name = what,
            otel.kind = "client",
            slo_hub.issuer = self.issuer.as_str(),
            http.request.method = "GET",
            http.response.status_code = field::Empty,
        );
        self.shared.fetcher.json(at).instrument(asking).await
    }

    fn metadata_in_date(&self) -> Option<Arc<Metadata>> {
        let state = self.lock();
        let age = self.shared.clock.uptime().saturating_sub(state.metadata_read?);
        if age < METADATA_IS_OLD { state.metadata.clone() } else { None }
    }

    async fn fresh_metadata(&self) -> Result<Arc<Metadata>, IssuerTrouble> {
        let at = discovery::location(&self.issuer).ok_or(IssuerTrouble::NotAUrl)?;
        let document = self.get("issuer metadata", &at).await?;
        let metadata = Arc::new(discovery::read(&document, &self.issuer)?);
        let mut state = self.lock();
        state.metadata = Some(Arc::clone(&metadata));
        state.metadata_read = Some(self.shared.clock.uptime());
        Ok(metadata)
    }

    fn health(&self) -> IssuerHealth {
        let uptime = self.shared.clock.uptime();
        let state = self.lock();
        IssuerHealth {
            issuer: self.issuer.clone(),
            keys_age: state.keys.as_ref().map(|keys| uptime.saturating_sub(keys.fetched.uptime)),
            usable_keys: state.keys.as_ref().map_or(0, |keys| keys.usable()),
            has_metadata: state.metadata.is_some(),
            trouble: state.trouble.clone(),
            fetches_ok: self.ok.load(Ordering::Relaxed),
            fetches_failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

/// An error with what led to it.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
