//! A sweep: an administrator ends every session that began by some moment.
//!
//! It is a rule before it is work. Sessions that the hub has seen get a logout each; one
//! that it never saw is covered all the same, and gets its logout when its app comes.

use super::clock::{UnixMillis, UnixSeconds};
use super::ids::{ClientId, Issuer, LogoutId, Subject};
use super::logout::{LogoutTarget, Reason, SignIn};

/// Whose sessions a sweep ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everyone's at the issuer.
    Everyone,
    /// Those in which this app was used. They end in every app.
    App(ClientId),
    /// Those of one person.
    Person(Subject),
}

/// An administrator's word that sessions are over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Its public name.
    pub id: LogoutId,
    /// Whose sessions.
    pub issuer: Issuer,
    /// Which of them.
    pub reach: Reach,
    /// T: what began up to here is over.
    pub covers_until: UnixSeconds,
    /// Why, in words for people.
    pub reason: Reason,
    /// When it was ordered.
    pub ordered_at: UnixMillis,
}

impl Sweep {
    /// Whether the sweep ends this sign-in, by what the sign-in itself tells: of a sweep
    /// for one app that is only that app's own. `earliest_known` is as in
    /// [`super::logout::Logout::covers`].
    #[must_use]
    pub fn covers(&self, sign_in: &SignIn, earliest_known: Option<UnixSeconds>) -> bool {
        let is_reached = match &self.reach {
            Reach::Everyone => true,
            Reach::App(client_id) => *client_id == sign_in.client_id,
            Reach::Person(sub) => *sub == sign_in.sub,
        };
        is_reached && self.issuer == sign_in.issuer && self.reaches_back_to(sign_in.session_start(earliest_known))
    }

    /// Whether a session that began then is over.
    #[must_use]
    pub fn reaches_back_to(&self, start: UnixSeconds) -> bool {
        start <= self.covers_until
    }

    /// The logout by which a sign-in that is covered ends, and its T. A session ends with
    /// its newest covered token, and what is issued later is judged anew; where the issuer
    /// names no sessions, the person's end up to the sweep's own T.
    #[must_use]
    pub fn end_of(&self, newest: &SignIn) -> (LogoutTarget, UnixSeconds) {
        match newest.session() {
            Some(key) => {
                let target = LogoutTarget::Session { key, sub: Some(newest.sub.clone()) };
                (target, self.covers_until.max(newest.issued_at))
            }
            None => (LogoutTarget::User(newest.subject()), self.covers_until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Sid;

    fn sign_in(issued_at: i64, auth_time: Option<i64>) -> SignIn {
        SignIn {
            issuer: Issuer::parse("https://acme.example/").unwrap(),
            client_id: ClientId::parse("notes").unwrap(),
            sub: Subject::parse("ada").unwrap(),
            sid: Some(Sid::parse("laptop").unwrap()),
            issued_at: UnixSeconds(issued_at),
            auth_time: auth_time.map(UnixSeconds),
        }
    }

    fn sweep(reach: Reach) -> Sweep {
        Sweep {
            id: LogoutId::new(UnixMillis(0), 1),
            issuer: sign_in(0, None).issuer,
            reach,
            covers_until: UnixSeconds(1000),
            reason: Reason::parse("Maintenance").unwrap(),
            ordered_at: UnixMillis(0),
        }
    }

    #[test]
    fn a_sweep_ends_what_began_by_its_time_however_fresh_the_token() {
        let everyone = sweep(Reach::Everyone);
        assert!(everyone.covers(&sign_in(1000, None), None));
        assert!(!everyone.covers(&sign_in(1001, None), None));
        assert!(everyone.covers(&sign_in(5000, Some(1000)), None));
        assert!(everyone.covers(&sign_in(5000, None), Some(UnixSeconds(900))));
        assert!(!everyone.covers(&sign_in(900, Some(1001)), None));
    }

    #[test]
    fn a_sweep_leaves_other_issuers_apps_and_people_alone() {
        let mut elsewhere = sign_in(1, None);
        elsewhere.issuer = Issuer::parse("https://other.example/").unwrap();
        assert!(!sweep(Reach::Everyone).covers(&elsewhere, None));
        let of_app = |name| sweep(Reach::App(ClientId::parse(name).unwrap()));
        assert!(of_app("notes").covers(&sign_in(1, None), None) && !of_app("shop").covers(&sign_in(1, None), None));
        let of_person = |name| sweep(Reach::Person(Subject::parse(name).unwrap()));
        assert!(of_person("ada").covers(&sign_in(1, None), None) && !of_person("eve").covers(&sign_in(1, None), None));
    }

    #[test]
    fn a_session_ends_with_its_newest_token_and_a_person_at_the_sweeps_own_time() {
        let everyone = sweep(Reach::Everyone);
        assert_eq!(everyone.end_of(&sign_in(5000, Some(1))).1, UnixSeconds(5000));
        assert_eq!(everyone.end_of(&sign_in(10, None)).1, UnixSeconds(1000));
        let sessionless = SignIn { sid: None, ..sign_in(5000, Some(1)) };
        let expected = (LogoutTarget::User(sessionless.subject()), UnixSeconds(1000));
        assert_eq!(everyone.end_of(&sessionless), expected);
    }
}
