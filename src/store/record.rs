//! Reports become logouts, many in one transaction.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::batch::Work;
use super::error::StoreError;
use super::facts::{Decision, Facts, Held};
use super::jtis::Jtis;
use super::plan::Plan;
use super::report::{Outcome, Recorded, Report};
use super::rows::{self, logout_columns};
use super::seen_tokens::SeenToken;
use super::sql::{Connection, query};
use super::{
    Store, issuer_ends, outbox, progress, seen_tokens, session_ends, session_notes, sweeps, tickets, trail_notes,
};
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{ClientId, Issuer, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, Reason, SignIn};

impl Store {
    /// Writes a logout down, or finds that it repeats an earlier one.
    ///
    /// # Errors
    /// Why nothing was recorded; after [`StoreError::TimedOut`] it may still be,
    /// see [`Store::take_late_logouts`].
    ///
    /// # Cancel safety
    /// None: a logout whose answer is dropped may be recorded and pushed by
    /// nobody. Run it in a task that nobody cancels.
    pub async fn record(&self, report: Report) -> Result<Recorded, StoreError> {
        self.write(report).await
    }
}

/// What became of one report; an error is an outcome without effect.
type Verdict = Result<Decision, Outcome>;

impl Work for Report {
    type Answer = Recorded;

    /// Reads all that the reports are about, decides in memory, and writes what
    /// came of it: the same few statements for one report and for hundreds.
    async fn apply(connection: &mut Connection, reports: &[Self]) -> Result<Vec<Recorded>, StoreError> {
        let jtis = Jtis::read(connection, reports).await?;
        let facts = read_facts(connection, reports).await?;
        decide(connection, reports, jtis, facts).await
    }

    fn late(answer: Recorded) -> Vec<Recorded> {
        if answer.outcome == Outcome::Fresh { vec![answer] } else { Vec::new() }
    }

    fn places(answer: &Recorded) -> Vec<i64> {
        if answer.outcome == Outcome::Fresh { vec![answer.position] } else { Vec::new() }
    }

    fn changed_a_receipt(&self, answer: &Recorded) -> bool {
        answer.outcome == Outcome::Fresh || self.filled_the_outbox(answer)
    }

    fn filled_the_outbox(&self, answer: &Recorded) -> bool {
        match answer.outcome {
            Outcome::Fresh => !self.back_ends.is_empty() || self.end_at_issuer.is_some(),
            Outcome::Repeat => self.pass_on.is_some() || self.end_at_issuer.is_some(),
            Outcome::SameToken | Outcome::JtiReused => false,
        }
    }
}

/// Records reports that name no token of their own, where all that is known about whom they
/// name has been read in this transaction.
pub(super) async fn record_known(
    connection: &mut Connection,
    reports: &[Report],
    facts: Facts,
) -> Result<Vec<Recorded>, StoreError> {
    debug_assert!(reports.iter().all(|report| report.token.is_none() && report.seen.is_none()));
    if reports.is_empty() { Ok(Vec::new()) } else { decide(connection, reports, Jtis::default(), facts).await }
}

/// Decides in memory, and writes what came of it.
async fn decide(
    connection: &mut Connection,
    reports: &[Report],
    mut jtis: Jtis,
    mut facts: Facts,
) -> Result<Vec<Recorded>, StoreError> {
    let verdicts: Vec<_> = reports.iter().map(|report| judge(report, &mut jtis, &mut facts)).collect();

    jtis.write(connection).await?;
    write_seen(connection, reports, &verdicts).await?;
    insert(connection, &mut facts.logouts).await?;
    raise(connection, &facts.logouts).await?;
    trail_notes::logouts(&mut connection.notes, decided(reports, &verdicts), &facts);
    session_ends::write(connection, &facts).await?;
    expect_deliveries(connection, reports, &facts, &verdicts).await?;
    sweeps::count_ended(connection, decided(reports, &verdicts)).await?;
    let answers = answers(connection, reports, verdicts, &facts).await?;
    session_notes::stop(connection, answers.iter().flat_map(|answer| &answer.sessions_over)).await?;
    add_tickets(connection, reports, &answers).await?;
    Ok(answers)
}

