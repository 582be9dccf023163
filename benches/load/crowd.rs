//! A server under measurement with the people who have its sockets open.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::chance::Chance;
use crate::dialect::{Dialect, SloV1};
use crate::fleet::{Fleet, Manner, Opened, Seat};
use crate::http::Caller;
use crate::hub::{By, Hub, end_everywhere_request, end_request};
use crate::peers::Peer;
use crate::people::{Alg, Issuers, Person};
use crate::process::Process;
use crate::report::Side;
use crate::wire::Door;
use crate::{APPS, Failure};

/// How many sockets are opened at a time, where it is not all at once.
pub const AT_ONCE: usize = 128;

/// What is measured.
pub enum Server {
    /// The hub.
    Hub(Hub),
    /// The yardstick, or what one would use instead of a hub.
    Peer(Peer),
}

impl Server {
    /// Its process.
    pub fn process(&self) -> &Process {
        match self {
            Self::Hub(hub) => hub.process(),
            Self::Peer(peer) => &peer.process,
        }
    }

    /// In which column its figures stand.
    pub const fn side(&self) -> Side {
        match self {
            Self::Hub(_) => Side::Hub,
            Self::Peer(_) => Side::Floor,
        }
    }

    /// Where sockets connect.
    pub fn addr(&self) -> SocketAddr {
        match self {
            Self::Hub(hub) => hub.addr(),
            Self::Peer(peer) => peer.sockets,
        }
    }

    /// Where sessions are ended.
    pub fn door(&self) -> Door {
        match self {
            Self::Hub(hub) => hub.addr().into(),
            Self::Peer(peer) => peer.door,
        }
    }

    /// How its clients speak to it.
    pub fn dialect(&self) -> &'static dyn Dialect {
        match self {
            Self::Hub(_) => &SloV1 { id_is_channel: false },
            Self::Peer(peer) => peer.adapter.dialect(),
        }
    }
}

/// A session to be ended, and the request that does it.
pub struct Order {
    /// The session's number.
    pub session: usize,
    /// The bytes to be sent.
    pub request: Bytes,
}

/// How orders are sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As fast as so many callers can, each waiting for its answer.
    Callers(usize),
    /// One in each of these, whether or not the last was answered.
    Every(Duration),
}

/// What came of a number of orders.
pub struct Ended {
    /// From each request to the last frame of its session.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub answered: Duration,
    /// From the first request to the last frame of all.
    pub told: Duration,
}

/// The server, the sockets, and whose they are.
pub struct Crowd {
    /// What is measured.
    pub server: Server,
    /// The sockets.
    pub fleet: Fleet,
    /// Whose sockets are open and idle.
    pub people: Vec<Person>,
    issuers: Arc<Issuers>,
    chance: Chance,
}

impl Crowd {
    /// Nobody has a socket open yet.
    pub fn new(server: Server, issuers: Arc<Issuers>, seed: u64) -> Self {
        let fleet = Fleet::new(server.addr(), server.dialect());
        Self { server, fleet, people: Vec::new(), issuers, chance: Chance::new(seed) }
    }

    /// The hub, where that is what is measured.
    pub fn hub(&mut self) -> Result<&mut Hub, Failure> {
        match &mut self.server {
            Server::Hub(hub) => Ok(hub),
            Server::Peer(_) => Err("this is no hub".into()),
        }
    }

    /// New sessions, with what their sockets subscribe with, signed beforehand.
    pub fn newcomers(&self, sessions: usize, alg: Alg) -> (Vec<Person>, Vec<Seat>) {
        let people = self.strangers(sessions, alg);
        let seats = people.iter().flat_map(|person| self.seats(person)).collect();
        (people, seats)
    }

    /// One person's seats in so many sessions, and the request that ends them all.
    pub fn one_person(&self, sessions: usize) -> Result<(Vec<Seat>, Bytes), Failure> {
        let whose = self.issuers.sign_in(Alg::Es256);
        let people: Vec<_> = (0..sessions).map(|_| self.issuers.sign_in_again(&whose)).collect();
        let first = people.first().ok_or("nobody")?;
        Ok(match &self.server {
            Server::Hub(_) => {
                let seats = people.iter().flat_map(|person| self.seats(person)).collect();
                (seats, end_everywhere_request(&self.issuers, first))
            }
            Server::Peer(peer) => {
                let channel = format!("person-{}", first.session);
                let seat = |person: &Person| (0..APPS).map(|app| person.seat(app, channel.clone())).collect::<Vec<_>>();
                (people.iter().flat_map(seat).collect(), peer.adapter.publish(&channel))
            }
        })
    }

    /// New sessions whose apps never come.
    pub fn strangers(&self, sessions: usize, alg: Alg) -> Vec<Person> {
        (0..sessions).map(|_| self.issuers.sign_in(alg)).collect()
    }

    fn seats(&self, person: &Person) -> Vec<Seat> {
        let credential = |app| match &self.server {
            Server::Hub(_) => self.issuers.id_token(person, app),
            Server::Peer(_) => person.session.to_string(),
        };
        (0..APPS).map(|app| person.seat(app, credential(app))).collect()
    }

