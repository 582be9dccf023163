//! The composition root: every part is built here, once, and handed what it needs.

mod service_manager;
mod traces;

use std::io::{IsTerminal, stdin};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::channels::Channels;
use crate::config::tls::TlsFiles;
use crate::config::{Config, Server};
use crate::console::{self, Console};
use crate::delivery::{self, Chance, Deliveries, Lookup, NoTls, NoteEnd, SessionEnd, SystemLookup, system_chance};
use crate::domain::clock::{Clock, SystemClock};
use crate::http::ops::{self, Ops};
use crate::http::traced::{self, Believed};
use crate::http::{self, layers};
use crate::hub::back_ends::BackEnds;
use crate::hub::delivery_notes::DeliveryNotes;
use crate::hub::denied::Denied;
use crate::hub::drill_elsewhere::Rehearsing;
use crate::hub::own_questions::own_answers;
use crate::hub::seal::Seal;
use crate::hub::session_life::SessionLife;
use crate::hub::signing_keys::{KeyTrouble, ready_keys};
use crate::hub::sweeping::Sweeping;
use crate::hub::{Hub, Rules};
use crate::listener::gate::Gate;
use crate::listener::tls::{Look, NoTls as NoCertificate, Tls};
use crate::listener::{Deadlines, Limits, Listener, Port, Watch};
use crate::metrics::Metrics;
use crate::oidc::code_flow::CodeFlow;
use crate::oidc::fetch::Fetcher;
use crate::oidc::keys::IssuerKeys;
use crate::oidc::management::Managements;
use crate::oidc::own_logout_token::OwnLogoutTokens;
use crate::oidc::resume_ticket::ResumeTickets;
use crate::oidc::verifier::{TokenRules, Verifier};
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;
use crate::telemetry::LogHash;
use crate::telemetry::traces::Traces;
use crate::web::Edge;
use crate::web::caller::with_client_addr;
use crate::web::failures::Failures;
use crate::web::pace::Paces;
use crate::{pages, ws};
use traces::Exporting;
pub use traces::traces;

/// How long a stopping hub waits for what is under way.
const DRAIN_DEADLINE: Duration = Duration::from_secs(7);
/// How long it then waits for the store to be closed.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Why the hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error("store.url: {0}")]
    Store(#[from] StoreError),
    /// The keys of the hub's own tokens cannot be had.
    #[error("store.url: {0}")]
    Keys(#[from] KeyTrouble),
    /// An address cannot be listened on.
    #[error("{key}: cannot listen on {addr}: {source}")]
    Listen {
        /// The configuration's key.
        key: &'static str,
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A listener's certificate cannot be served with.
    #[error("{key}: {source}")]
    Certificate {
        /// The configuration's key.
        key: &'static str,
        /// What is wrong.
        source: NoCertificate,
    },
    /// The client for the issuers cannot be built.
    #[error("cannot set up TLS for requests to issuers: {0}")]
    Tls(String),
    /// The client for apps' back ends cannot be built.
    #[error("cannot set up TLS for requests to back ends: {0}")]
    Deliveries(#[from] NoTls),
    /// The client for the traces' collector cannot be built.
    #[error("cannot set up TLS for requests to the traces' collector: {0}")]
    Traces(String),
    /// The system does not let the hub wait for signals.
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
}

/// A hub that is running.
pub struct Running {
    /// Where apps, issuers and browsers call.
    pub public_addr: SocketAddr,
    /// Where health and metrics are.
    pub admin_addr: SocketAddr,
    /// The verbs, for who embeds the hub.
    pub hub: Arc<Hub>,
    /// What is under way to apps' back ends.
    pub deliveries: Deliveries,
    /// What the listeners show of themselves.
    pub certificates: Vec<Tls>,
}

/// What a hub takes from its surroundings, besides its configuration.
pub struct Surroundings {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where the addresses of back ends' names come from.
    pub lookup: Arc<dyn Lookup>,
    /// What spreads retries.
    pub chance: Chance,
}

impl Surroundings {
    /// Those of the machine, but for the clock.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lookup: Arc::new(SystemLookup), chance: system_chance() }
    }
}

/// Runs a hub until the process is told to stop, and sends its spans where it has some.
///
/// # Errors
/// [`StartError`].
pub async fn run(config: Config, traces: Option<Traces>) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    // Before anybody can know that the hub is there: until it is waited for, the signal ends the process.
    let mut hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
    // A terminal that is gone ends the hub as it would any program.
    let has_terminal = stdin().is_terminal();
    let exporting = traces.map(|traces| Exporting::start(traces.into_export()));
    let surroundings = Surroundings::with_clock(Arc::new(SystemClock::start()));
    let running = start(config, surroundings).await?;
    tracing::info!(listen = %running.public_addr, admin_listen = %running.admin_addr, "slo-hub is up");
    service_manager::tell(service_manager::READY);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(()) = hangup.recv() => match (running.look_at_certificates().is_empty(), has_terminal) {
                (true, true) => break,
                (true, false) => tracing::info!("told to reload: there are no certificates, and nothing else is read anew; restart the hub"),
                (false, _) => {}
            },
        }
    }
    service_manager::tell(service_manager::STOPPING);
    tracing::info!("stopping: no new connections, every socket is closed with 1012");
    running.stop().await;
    if let Some(exporting) = exporting {
        exporting.finish().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Starts a hub with its listeners and background work; returns once it answers.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: Config, surroundings: Surroundings) -> Result<Running, StartError> {
    let port = if config.server.reuse_port { Port::Shared } else { Port::Alone };
    let Surroundings { clock, lookup, chance } = surroundings;
    let tls = certificate("server.tls", config.server.tls.as_ref(), clock.as_ref())?;
    let admin_tls = certificate("server.admin_tls", config.server.admin_tls.as_ref(), clock.as_ref())?;
    let certificates = tls.iter().chain(&admin_tls).cloned().collect();
    let public = bind("server.listen", config.server.listen, port)?.by(tls);
    let admin = bind("server.admin_listen", config.server.admin_listen, Port::Alone)?.by(admin_tls);
    let hub = build_hub(&config, clock, &lookup).await?;
    let edge = build_edge(&config, &hub);
    let limits = Limits {
        max_connections: config.limits.max_connections,
        max_connections_per_ip: config.limits.max_connections_per_ip,
        trusted_proxies: config.server.trusted_proxies.clone(),
    };
    let deliveries = Deliveries::start(delivery_parts(&hub, lookup, chance))?;
    let (public_addr, admin_addr) = (public.local_addr(), admin.local_addr());
    let running = Running { public_addr, admin_addr, hub: Arc::clone(&hub), deliveries, certificates };
    running.follow_certificates();
    let routes = public_routes(&edge, &config.server);
    let listeners = [("public", public.watch()), ("admin", admin.watch())];
    let admin_routes = admin_routes(config, &hub, listeners);
    let tasks = hub.tasks.clone();
    hub.tasks.spawn(public.serve(routes, limits.clone(), tasks.clone()));
    hub.tasks.spawn(admin.serve(admin_routes, limits, tasks));
    hub.keys.prefetch_all();
    hub.keep_house();
    hub.keep_sessions();
    Ok(running)
}

