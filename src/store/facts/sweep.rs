//! Which sessions a sweep ends, and how. Pure, as all of [`Facts`].

use super::Facts;
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{LogoutTarget, SignIn};
use crate::domain::sweep::{Reach, Sweep};
use crate::store::report::Report;
use crate::store::seen_tokens::SeenToken;

impl Facts {
    /// The logout that a session ends by; none where nothing of it is left to end, where
    /// it began later, or where the sweep is not about it.
    pub(in crate::store) fn swept_session(
        &self,
        sweep: &Sweep,
        key: &SessionKey,
    ) -> Option<(LogoutTarget, UnixSeconds)> {
        let session = self.sessions.get(key)?;
        let is_meant = match &sweep.reach {
            Reach::App(client_id) => session.seen.iter().any(|token| token.client_id == *client_id),
            Reach::Everyone | Reach::Person(_) => true,
        };
        let theirs = session.seen.iter().filter(|token| is_meant && is_of_whom(sweep, token));
        self.newest_covered(sweep, theirs, Some(&key.sid)).map(|newest| sweep.end_of(&newest))
    }

    /// The logout that ends a person's tokens without a session; none as above.
    pub(in crate::store) fn swept_person(
        &self,
        sweep: &Sweep,
        key: &SubjectKey,
    ) -> Option<(LogoutTarget, UnixSeconds)> {
        let seen = self.people.get(key)?.seen_without_sid.iter();
        let theirs = seen.filter(|token| match &sweep.reach {
            Reach::App(client_id) => token.client_id == *client_id,
            Reach::Everyone | Reach::Person(_) => is_of_whom(sweep, token),
        });
        self.newest_covered(sweep, theirs, None).map(|newest| sweep.end_of(&newest))
    }

    /// The newest token that the sweep covers and that is not over yet.
    fn newest_covered<'a>(
        &self,
        sweep: &Sweep,
        seen: impl Iterator<Item = &'a SeenToken>,
        sid: Option<&Sid>,
    ) -> Option<SignIn> {
        let earliest_known = self.earliest_known(&sweep.issuer, sid);
        let alive = seen.filter(|token| !self.is_over(token, &sweep.issuer, sid));
        let newest = alive.map(|token| token.newest(&sweep.issuer, sid));
        let covered = newest.filter(|token| sweep.reaches_back_to(token.session_start(earliest_known)));
        covered.max_by_key(|token| token.issued_at)
    }

    /// The sessions in which a person was seen.
    pub(in crate::store) fn sessions_of(&self, key: &SubjectKey) -> Vec<SessionKey> {
        let sids = self.people.get(key).into_iter().flat_map(|person| &person.sids);
        sids.map(|sid| SessionKey { issuer: key.issuer.clone(), sid: sid.clone() }).collect()
    }

    /// Whom a report newly signs out of something.
    pub(in crate::store) fn people_ended_by(&self, report: &Report) -> Vec<Subject> {
        let logout = report.as_logout();
        match &logout.target {
            LogoutTarget::User(key) => vec![key.sub.clone()],
            LogoutTarget::Session { key, .. } => {
                let seen = self.sessions.get(key).into_iter().flat_map(|session| &session.seen);
                let (sid, earliest_known) = (Some(&key.sid), self.earliest_known(&key.issuer, Some(&key.sid)));
                let ended = seen.filter(|token| {
                    logout.covers(&token.newest(&key.issuer, sid), earliest_known)
                        && !self.is_over(token, &key.issuer, sid)
                });
                ended.map(|token| token.sub.clone()).collect()
            }
        }
    }
}

fn is_of_whom(sweep: &Sweep, token: &SeenToken) -> bool {
    match &sweep.reach {
        Reach::Person(sub) => token.sub == *sub,
        Reach::Everyone | Reach::App(_) => true,
    }
}