/// Each report that had an effect, and which.
fn decided<'a>(reports: &'a [Report], verdicts: &'a [Verdict]) -> impl Iterator<Item = (&'a Report, &'a Decision)> {
    reports.iter().zip(verdicts).filter_map(|(report, verdict)| Some((report, verdict.as_ref().ok()?)))
}

fn judge(report: &Report, jtis: &mut Jtis, facts: &mut Facts) -> Verdict {
    jtis.take(report)?;
    if let Some(seen) = &report.seen {
        facts.see(seen, report.recorded_at);
    }
    Ok(facts.take(report))
}

/// Everything known about the sessions and people that the reports name.
pub(super) async fn read_facts(connection: &mut Connection, reports: &[Report]) -> Result<Facts, StoreError> {
    let mut sessions = HashSet::new();
    let mut people = HashSet::new();
    for report in reports {
        match &report.target {
            LogoutTarget::Session { key, .. } => sessions.insert(key.clone()),
            LogoutTarget::User(key) => people.insert(key.clone()),
        };
        sessions.extend(report.seen.as_ref().and_then(SignIn::session));
    }
    let mut bystanders: HashSet<_> =
        reports.iter().filter_map(|report| Some(report.seen.as_ref()?.subject())).collect();
    bystanders.extend(reports.iter().filter_map(|report| report.goes_with.clone()));
    read_about(connection, sessions, people, bystanders).await
}

/// Everything known about these sessions, and about every session of these people; of
/// the bystanders, whether they were signed out everywhere.
pub(super) async fn read_about(
    connection: &mut Connection,
    mut sessions: HashSet<SessionKey>,
    mut people: HashSet<SubjectKey>,
    bystanders: HashSet<SubjectKey>,
) -> Result<Facts, StoreError> {
    let mut facts = Facts::default();
    read_seen(connection, &mut facts, &sessions, &people).await?;

    // Whether a token is over also depends on the person behind a session, and
    // on every session of a person.
    sessions.extend(facts.session_keys().cloned());
    people.extend(facts.subject_keys().cloned());
    people.extend(bystanders);
    read_logouts(connection, &mut facts, &sessions, &people).await?;
    session_ends::read(connection, &mut facts, &sessions).await?;
    Ok(facts)
}

/// What was seen of the sessions, and of every session of the people.
async fn read_seen(
    connection: &mut Connection,
    facts: &mut Facts,
    sessions: &HashSet<SessionKey>,
    people: &HashSet<SubjectKey>,
) -> Result<(), StoreError> {
    let select = "
        with wanted (issuer, sid) as (
            select value ->> 0, value ->> 1 from jsonb_each($1)
            union
            select t.issuer, t.sid
            from jsonb_each($2) p
            cross join seen_tokens t
            where t.issuer = p.value ->> 0 and t.sub = p.value ->> 1 and t.sid <> ''
        ), found as (
            select t.* from wanted w
            cross join seen_tokens t
            where t.issuer = w.issuer and t.sid = w.sid
            union all
            select t.* from jsonb_each($2) p
            cross join seen_tokens t
            where t.issuer = p.value ->> 0 and t.sub = p.value ->> 1 and t.sid = ''
        )
        select issuer, sid, sub, client_id, auth_time, earliest_iat, latest_iat, first_seen_at,
               has_listened = 1
        from found";
    let query = query(select).bind(rows::json(&session_pairs(sessions))?).bind(rows::json(&person_pairs(people))?);
    for row in query.fetch_all(connection).await? {
        let issuer = rows::required(Issuer::parse, &row, 0)?;
        let token = SeenToken {
            sub: rows::required(Subject::parse, &row, 2)?,
            client_id: rows::required(ClientId::parse, &row, 3)?,
            auth_time: rows::auth_time(&row, 4)?,
            earliest_iat: UnixSeconds(row.try_get(5)?),
            latest_iat: UnixSeconds(row.try_get(6)?),
            first_seen_at: UnixSeconds(row.try_get(7)?),
            has_listened: row.try_get(8)?,
        };
        facts.add_seen(&issuer, rows::sid(&row, 1)?.as_ref(), token);
    }
    Ok(())
}

