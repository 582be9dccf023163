//! The decisions: is a report a repeat, and whom does a logout newly end?
//!
//! Pure. The writer loads what is known about the sessions and people that a
//! batch of reports names, asks here report by report, and writes down what
//! came of it. Each report sees what the ones before it did.

mod over;
mod reach;
mod sweep;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::report::{Outcome, Report};
use super::seen_tokens::SeenToken;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, SessionKey, Sid, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, Scope, SignIn, Source};

/// The logouts of one session, or of one person.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The most recent one, by its place in [`Facts::logouts`]. For a session that
    /// none is about by itself: the one of its person that answers for its end.
    latest: usize,
    /// All of them merged by maximum: it ends what any of them ends.
    envelope: Logout,
}

/// What is known about one session.
#[derive(Debug, Default)]
struct SessionFacts {
    seen: Vec<SeenToken>,
    ended: Option<Ended>,
}

impl SessionFacts {
    fn earliest_known(&self) -> Option<UnixSeconds> {
        self.seen.iter().map(|token| token.first_seen_at.min(token.earliest_iat)).min()
    }
}

/// What is known about one person.
#[derive(Debug, Default)]
struct PersonFacts {
    sids: BTreeSet<Sid>,
    seen_without_sid: Vec<SeenToken>,
    ended: Option<Ended>,
}

/// A logout that the batch knows of.
#[derive(Debug)]
pub(super) struct Held {
    /// Its place in the log; `None` until it is written.
    pub(super) position: Option<i64>,
    pub(super) logout: Logout,
    /// Whether a repeat has raised it since it was read.
    pub(super) is_raised: bool,
}

/// What became of one report. Logouts are named by their place in [`Facts::logouts`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) outcome: Outcome,
    pub(super) logout: usize,
    /// Fresh: the apps, each with its session, that this logout ends and no earlier one did.
    pub(super) newly_ended: BTreeSet<(ClientId, Option<Sid>)>,
    /// Those of them that have ever opened a channel.
    pub(super) listening: BTreeSet<(ClientId, Option<Sid>)>,
    pub(super) session_starts: Vec<(Sid, UnixSeconds)>,
    /// Repeat: whether it made the end that it repeats final, or later.
    pub(super) raises: bool,
}

/// Everything known about the sessions and people that a batch names.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) logouts: Vec<Held>,
    sessions: HashMap<SessionKey, SessionFacts>,
    people: HashMap<SubjectKey, PersonFacts>,
    /// Sessions whose end was added or raised, and is no logout of its own.
    changed_ends: HashSet<SessionKey>,
}

impl Facts {
    /// Adds what was read: tokens seen of a session, or of a person without one.
    pub(super) fn add_seen(&mut self, issuer: &Issuer, sid: Option<&Sid>, token: SeenToken) {
        let subject = SubjectKey { issuer: issuer.clone(), sub: token.sub.clone() };
        let person = self.people.entry(subject).or_default();
        let Some(sid) = sid else {
            person.seen_without_sid.push(token);
            return;
        };
        person.sids.insert(sid.clone());
        let key = SessionKey { issuer: issuer.clone(), sid: sid.clone() };
        self.sessions.entry(key).or_default().seen.push(token);
    }

    /// Adds what was read: the most recent logout of a session or person, and
    /// the latest T of all of them.
    pub(super) fn add_logout(&mut self, position: i64, logout: Logout, covers_until: UnixSeconds) {
        let mut envelope = logout.clone();
        envelope.covers_until = covers_until;
        self.hold(Some(position), logout, envelope);
    }

    /// Adds what was read: the end of a session that a logout of its person answers for.
    pub(super) fn add_session_end(
        &mut self,
        key: SessionKey,
        position: i64,
        logout: Logout,
        is_final: bool,
        covers_until: UnixSeconds,
    ) {
        let known = self.logouts.iter().position(|held| held.position == Some(position));
        let latest = known.unwrap_or(self.logouts.len());
        let target = LogoutTarget::Session { key: key.clone(), sub: logout.target.sub().cloned() };
        let envelope = Logout { target, is_final, covers_until, ..logout.clone() };
        if known.is_none() {
            self.logouts.push(Held { position: Some(position), logout, is_raised: false });
        }
        match &mut self.sessions.entry(key).or_default().ended {
            Some(ended) => {
                raise(&mut ended.envelope, is_final, covers_until);
                // A logout of the session's own, where it has one, goes first.
                if self.logouts[ended.latest].logout.target.scope() == Scope::User {
                    ended.latest = latest;
                }
            }
            unknown => *unknown = Some(Ended { latest, envelope }),
        }
    }

