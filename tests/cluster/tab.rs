//! A tab: it subscribes, is cut off, dozes, renews, sleeps and comes back, until it is
//! told that its session is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cluster::{NODES, NOTES};
use crate::history::{End, Event};
use crate::luck::Luck;
use crate::socket::{Said, Socket};
use crate::support::issuer::TestSession;
use crate::world::{Phase, World};

/// How long an answer to `subscribe` is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The hub closes a socket after the event, if nobody acknowledges it, a little earlier.
const CLOSED_WITHIN: Duration = Duration::from_secs(7);

/// What a tab shows to come in.
#[derive(Clone)]
struct Credential {
    text: String,
    iat: i64,
    by: &'static str,
}

pub struct Tab {
    world: Arc<World>,
    luck: Luck,
    number: u32,
    who: TestSession,
    began: i64,
    token: Credential,
    ticket: Option<Credential>,
}

/// One connection of a tab.
struct Visit {
    socket: Socket,
    number: u32,
    /// The `iat` of what was shown last.
    iat: i64,
    /// Until when the hub has to answer.
    answers_by: Option<Instant>,
    is_live: bool,
    /// When the tab does something else, if the faults still go on.
    moves_at: Instant,
    code: Option<String>,
}

/// How a connection turned out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The tab knows that its session is over.
    Told,
    /// It is live, and everybody has come back.
    Home,
    Away,
}

impl Tab {
    /// A tab of a session that began then.
    pub fn new(world: &Arc<World>, luck: Luck, number: u32, who: TestSession, began: i64) -> Self {
        let (text, iat) = world.id_token(&who, began, false);
        world.history.note(Event::Opened { tab: number, sid: who.sid.clone(), sub: who.sub.clone(), began });
        let token = Credential { text, iat, by: "token" };
        Self { world: Arc::clone(world), luck, number, who, began, token, ticket: None }
    }

    /// Lives until it is told, or everybody has come back.
    pub async fn live(mut self) {
        loop {
            let outcome = match self.connect().await {
                Some(visit) => self.stay(visit).await,
                None => Outcome::Away,
            };
            match outcome {
                // Some come again all the same, and have to be told again.
                Outcome::Told if self.world.phase() == Phase::Faults && self.luck.one_in(4) => {}
                Outcome::Told | Outcome::Home => return,
                Outcome::Away => {}
            }
            self.sleep().await;
        }
    }

    async fn sleep(&mut self) {
        let long = self.luck.one_in(3);
        let a_while = self.luck.millis(20, if long { 4_000 } else { 300 });
        tokio::select! {
            () = sleep(a_while) => {}
            () = self.world.until(Phase::Settle) => {}
        }
        // Who is away when the faults are over comes back when everybody does.
        match self.world.phase() {
            Phase::Faults => {}
            Phase::Settle => self.world.until(Phase::Return).await,
            Phase::Return => sleep(a_while.min(Duration::from_millis(200))).await,
        }
    }

    /// Opens a socket somewhere and says who it is.
    async fn connect(&mut self) -> Option<Visit> {
        // By the balancer half of the time.
        let at = self.world.cluster.door(self.luck.below(2 * NODES));
        let socket = Socket::open(at, Some(NOTES.1)).await?;
        let number = self.world.next_connection();
        let now = Instant::now();
        let mut visit = Visit { socket, number, iat: 0, answers_by: None, is_live: false, moves_at: now, code: None };
        self.subscribe(&mut visit).await;
        Some(visit)
    }

    async fn subscribe(&mut self, visit: &mut Visit) {
        if self.luck.one_in(8) {
            let (text, iat) = self.world.id_token(&self.who, self.began, true);
            self.token = Credential { text, iat, by: "token" };
        }
        let ticket = self.ticket.clone().filter(|_| !self.luck.one_in(3));
        let Credential { text, iat, by } = ticket.unwrap_or_else(|| self.token.clone());
        (visit.iat, visit.answers_by) = (iat, Some(Instant::now() + ANSWER_WITHIN));
        visit.moves_at = Instant::now() + self.luck.millis(100, 8_000);
        let (tab, connection) = (self.number, visit.number);
        self.world.history.note(Event::Subscribing { tab, connection, iat, by: by.to_owned() });
        visit.socket.subscribe(&text).await;
    }

    /// From the first `subscribe` to the end of the connection.
    async fn stay(&mut self, mut visit: Visit) -> Outcome {
        loop {
            let world = Arc::clone(&self.world);
            let unanswered = visit.answers_by;
            let said = tokio::select! {
                biased;
                said = visit.socket.next() => said,
                () = at(unanswered) => Said::End(End::Left),
                () = world.until(Phase::Return), if visit.is_live && unanswered.is_none() => return Outcome::Home,
                () = sleep_until(visit.moves_at), if world.phase() == Phase::Faults => {
                    if self.moves(&mut visit).await {
                        continue;
                    }
                    Said::End(End::Left)
                }
            };
            match said {
                Said::Subscribed { resume } => self.welcome(&mut visit, resume),
                Said::Event(logout) => {
                    let (tab, connection, id) = (self.number, visit.number, logout.id.clone());
                    self.world.history.note(Event::Told { tab, connection, logout });
                    self.farewell(visit, &id).await;
                    return Outcome::Told;
                }
                Said::Error { code } => {
                    visit.code = Some(code);
                    // A channel that is live outlives a renewal that fails.
                    visit.answers_by = visit.answers_by.filter(|_| !visit.is_live);
                }
                Said::End(end) => {
                    self.gone(&visit, end);
                    return Outcome::Away;
                }
            }
        }
    }

    fn welcome(&mut self, visit: &mut Visit, resume: Option<String>) {
        self.world.history.note(Event::Subscribed { tab: self.number, connection: visit.number });
        (visit.is_live, visit.answers_by) = (true, None);
        self.ticket = resume.map(|text| Credential { text, iat: visit.iat, by: "ticket" });
    }

    /// Dozes with the socket open, or renews, or leaves; whether it is still there.
    async fn moves(&mut self, visit: &mut Visit) -> bool {
        match self.luck.below(4) {
            0 => {
                sleep(self.luck.millis(200, 3_000)).await;
                visit.moves_at = Instant::now() + self.luck.millis(100, 8_000);
            }
            1 if visit.answers_by.is_none() => self.subscribe(visit).await,
            _ => return false,
        }
        true
    }

    /// It has been told: it acknowledges, or not, and listens to the end.
    async fn farewell(&mut self, mut visit: Visit, id: &str) {
        if !self.luck.one_in(4) {
            visit.socket.send(&serde_json::json!({"type": "ack", "id": id})).await;
        }
        let to_the_end = async {
            loop {
                match visit.socket.next().await {
                    Said::End(end) => return end,
                    Said::Event(logout) => {
                        let (tab, connection) = (self.number, visit.number);
                        self.world.history.note(Event::Told { tab, connection, logout });
                    }
                    Said::Subscribed { .. } => {
                        let (tab, connection) = (self.number, visit.number);
                        self.world.history.note(Event::Subscribed { tab, connection });
                    }
                    Said::Error { .. } => {}
                }
            }
        };
        let end = timeout(CLOSED_WITHIN, to_the_end).await.unwrap_or(End::Left);
        self.gone(&visit, end);
    }

    fn gone(&self, visit: &Visit, end: End) {
        let (tab, connection, code) = (self.number, visit.number, visit.code.clone());
        self.world.history.note(Event::Gone { tab, connection, end, code });
    }
}

/// Waits for a moment; for ever where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
