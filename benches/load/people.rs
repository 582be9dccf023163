//! People with sessions, and what proves it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::fleet::Seat;
use crate::support::issuer::{TestIssuer, TestSession};
use crate::{APPS, Failure};

/// What an issuer signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alg {
    /// RSA of 2048 bits with SHA-256.
    Rs256,
    /// P-256 with SHA-256.
    Es256,
}

impl Alg {
    /// What client ids, and origins, of its issuer's apps start with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Rs256 => "rs",
            Self::Es256 => "es",
        }
    }

    /// As the JOSE header says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// One issuer for each algorithm, on sockets of their own.
pub struct Issuers {
    rsa: TestIssuer,
    ec: TestIssuer,
    seed: u64,
    people: AtomicUsize,
}

/// One session of a person's.
pub struct Person {
    /// The session's number in this run.
    pub session: usize,
    /// Whose issuer it is.
    pub alg: Alg,
    who: TestSession,
    /// What each of its apps may come back with, where it was told.
    pub tickets: [Option<String>; APPS],
}

impl Issuers {
    /// Starts them.
    pub async fn start(seed: u64) -> Self {
        let (rsa, ec) = (TestIssuer::start().await, TestIssuer::start().await);
        ec.sign_with_es256();
        Self { rsa, ec, seed, people: AtomicUsize::new(0) }
    }

    fn of(&self, alg: Alg) -> &TestIssuer {
        match alg {
            Alg::Rs256 => &self.rsa,
            Alg::Es256 => &self.ec,
        }
    }

    /// An issuer's `iss`.
    pub fn url(&self, alg: Alg) -> &str {
        self.of(alg).url()
    }

    /// Somebody new signs in.
    pub fn sign_in(&self, alg: Alg) -> Person {
        self.sign_in_as(alg, None)
    }

    /// Somebody signs in elsewhere too.
    pub fn sign_in_again(&self, person: &Person) -> Person {
        self.sign_in_as(person.alg, Some(&person.who.sub))
    }

    fn sign_in_as(&self, alg: Alg, sub: Option<&str>) -> Person {
        let session = self.people.fetch_add(1, Ordering::Relaxed);
        let sub = sub.map_or_else(|| format!("auth0|{:08x}{session:016x}", self.seed), str::to_owned);
        let sid = format!("sid-{:08x}-{session:018x}", self.seed);
        Person { session, alg, who: self.of(alg).session(&sub, &sid), tickets: Default::default() }
    }

    /// A fresh ID token for one of the apps, of somebody who has just signed in.
    pub fn id_token(&self, person: &Person, app: usize) -> String {
        let issuer = self.of(person.alg);
        let token = issuer.id_token(&person.who, &format!("{}{app}", person.alg.prefix()));
        token.with("auth_time", json!(issuer.now())).sign()
    }

    /// A back-channel logout token.
    pub fn logout_token(&self, person: &Person) -> String {
        let issuer = self.of(person.alg);
        issuer.logout_token(&person.who, &format!("{}0", person.alg.prefix())).sign()
    }
}

impl Person {
    /// A seat for one of its apps, which subscribes with that.
    pub fn seat(&self, app: usize, credential: String) -> Seat {
        Seat { session: self.session, app, origin: self.origin(app), credential }
    }

    /// The origin of one of its apps' pages.
    pub fn origin(&self, app: usize) -> String {
        format!("https://{}{app}.example", self.alg.prefix())
    }

    /// A session's seats, by the tickets it was given.
    fn seats_by_ticket(&self) -> Result<Vec<Seat>, Failure> {
        let tickets = self.tickets.iter().enumerate();
        let seats = tickets.map(|(app, ticket)| Ok(self.seat(app, ticket.clone().ok_or("no ticket was given")?)));
        seats.collect()
    }
}

/// The seats of all of these, by the tickets they were given.
pub fn by_ticket(people: &[Person]) -> Result<Vec<Seat>, Failure> {
    let mut seats = Vec::with_capacity(people.len() * APPS);
    for person in people {
        seats.extend(person.seats_by_ticket()?);
    }
    Ok(seats)
}