    /// The ends of sessions that are no logouts of their own and have changed, each
    /// with the logout that answers for it.
    pub(super) fn changed_session_ends(&self) -> impl Iterator<Item = (&SessionKey, &Held, &Logout)> {
        self.changed_ends.iter().filter_map(|key| {
            let ended = self.sessions.get(key)?.ended.as_ref()?;
            Some((key, &self.logouts[ended.latest], &ended.envelope))
        })
    }

    /// The sessions known so far, for reading their logouts.
    pub(super) fn session_keys(&self) -> impl Iterator<Item = &SessionKey> {
        self.sessions.keys()
    }

    /// The people known so far, for reading their logouts.
    pub(super) fn subject_keys(&self) -> impl Iterator<Item = &SubjectKey> {
        self.people.keys()
    }

    /// The hub has seen this token.
    pub(super) fn see(&mut self, sign_in: &SignIn, at: UnixMillis) {
        let session = sign_in.session();
        let known = match session {
            Some(key) => &mut self.sessions.entry(key).or_default().seen,
            None => &mut self.people.entry(sign_in.subject()).or_default().seen_without_sid,
        };
        let now = at.floor();
        if let Some(token) = known.iter_mut().find(|token| token.is_same_but_for_iat(sign_in)) {
            token.earliest_iat = token.earliest_iat.min(sign_in.issued_at);
            token.latest_iat = token.latest_iat.max(sign_in.issued_at);
            token.first_seen_at = token.first_seen_at.min(now);
            return;
        }
        let token = SeenToken {
            sub: sign_in.sub.clone(),
            client_id: sign_in.client_id.clone(),
            auth_time: sign_in.auth_time,
            earliest_iat: sign_in.issued_at,
            latest_iat: sign_in.issued_at,
            first_seen_at: now,
            has_listened: false,
        };
        self.add_seen(&sign_in.issuer, sign_in.sid.as_ref(), token);
    }

    /// Takes one report: a logout of its own, or a repeat, merged by maximum.
    pub(super) fn take(&mut self, report: &Report) -> Decision {
        let report = self.reaching_what_was_seen(report);
        match self.repeated_by(&report) {
            Some(earlier) => self.merge(earlier, &report),
            None => self.add(&report),
        }
    }

    /// The logout that the report repeats, if it does: there is one of that
    /// session or person, and every token of it that the hub has seen is over.
    fn repeated_by(&self, report: &Report) -> Option<usize> {
        match &report.target {
            LogoutTarget::Session { key, .. } => self.repeated_session_logout(key, report),
            LogoutTarget::User(key) => self.repeated_user_logout(key, report),
        }
    }

    fn repeated_session_logout(&self, key: &SessionKey, report: &Report) -> Option<usize> {
        let unseen = SessionFacts::default();
        let session = self.sessions.get(key).unwrap_or(&unseen);
        // Whoever was signed out everywhere was signed out here, provided that
        // the session is known to be older: an unseen one may have begun after.
        let everywhere = self.user_logout_of_all(key, session, report.goes_with.as_ref());
        let Some(ended) = &session.ended else { return everywhere };
        if ended.envelope.is_final || everywhere.is_some() {
            return Some(ended.latest);
        }
        let all_over = session.seen.iter().all(|token| self.is_over(token, &key.issuer, Some(&key.sid)));
        (all_over && is_same_occasion(report, ended)).then_some(ended.latest)
    }

    /// The most recent user logout, where user logouts end all that was seen of
    /// the session, and something was; of an unseen one, that of the person whose
    /// logout the report `goes_with`.
    fn user_logout_of_all(
        &self,
        key: &SessionKey,
        session: &SessionFacts,
        goes_with: Option<&SubjectKey>,
    ) -> Option<usize> {
        if session.seen.is_empty() {
            return self.people.get(goes_with?)?.ended.as_ref().map(|ended| ended.latest);
        }
        let ended_by = |token: &SeenToken| {
            let person = self.people.get(&SubjectKey { issuer: key.issuer.clone(), sub: token.sub.clone() })?;
            let ended = person.ended.as_ref()?;
            let newest = token.newest(&key.issuer, Some(&key.sid));
            ended.envelope.covers(&newest, session.earliest_known()).then_some(ended.latest)
        };
        let logouts: Option<Vec<usize>> = session.seen.iter().map(ended_by).collect();
        logouts?.into_iter().max()
    }

