//! A history, sorted by whom it is about. Moments are places in the history.

use std::collections::BTreeMap;

use crate::history::{Answer, End, Entry, Event, Logout, Way, Whom};

/// How long a hub may still suffer from what was broken, in microseconds: a write waits for
/// as long as that.
const TROUBLE_LINGERS: u64 = 3_000_000;

/// A tab and its session.
pub(super) struct Tab<'a> {
    pub(super) sid: &'a str,
    pub(super) sub: &'a str,
    pub(super) began: i64,
}

impl Tab<'_> {
    pub(super) fn is_meant(&self, whom: &Whom) -> bool {
        match whom {
            Whom::Session(sid) => self.sid == sid,
            Whom::Person(sub) => self.sub == sub,
        }
    }
}

/// One `subscribe` and what it led to.
pub(super) struct Subscribe {
    pub(super) tab: u32,
    pub(super) connection: u32,
    pub(super) iat: i64,
    pub(super) asked: usize,
    /// When it was told `subscribed`.
    pub(super) let_in: Option<usize>,
    /// Nothing was broken then, nor had been for a while.
    pub(super) was_calm: bool,
}

/// One report.
pub(super) struct Report<'a> {
    pub(super) number: u32,
    pub(super) whom: &'a Whom,
    pub(super) way: Way,
    pub(super) iat: Option<i64>,
    pub(super) sent: usize,
    pub(super) answer: Option<(usize, &'a Answer)>,
}

/// An event that a tab got.
pub(super) struct Telling<'a> {
    pub(super) at: usize,
    pub(super) tab: u32,
    pub(super) connection: u32,
    pub(super) logout: &'a Logout,
}

/// What a follower got, in order.
#[derive(Default)]
pub(super) struct Feed<'a> {
    pub(super) is_from_the_beginning: bool,
    pub(super) fed: Vec<&'a str>,
}

#[derive(Default)]
pub(super) struct View<'a> {
    pub(super) tabs: BTreeMap<u32, Tab<'a>>,
    pub(super) subscribes: Vec<Subscribe>,
    pub(super) tellings: Vec<Telling<'a>>,
    /// How connections of tabs ended, and when.
    pub(super) ends: BTreeMap<u32, (usize, &'a End)>,
    pub(super) reports: Vec<Report<'a>>,
    pub(super) feeds: BTreeMap<u32, Feed<'a>>,
    pub(super) feed_ends: Vec<(u32, &'a End, Option<&'a str>)>,
    pub(super) log: Vec<&'a Logout>,
    pub(super) settled: Option<usize>,
    pub(super) finished: Option<usize>,
}

impl<'a> View<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Self {
        let mut view = Self::default();
        let (mut broken, mut trouble_until) = (0, None);
        for (at, entry) in entries.iter().enumerate() {
            match entry.event {
                Event::Broken { .. } => broken += 1,
                Event::Mended { .. } => {
                    broken -= 1;
                    trouble_until = Some(entry.at + TROUBLE_LINGERS);
                }
                _ => {}
            }
            view.take(at, &entry.event, broken == 0 && trouble_until.is_none_or(|until| until < entry.at));
        }
        view
    }

    fn take(&mut self, at: usize, event: &'a Event, is_calm: bool) {
        match event {
            Event::Opened { tab, sid, sub, began } => {
                self.tabs.insert(*tab, Tab { sid, sub, began: *began });
            }
            &Event::Subscribing { tab, connection, iat, .. } => {
                self.subscribes.push(Subscribe { tab, connection, iat, asked: at, let_in: None, was_calm: false });
            }
            Event::Subscribed { connection, .. } => {
                let mut latest = self.subscribes.iter_mut().rev();
                if let Some(asked) = latest.find(|asked| asked.connection == *connection) {
                    asked.let_in = Some(at);
                    asked.was_calm = is_calm;
                }
            }
            Event::Told { tab, connection, logout } => {
                self.tellings.push(Telling { at, tab: *tab, connection: *connection, logout });
            }
            Event::Gone { connection, end, .. } => {
                self.ends.insert(*connection, (at, end));
            }
            Event::Reporting { report, whom, way, iat } => {
                self.reports.push(Report { number: *report, whom, way: *way, iat: *iat, sent: at, answer: None });
            }
            Event::Reported { report, answer } => {
                if let Some(sent) = self.reports.iter_mut().find(|sent| sent.number == *report) {
                    sent.answer = Some((at, answer));
                }
            }
            Event::Following { follower, after } => {
                let is_new = !self.feeds.contains_key(follower);
                let feed = self.feeds.entry(*follower).or_default();
                feed.is_from_the_beginning |= is_new && after.as_deref() == Some("");
            }
            Event::Fed { follower, logout } => self.feeds.entry(*follower).or_default().fed.push(&logout.id),
            Event::Unfed { follower, end, code } => self.feed_ends.push((*follower, end, code.as_deref())),
            Event::Logged { logout } => self.log.push(logout),
            Event::Settled => self.settled = Some(at),
            Event::Finished => self.finished = Some(at),
            Event::Broken { .. } | Event::Mended { .. } | Event::Healed => {}
        }
    }

    /// The reports that were acknowledged, each with the moment of the answer.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (&Report<'a>, usize)> {
        self.reports.iter().filter_map(|report| match report.answer {
            Some((at, Answer::Acknowledged { .. })) => Some((report, at)),
            _ => None,
        })
    }

    /// Whether an acknowledged report surely ends a sign-in of that tab at `iat`: the
    /// issuer has ended the session; or the sign-in is not later than T, by whichever
    /// clock; or some node had let it in before the report was sent, so that it cannot be
    /// a later one, whatever the clocks say. In trouble a hub lets people in without being
    /// able to write that down; then it is T that counts.
    pub(super) fn covers(&self, report: &Report<'_>, number: u32, iat: i64) -> bool {
        let Some((_, Answer::Acknowledged { until, .. })) = report.answer else { return false };
        let Some(tab) = self.tabs.get(&number).filter(|tab| tab.is_meant(report.whom)) else { return false };
        let was_in = |least: i64| {
            let mut own = self.subscribes.iter().filter(|asked| asked.tab == number && asked.iat >= least);
            own.any(|asked| asked.was_calm && asked.let_in.is_some_and(|at| at < report.sent))
        };
        match (report.whom, report.way) {
            (Whom::Session(_), Way::Backchannel) => true,
            (Whom::Session(_), Way::App) => iat <= (*until).max(report.iat.unwrap_or(i64::MIN)) || was_in(iat),
            (Whom::Person(_), _) => tab.began <= *until || was_in(i64::MIN),
        }
    }

    /// Whether that tab has ever been told.
    pub(super) fn was_told(&self, tab: u32) -> bool {
        self.tellings.iter().any(|told| told.tab == tab)
    }

    /// The connections on which a tab was live at a moment and had not been told, each
    /// as the `subscribe` that let it in.
    pub(super) fn live_at(&self, moment: usize) -> impl Iterator<Item = &Subscribe> {
        self.subscribes.iter().enumerate().filter_map(move |(nth, asked)| {
            let is_in = asked.let_in.is_some_and(|at| at < moment);
            let is_renewed = self.subscribes[nth + 1..]
                .iter()
                .any(|later| later.connection == asked.connection && later.let_in.is_some_and(|at| at < moment));
            let is_gone = self.ends.get(&asked.connection).is_some_and(|(at, _)| *at < moment);
            let is_told = self.tellings.iter().any(|told| told.connection == asked.connection && told.at < moment);
            (is_in && !is_renewed && !is_gone && !is_told).then_some(asked)
        })
    }
}