impl Running {
    /// Shows new certificates from when their files hold them.
    fn follow_certificates(&self) {
        for tls in &self.certificates {
            let (clock, tasks) = (Arc::clone(&self.hub.clock), self.hub.tasks.clone());
            self.hub.tasks.spawn(tls.clone().follow_files(clock, tasks));
        }
    }

    /// Looks at the certificates' files now.
    #[must_use]
    pub fn look_at_certificates(&self) -> Vec<Look> {
        let now = self.hub.clock.now().floor();
        self.certificates.iter().map(|tls| tls.look(now)).collect()
    }

    /// Stops taking connections, closes every socket, lets requests finish. Ends within
    /// ten seconds whatever clients do.
    pub async fn stop(&self) {
        self.hub.tasks.stop();
        if timeout(DRAIN_DEADLINE, self.hub.tasks.ended()).await.is_err() {
            tracing::warn!("some connections did not end in time and are cut");
        }
        // Whoever still finishes has been heard; a disk that hangs is not waited for.
        if timeout(CLOSE_DEADLINE, self.hub.store.close()).await.is_err() {
            tracing::warn!("the store did not close in time; nothing acknowledged is lost by that");
        }
    }
}

fn certificate(key: &'static str, files: Option<&TlsFiles>, clock: &dyn Clock) -> Result<Option<Tls>, StartError> {
    let tls = files.map(|files| Tls::of(key, files.clone(), clock.now().floor()));
    tls.transpose().map_err(|source| StartError::Certificate { key, source })
}

fn bind(key: &'static str, addr: SocketAddr, port: Port) -> Result<Listener, StartError> {
    Listener::bind_with(addr, port, Deadlines::default()).map_err(|source| StartError::Listen { key, addr, source })
}