/// The most recent logout of each of these, and the latest T of all of them.
/// (Where any is final the most recent one is: a final session logout is merged
/// into, and never followed by another.)
async fn read_logouts(
    connection: &mut Connection,
    facts: &mut Facts,
    sessions: &HashSet<SessionKey>,
    people: &HashSet<SubjectKey>,
) -> Result<(), StoreError> {
    let select = concat!(
        "with latest (seq, covers_until) as (
            select max(l.seq), max(l.covers_until)
            from jsonb_each($1) s
            cross join logouts l
            where l.scope = 'session' and l.issuer = s.value ->> 0 and l.sid = s.value ->> 1
            group by s.key
            union all
            select max(l.seq), max(l.covers_until)
            from jsonb_each($2) p
            cross join logouts l
            where l.scope = 'user' and l.issuer = p.value ->> 0 and l.sub = p.value ->> 1
            group by p.key
        )
        select latest.covers_until, ",
        logout_columns!(),
        " from latest cross join logouts l where l.seq = latest.seq"
    );
    let query = query(select).bind(rows::json(&session_pairs(sessions))?).bind(rows::json(&person_pairs(people))?);
    for row in query.fetch_all(connection).await? {
        let (logout, position) = rows::logout(&row, 1)?;
        facts.add_logout(position, logout, UnixSeconds(row.try_get(0)?));
    }
    Ok(())
}

fn session_pairs(sessions: &HashSet<SessionKey>) -> Vec<(&str, &str)> {
    sessions.iter().map(|key| (key.issuer.as_str(), key.sid.as_str())).collect()
}

fn person_pairs(people: &HashSet<SubjectKey>) -> Vec<(&str, &str)> {
    people.iter().map(|key| (key.issuer.as_str(), key.sub.as_str())).collect()
}

async fn write_seen(connection: &mut Connection, reports: &[Report], verdicts: &[Verdict]) -> Result<(), StoreError> {
    let taken = reports.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_ok());
    let seen = taken.filter_map(|(report, _)| Some((report.seen.as_ref()?, report.recorded_at, false)));
    seen_tokens::see(connection, seen).await
}

/// One logout on its way into the log.
#[derive(Serialize)]
struct LogoutRow<'a> {
    id: String,
    issuer: &'a str,
    scope: &'static str,
    sid: Option<&'a str>,
    sub: Option<&'a str>,
    source: &'static str,
    client_id: Option<&'a str>,
    reason: Option<&'a str>,
    is_final: u8,
    covers_until: i64,
    occurred_at: i64,
    recorded_at: i64,
}

impl<'a> LogoutRow<'a> {
    fn of(logout: &'a Logout) -> Self {
        let target = &logout.target;
        Self {
            id: logout.id.to_string(),
            issuer: target.issuer().as_str(),
            scope: target.scope().as_str(),
            sid: target.sid().map(Sid::as_str),
            sub: target.sub().map(Subject::as_str),
            source: logout.source.as_str(),
            client_id: logout.client_id.as_ref().map(ClientId::as_str),
            reason: logout.reason.as_ref().map(Reason::as_str),
            is_final: logout.is_final.into(),
            covers_until: logout.covers_until.0,
            occurred_at: logout.occurred_at.0,
            recorded_at: logout.recorded_at.0,
        }
    }
}