    fn repeated_user_logout(&self, key: &SubjectKey, report: &Report) -> Option<usize> {
        let ended = self.people.get(key)?.ended.as_ref()?;
        let all_over = self.seen_of(key).all(|(token, sid)| self.is_over(token, &key.issuer, sid));
        (all_over && is_same_occasion(report, ended)).then_some(ended.latest)
    }

    /// All that was seen of one person, each with its session.
    fn seen_of<'a>(&'a self, key: &'a SubjectKey) -> impl Iterator<Item = (&'a SeenToken, Option<&'a Sid>)> {
        let person = self.people.get(key);
        let without_sid = person.into_iter().flat_map(|person| &person.seen_without_sid).map(|token| (token, None));
        let with_sid = person.into_iter().flat_map(|person| &person.sids).flat_map(move |sid| {
            let session = self.sessions.get(&SessionKey { issuer: key.issuer.clone(), sid: sid.clone() });
            let theirs = session.into_iter().flat_map(|session| &session.seen).filter(|token| token.sub == key.sub);
            theirs.map(move |token| (token, Some(sid)))
        });
        without_sid.chain(with_sid)
    }

    fn earliest_known(&self, issuer: &Issuer, sid: Option<&Sid>) -> Option<UnixSeconds> {
        let key = SessionKey { issuer: issuer.clone(), sid: sid?.clone() };
        self.sessions.get(&key)?.earliest_known()
    }

    /// Whether a recorded logout, of the session or of the person, ends all these tokens.
    fn is_over(&self, token: &SeenToken, issuer: &Issuer, sid: Option<&Sid>) -> bool {
        let newest = token.newest(issuer, sid);
        let earliest_known = self.earliest_known(issuer, sid);
        let of_session = newest.session().and_then(|key| self.sessions.get(&key)?.ended.as_ref());
        let of_person = self.people.get(&newest.subject()).and_then(|person| person.ended.as_ref());
        of_session.into_iter().chain(of_person).any(|ended| ended.envelope.covers(&newest, earliest_known))
    }

    /// The earliest that is known of a sign-in's session.
    #[cfg(test)]
    pub(super) fn earliest_known_of(&self, sign_in: &SignIn) -> Option<UnixSeconds> {
        self.earliest_known(&sign_in.issuer, sign_in.sid.as_ref())
    }

    fn merge(&mut self, earlier: usize, report: &Report) -> Decision {
        let held = &mut self.logouts[earlier];
        let is_own = held.logout.target.scope() == report.target.scope();
        let raises = is_own && raise(&mut held.logout, report.is_final, report.covers_until);
        held.is_raised |= raises;
        let changed = match self.ended_mut(&report.target) {
            Some(ended) => raise(&mut ended.envelope, report.is_final, report.covers_until),
            None => true,
        };
        if let (LogoutTarget::Session { key, .. }, false, true) = (&report.target, is_own, changed) {
            self.answer_for(key, earlier, report);
        }
        Decision {
            outcome: Outcome::Repeat,
            logout: earlier,
            newly_ended: BTreeSet::new(),
            listening: BTreeSet::new(),
            session_starts: Vec::new(),
            raises: raises || changed,
        }
    }

    /// A session's end that a logout of its person answers for: whoever it ends was
    /// told, yet a later token of that session must not live because of that.
    fn answer_for(&mut self, key: &SessionKey, everywhere: usize, report: &Report) {
        let ended = &mut self.sessions.entry(key.clone()).or_default().ended;
        ended.get_or_insert_with(|| Ended { latest: everywhere, envelope: report.as_logout() });
        self.changed_ends.insert(key.clone());
    }

    fn add(&mut self, report: &Report) -> Decision {
        let logout = report.as_logout();
        let newly_ended = self.newly_ended_by(&logout);
        let listening = newly_ended.iter().filter(|(app, sid)| self.has_listened(&logout, app, sid.as_ref()));
        let listening = listening.cloned().collect();
        let session_starts = match &logout.target {
            LogoutTarget::Session { .. } => Vec::new(),
            LogoutTarget::User(key) => self.session_starts(key),
        };
        let mut envelope = logout.clone();
        if let Some(ended) = self.ended_mut(&logout.target) {
            raise(&mut envelope, ended.envelope.is_final, ended.envelope.covers_until);
        }
        let logout = self.hold(None, logout, envelope);
        Decision { outcome: Outcome::Fresh, logout, newly_ended, listening, session_starts, raises: false }
    }

    /// The apps whose tokens this logout ends and no earlier one did; of a
    /// session that nobody had ended, every app that has used it.
    fn newly_ended_by(&self, logout: &Logout) -> BTreeSet<(ClientId, Option<Sid>)> {
        let issuer = logout.target.issuer();
        let is_new = |token: &SeenToken, sid: Option<&Sid>| {
            logout.covers(&token.newest(issuer, sid), self.earliest_known(issuer, sid))
                && !self.is_over(token, issuer, sid)
        };
        match &logout.target {
            LogoutTarget::Session { key, .. } => {
                let Some(session) = self.sessions.get(key) else { return BTreeSet::new() };
                let sid = Some(&key.sid);
                // An administrator's may reach back to some of a session only.
                let untouched = logout.source != Source::Admin
                    && session.ended.is_none()
                    && !session.seen.iter().any(|token| self.is_over(token, issuer, sid));
                let ended = session.seen.iter().filter(|token| untouched || is_new(token, sid));
                ended.map(|token| (token.client_id.clone(), sid.cloned())).collect()
            }
            LogoutTarget::User(key) => {
                let ended = self.seen_of(key).filter(|(token, sid)| is_new(token, *sid));
                ended.map(|(token, sid)| (token.client_id.clone(), sid.cloned())).collect()
            }
        }
    }

    /// Whether an app has opened a channel with a token of a session that ends, or,
    /// where the issuer names no sessions, with one of the person.
    fn has_listened(&self, logout: &Logout, client_id: &ClientId, sid: Option<&Sid>) -> bool {
        let issuer = logout.target.issuer().clone();
        let seen = match sid {
            Some(sid) => self.sessions.get(&SessionKey { issuer, sid: sid.clone() }).map(|it| &it.seen),
            None => logout
                .target
                .sub()
                .and_then(|sub| Some(&self.people.get(&SubjectKey { issuer, sub: sub.clone() })?.seen_without_sid)),
        };
        seen.into_iter().flatten().any(|token| token.has_listened && token.client_id == *client_id)
    }

    /// Each session of one person, and the earliest that is known of it.
    pub(super) fn session_starts(&self, key: &SubjectKey) -> Vec<(Sid, UnixSeconds)> {
        let sids = self.people.get(key).into_iter().flat_map(|person| &person.sids);
        sids.filter_map(|sid| Some((sid.clone(), self.earliest_known(&key.issuer, Some(sid))?))).collect()
    }

    fn ended_mut(&mut self, target: &LogoutTarget) -> Option<&mut Ended> {
        match target {
            LogoutTarget::Session { key, .. } => self.sessions.get_mut(key)?.ended.as_mut(),
            LogoutTarget::User(key) => self.people.get_mut(key)?.ended.as_mut(),
        }
    }

    fn hold(&mut self, position: Option<i64>, logout: Logout, envelope: Logout) -> usize {
        let latest = self.logouts.len();
        let ended = Some(Ended { latest, envelope });
        match &logout.target {
            LogoutTarget::Session { key, .. } => self.sessions.entry(key.clone()).or_default().ended = ended,
            LogoutTarget::User(key) => self.people.entry(key.clone()).or_default().ended = ended,
        }
        self.logouts.push(Held { position, logout, is_raised: false });
        latest
    }
}

/// Whether the report is surely about what was ended before: it comes with the
/// reporter's own token, which the hub then has seen; or it is not so late that it
/// may be about a sign-in which the hub never saw, in an app known by its back end only.
fn is_same_occasion(report: &Report, ended: &Ended) -> bool {
    report.seen.is_some() || report.covers_until <= ended.envelope.covers_until.plus(report.repeat_window_seconds)
}

/// Merges by maximum. Whether that changed anything.
fn raise(logout: &mut Logout, is_final: bool, covers_until: UnixSeconds) -> bool {
    let before = (logout.is_final, logout.covers_until);
    logout.is_final |= is_final;
    logout.covers_until = logout.covers_until.max(covers_until);
    before != (logout.is_final, logout.covers_until)
}