async fn build_hub(config: &Config, clock: Arc<dyn Clock>, lookup: &Arc<dyn Lookup>) -> Result<Arc<Hub>, StartError> {
    let tasks = Tasks::default();
    let metrics = Arc::new(Metrics::new());
    let directory = Arc::new(config.directory());
    // Tasks of its own: the store serves until those who are stopping have finished.
    let store = Store::open(config.store.url.reveal(), &Tasks::default()).await?;
    let fetcher = Fetcher::new().map_err(|error| StartError::Tls(error.to_string()))?;
    let keys = Arc::new(IssuerKeys::new(Arc::clone(&directory), fetcher.clone(), Arc::clone(&clock), tasks.clone()));
    let rules = TokenRules {
        clock_skew_seconds: seconds(config.limits.clock_skew),
        logout_token_max_age_seconds: seconds(config.limits.logout_token_max_age),
    };
    let verifier = Verifier::new(Arc::clone(&directory), Arc::clone(&keys), rules);
    let own_tokens = build_own_tokens(config, &store, &clock).await?;
    let management = Managements::of(&directory, lookup, &clock).map_err(|error| StartError::Tls(error.to_string()))?;
    let hub = Hub {
        management,
        code_flow: CodeFlow::new(fetcher, Arc::clone(&keys), verifier.clone()),
        seal: Seal::new(store.secret("confirm", clock.now()).await?),
        verifier,
        tickets: ResumeTickets::new(store.secret("resume_tickets", clock.now()).await?),
        own_tokens,
        channels: Channels::default(),
        delivery_notes: DeliveryNotes::default(),
        life: SessionLife::new(config.session.timeouts, clock.as_ref()),
        sweeping: Sweeping::default(),
        own_answers: own_answers(),
        log_hash: LogHash::new(store.secret("log_hash", clock.now()).await?),
        rehearsing: Rehearsing::default(),
        rules: Rules {
            public_url: config.server.public_url.clone(),
            resume_ttl: config.session.resume_ttl,
            max_connections_per_session: config.limits.max_connections_per_session,
            logout_token_max_age: config.limits.logout_token_max_age,
            clock_skew: config.limits.clock_skew,
            retention: config.store.retention,
        },
        back_ends: BackEnds::of(&directory),
        directory,
        keys,
        store,
        clock,
        metrics,
        tasks,
    };
    Ok(Arc::new(hub))
}

fn delivery_parts(hub: &Arc<Hub>, lookup: Arc<dyn Lookup>, chance: Chance) -> delivery::Parts {
    delivery::Parts {
        directory: Arc::clone(&hub.directory),
        store: hub.store.clone(),
        own_tokens: Arc::clone(&hub.own_tokens),
        management: hub.management.clone(),
        note_end: note_end(Arc::clone(hub)),
        clock: Arc::clone(&hub.clock),
        metrics: Arc::clone(&hub.metrics),
        tasks: hub.tasks.clone(),
        lookup,
        chance,
    }
}

/// What was ended at an issuer is the hub's to write down and to push.
fn note_end(hub: Arc<Hub>) -> NoteEnd {
    Arc::new(move |SessionEnd { logout, sid, is_final }| {
        let hub = Arc::clone(&hub);
        Box::pin(async move {
            hub.note_issuer_end(logout, sid, is_final).await.map_err(|denied| match denied {
                Denied::Store(error) => error,
                _ => StoreError::Stopped,
            })
        })
    })
}

async fn build_own_tokens(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<OwnLogoutTokens>, KeyTrouble> {
    let own_tokens = OwnLogoutTokens::new(config.server.public_url.clone(), Arc::clone(clock));
    own_tokens.use_keys(ready_keys(store, clock.now().floor()).await?)?;
    Ok(Arc::new(own_tokens))
}

fn build_edge(config: &Config, hub: &Arc<Hub>) -> Edge {
    let limits = &config.limits;
    Edge {
        hub: Arc::clone(hub),
        gate: Gate::new(limits.max_connections, limits.max_connections_per_ip),
        failures: Failures::new(limits.invalid_requests_per_minute_per_ip, Arc::clone(&hub.clock)),
        codes: Failures::new(limits.invalid_requests_per_minute_per_ip, Arc::clone(&hub.clock)),
        paces: Paces::new(Arc::clone(&hub.clock)),
        trusted_proxies: config.server.trusted_proxies.clone().into(),
        subscribe_timeout: limits.subscribe_timeout,
    }
}

fn public_routes(edge: &Edge, server: &Server) -> Router {
    let ws = http::guarded(ws::routes(), edge);
    let api = http::routes(edge).merge(ws).with_state::<()>(edge.clone());
    let held_back = from_fn_with_state(edge.clone(), layers::hold_back_failures);
    // A name that every machine has for itself is not this hub's alone to speak for.
    let is_strict = server.tls.is_some() && !server.public_url.stays_here();
    api.merge(pages::routes(edge.clone()))
        .fallback_service(any(http::not_found).layer(held_back))
        .layer(from_fn(layers::with_one_host))
        .layer(from_fn(layers::with_bounded_head))
        .layer(layers::catch_panics())
        .layer(from_fn_with_state(Arc::clone(&edge.hub), layers::with_request_id))
        .layer(from_fn(layers::with_plain_headers))
        .layer(from_fn_with_state(is_strict, layers::with_strict_transport))
        .layer(from_fn_with_state(edge.clone(), with_client_addr))
        .layer(from_fn_with_state(Believed::Proxies(Arc::clone(&edge.trusted_proxies)), traced::with_span))
}

fn admin_routes(config: Config, hub: &Arc<Hub>, listeners: [(&'static str, Watch); 2]) -> Router {
    let token = config.server.admin_token.clone();
    let console = Console::new(Arc::clone(hub), Arc::new(config));
    let wrong_tokens = console.wrong_tokens();
    let ops = Ops { hub: Arc::clone(hub), token, wrong_tokens, listeners: listeners.into() };
    ops::routes(ops, console::routes(console)).layer(from_fn_with_state(Believed::Everyone, traced::with_span))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