/// Adds the new logouts to the log, and notes the places they got.
async fn insert(connection: &mut Connection, logouts: &mut [Held]) -> Result<(), StoreError> {
    let new: Vec<_> = logouts.iter().filter(|held| held.position.is_none()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let new: Vec<_> = new.into_iter().map(|held| LogoutRow::of(&held.logout)).collect();
    let insert = "
        insert into logouts (id, issuer, scope, sid, sub, source, client_id, reason, is_final,
                             covers_until, occurred_at, recorded_at)
        select value ->> 'id', value ->> 'issuer', value ->> 'scope', value ->> 'sid', value ->> 'sub',
               value ->> 'source', value ->> 'client_id', value ->> 'reason', cast(value ->> 'is_final' as bigint),
               cast(value ->> 'covers_until' as bigint), cast(value ->> 'occurred_at' as bigint), cast(value ->> 'recorded_at' as bigint)
        from jsonb_each($1)
        order by key
        returning id, seq";
    let placed = query(insert).bind(rows::json(&new)?).fetch_all(connection).await?;
    let mut positions = HashMap::with_capacity(placed.len());
    for row in &placed {
        positions.insert(row.try_get::<&str>(0)?, row.try_get::<i64>(1)?);
    }
    for held in logouts.iter_mut().filter(|held| held.position.is_none()) {
        held.position = positions.get(held.logout.id.to_string().as_str()).copied();
    }
    Ok(())
}

/// Writes what repeats have raised of logouts that were there before. One that
/// is new in this batch went in as it stands at the end of it.
async fn raise(connection: &mut Connection, logouts: &[Held]) -> Result<(), StoreError> {
    let raised = logouts.iter().filter(|held| held.is_raised);
    let raised: Vec<_> =
        raised.map(|held| (held.position, u8::from(held.logout.is_final), held.logout.covers_until.0)).collect();
    if raised.is_empty() {
        return Ok(());
    }
    let update = "
        update logouts set
            is_final = max(logouts.is_final, cast(value ->> 1 as bigint)),
            covers_until = max(logouts.covers_until, cast(value ->> 2 as bigint))
        from jsonb_each($1)
        where seq = cast(value ->> 0 as bigint)";
    query(update).bind(rows::json(&raised)?).execute(connection).await?;
    Ok(())
}

/// Whom the receipts wait for, and what is posted: in the logouts' own transaction.
async fn expect_deliveries(
    connection: &mut Connection,
    reports: &[Report],
    facts: &Facts,
    verdicts: &[Verdict],
) -> Result<(), StoreError> {
    let mut plan = Plan::default();
    for (report, decision) in decided(reports, verdicts) {
        plan.add(report, decision, &facts.logouts[decision.logout]);
    }
    outbox::put(connection, &plan).await?;
    issuer_ends::put(connection, &plan).await?;
    progress::expect(connection, &plan).await
}

/// What each reporter is told.
async fn answers(
    connection: &mut Connection,
    reports: &[Report],
    verdicts: Vec<Verdict>,
    facts: &Facts,
) -> Result<Vec<Recorded>, StoreError> {
    let mut answers: Vec<_> =
        reports.iter().zip(verdicts).map(|(report, verdict)| answer(report, verdict, facts)).collect();

    // Whoever repeats a logout hears of the one that ended their own token.
    let repeats = reports.iter().zip(&mut answers).filter(|(_, answer)| answer.outcome == Outcome::Repeat);
    let (sign_ins, repeats): (Vec<_>, Vec<_>) =
        repeats.filter_map(|(report, answer)| Some((report.seen.as_ref()?, answer))).unzip();
    let standings = seen_tokens::standings(connection, &sign_ins).await?;
    for (answer, (standing, position)) in repeats.into_iter().zip(standings) {
        if let Some(logout) = standing.ended_by {
            answer.logout = Some(logout);
            answer.position = position;
        }
    }
    Ok(answers)
}

fn answer(report: &Report, verdict: Verdict, facts: &Facts) -> Recorded {
    match verdict {
        Ok(decision) => {
            let held = &facts.logouts[decision.logout];
            Recorded {
                outcome: decision.outcome,
                logout: Some(held.logout.clone()),
                position: held.position.unwrap_or(0),
                session_starts: decision.session_starts,
                sessions_over: facts.sessions_over(&report.target),
            }
        }
        Err(outcome) => Recorded::without_effect(outcome),
    }
}

async fn add_tickets(connection: &mut Connection, reports: &[Report], answers: &[Recorded]) -> Result<(), StoreError> {
    let tickets = reports
        .iter()
        .zip(answers)
        .filter_map(|(report, answer)| Some((report.ticket.as_ref()?, Some(answer.logout.as_ref()?.id))));
    tickets::insert(connection, tickets).await
}