    /// Opens their sockets; they belong to the crowd from then on.
    pub async fn join(
        &mut self,
        people: Vec<Person>,
        seats: Vec<Seat>,
        manner: Manner,
        at_once: usize,
    ) -> Result<Opened, Failure> {
        let opened = self.fleet.open(seats, manner, at_once).await?.all()?;
        let first = self.people.len();
        self.people.extend(people);
        let newcomers = self.people.iter().enumerate().skip(first);
        let places: HashMap<usize, usize> = newcomers.map(|(place, person)| (person.session, place)).collect();
        for (session, app, ticket) in &opened.tickets {
            let place = places.get(session).ok_or("somebody joined who was not sent")?;
            self.people[*place].tickets[*app] = Some(ticket.clone());
        }
        Ok(opened)
    }

    /// Sees to it that so many sockets are open and idle.
    pub async fn fill(&mut self, sockets: usize) -> Result<(), Failure> {
        let sessions = (sockets / APPS).saturating_sub(self.people.len());
        if sessions > 0 {
            let (people, seats) = self.newcomers(sessions, Alg::Es256);
            self.join(people, seats, Manner::Acknowledges, AT_ONCE).await?;
        }
        Ok(())
    }

    /// Closes every socket from the clients' side.
    pub async fn empty(&mut self) -> Vec<Person> {
        self.fleet.leave().await;
        std::mem::take(&mut self.people)
    }

    /// So many of the people, drawn by chance; they are no longer idle.
    pub fn draw(&mut self, sessions: usize) -> Vec<Person> {
        let count = sessions.min(self.people.len());
        (0..count).map(|_| self.people.swap_remove(self.chance.below(self.people.len()))).collect()
    }

    /// The orders that end these sessions, signed beforehand.
    pub fn orders(&self, people: &[Person], by: By) -> Vec<Order> {
        let order = |person: &Person| {
            let request = match &self.server {
                Server::Hub(_) => end_request(&self.issuers, person, by),
                Server::Peer(peer) => peer.adapter.publish(&person.session.to_string()),
            };
            Order { session: person.session, request }
        };
        people.iter().map(order).collect()
    }

    /// Sends orders, and waits until every socket of theirs was told.
    pub async fn end(&mut self, orders: Vec<Order>, pace: Pace) -> Result<Ended, Failure> {
        end_in(&mut self.fleet, self.server.door(), orders, pace).await
    }
}

/// The same, for the sockets of one fleet among several.
pub async fn end_in(fleet: &mut Fleet, door: Door, orders: Vec<Order>, pace: Pace) -> Result<Ended, Failure> {
    let sessions: Vec<usize> = orders.iter().map(|order| order.session).collect();
    let started = Instant::now();
    let (sent, told) = tokio::join!(send(door, orders, pace), fleet.told(sessions.into_iter()));
    let (sent, told) = (sent?, told?);
    let answered = sent.iter().map(|order| order.answered).max().unwrap_or(started);
    let last = told.values().max().copied().unwrap_or(started);
    // A frame may be read before the answer is, never before the request was sent.
    let latencies = sent.iter().filter_map(|order| told.get(&order.session).map(|at| *at - order.asked)).collect();
    Ok(Ended { latencies, answered: answered - started, told: last - started })
}

/// Sends one request, and waits until every socket of all these sessions was told; from
/// the request to the last frame.
pub async fn end_all(fleet: &mut Fleet, door: Door, request: Bytes, sessions: Vec<usize>) -> Result<Duration, Failure> {
    let mut caller = Caller::new(door);
    caller.connect().await?;
    let asked = Instant::now();
    let (answer, told) = tokio::join!(caller.succeed(&request), fleet.told(sessions.into_iter()));
    answer?;
    Ok(told?.values().max().copied().unwrap_or(asked) - asked)
}

/// One order that was answered.
pub struct Sent {
    session: usize,
    asked: Instant,
    answered: Instant,
}

impl Sent {
    /// The session's number.
    pub const fn session(&self) -> usize {
        self.session
    }

    /// When the request was sent.
    pub const fn asked(&self) -> Instant {
        self.asked
    }

    /// From the request to its answer.
    pub fn took(&self) -> Duration {
        self.answered - self.asked
    }
}

/// Sends orders and waits for the answers.
pub async fn send(door: Door, orders: Vec<Order>, pace: Pace) -> Result<Vec<Sent>, Failure> {
    // At a steady pace enough callers that one is always free.
    let callers = match pace {
        Pace::Callers(count) => count,
        Pace::Every(_) => 32,
    };
    let mut shares: Vec<Vec<(usize, Order)>> = (0..callers).map(|_| Vec::new()).collect();
    for (number, order) in orders.into_iter().enumerate() {
        shares[number % callers].push((number, order));
    }
    let started = tokio::time::Instant::now();
    let mut tasks = JoinSet::new();
    for share in shares.into_iter().filter(|share| !share.is_empty()) {
        tasks.spawn(async move {
            let mut caller = Caller::new(door);
            caller.connect().await?;
            let mut sent = Vec::with_capacity(share.len());
            for (number, Order { session, request }) in share {
                if let Pace::Every(interval) = pace {
                    sleep_until(started + interval * u32::try_from(number)?).await;
                }
                let asked = Instant::now();
                caller.succeed(&request).await?;
                sent.push(Sent { session, asked, answered: Instant::now() });
            }
            Ok::<_, Failure>(sent)
        });
    }
    let mut sent = Vec::new();
    while let Some(share) = tasks.join_next().await {
        sent.extend(share??);
    }
    Ok(sent)
}
