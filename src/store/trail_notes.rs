//! What there is to say of each kind of fact. No token, `sid` or `sub` is among it: tokens
//! go by their SHA-256, sessions and people by the hash that the log has of them.

use super::deliveries::DeliveryKey;
use super::facts::{Decision, Facts};
use super::report::{Outcome, Report};
use super::rows;
use super::trail::{Kind, Notes};
use crate::domain::audit::Body;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, LogoutId, Sid, Subject, SubjectKey};
use crate::domain::logout::{LogoutTarget, Reason};
use crate::domain::signing_key::SigningKey;
use crate::domain::sweep::{Reach, Sweep};

/// Logouts that were recorded, and those that a repeat has made final or later.
pub(super) fn logouts<'a>(notes: &mut Notes, decided: impl Iterator<Item = (&'a Report, &'a Decision)>, facts: &Facts) {
    for (report, decision) in decided {
        let held = &facts.logouts[decision.logout].logout;
        match decision.outcome {
            Outcome::Fresh => {
                let body = cause(about(&report.target, held.id), report);
                let body = body.number("covers_until", held.covers_until.0);
                notes.add(Kind::LogoutRecorded, report.recorded_at, body);
            }
            Outcome::Repeat if decision.raises => {
                let body = cause(about(&report.target, held.id), report);
                notes.add(Kind::LogoutRaised, report.recorded_at, body.number("covers_until", report.covers_until.0));
            }
            Outcome::Repeat | Outcome::SameToken | Outcome::JtiReused => {}
        }
    }
}

/// Which logout, and whom it ends.
fn about(target: &LogoutTarget, id: LogoutId) -> Body {
    let issuer = target.issuer().as_str();
    Body::default()
        .text("issuer", issuer)
        .text("logout", id.to_string())
        .named("person", issuer, target.sub().map(Subject::as_str))
        .text("scope", target.scope().as_str())
        .named("session", issuer, target.sid().map(Sid::as_str))
}

/// Who says so, and by what.
fn cause(body: Body, report: &Report) -> Body {
    ordered_by(body, report.operator.as_ref())
        .maybe("client_id", report.client_id.as_ref().map(ClientId::as_str))
        .truth("is_final", report.is_final)
        .number("occurred_at", report.occurred_at.0)
        .maybe("reason", report.reason.as_ref().map(Reason::as_str))
        .maybe("request", report.request.as_deref())
        .text("source", report.source.as_str())
        .maybe("sweep", report.sweep.map(|sweep| sweep.to_string()))
        .maybe("token_sha256", report.shown.as_ref().map(rows::hex))
}

/// The administrator, where it is known who that is.
fn ordered_by(body: Body, operator: Option<&SubjectKey>) -> Body {
    match operator {
        Some(SubjectKey { issuer, sub }) => body.named("operator", issuer.as_str(), Some(sub.as_str())),
        None => body,
    }
}

/// An app that was told, or has confirmed. Of a person's logout, in which session.
pub(super) fn app(key: &DeliveryKey, via: &str, is_of_person: bool) -> Body {
    let sid = key.sid.as_ref().filter(|_| is_of_person);
    Body::default()
        .text("client_id", key.client_id.as_str())
        .text("logout", key.logout.to_string())
        .named("session", key.issuer.as_str(), sid.map(Sid::as_str))
        .text("via", via)
}

/// An administrator's order.
pub(super) fn sweep_ordered(notes: &mut Notes, sweep: &Sweep, operator: Option<&SubjectKey>, request: Option<&str>) {
    let issuer = sweep.issuer.as_str();
    let body = ordered_by(Body::default(), operator).text("issuer", issuer).text("sweep", sweep.id.to_string());
    let body = match &sweep.reach {
        Reach::Everyone => body.text("reach", "everyone"),
        Reach::App(client_id) => body.text("reach", "app").text("client_id", client_id.as_str()),
        Reach::Person(sub) => body.text("reach", "person").named("person", issuer, Some(sub.as_str())),
    };
    let body = body.number("covers_until", sweep.covers_until.0).text("reason", sweep.reason.as_str());
    notes.add(Kind::SweepOrdered, sweep.ordered_at, body.maybe("request", request));
}

/// A sweep has ended whom it ends.
pub(super) fn sweep_done(notes: &mut Notes, id: LogoutId, at: UnixMillis, sessions: i64, logouts: i64) {
    let body = Body::default().text("sweep", id.to_string());
    notes.add(Kind::SweepDone, at, body.number("sessions_ended", sessions).number("logouts_recorded", logouts));
}

/// A key was made; with or without the others being withdrawn at once.
pub(super) fn key_rotated(notes: &mut Notes, key: &SigningKey, withdraws_others: bool) {
    let body = Body::default().text("kid", key.kid.as_str()).number("signs_from", key.signs_from.0);
    notes.add(Kind::KeyRotated, key.made_at.into(), body.truth("withdraws_others", withdraws_others));
}
