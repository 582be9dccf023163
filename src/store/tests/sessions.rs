//! The registry, and the clocks that end sessions.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::device::Device;
use crate::domain::ids::SessionId;
use crate::domain::session_life::Window;
use crate::store::{Clock, ClockChange, SessionNote, TimedBy};

/// Noted at that second, by a token of that second.
fn note(sid: &str, at: i64) -> SessionNote {
    SessionNote {
        sign_in: token("notes", sid, at),
        id: SessionId::new(u128::try_from(at).unwrap()),
        seen_at: UnixMillis(at * 1000),
        active_at: None,
        device: None,
        clock: Clock::Runs,
    }
}

fn active(sid: &str, at: i64) -> SessionNote {
    SessionNote { active_at: Some(UnixMillis(at * 1000)), ..note(sid, at) }
}

fn key(sid: &str) -> SessionKey {
    token("notes", sid, 0).session().unwrap()
}

impl TestStore {
    async fn notes(&self, notes: impl IntoIterator<Item = SessionNote>) {
        self.note_sessions(notes.into_iter().collect()).await.unwrap();
    }

    /// When a session was last active, and when it began, in seconds; `None` where its
    /// clock does not run.
    async fn clock_of(&self, sid: &str) -> Option<(i64, i64)> {
        let found = self.timed_sessions(&[key(sid)]).await.unwrap().pop()?;
        Some((found.active_at.0 / 1000, found.started_at.0))
    }

    async fn timed(&self, after: i64, through: i64, by: TimedBy) -> Vec<String> {
        let window = Window { after: UnixMillis(after * 1000), through: UnixMillis(through * 1000) };
        let found = self.sessions_timed_in(window, by).await.unwrap();
        found.into_iter().map(|(key, _)| key.sid.as_str().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_session_is_active_when_it_is_new_and_then_only_when_that_is_said() {
    let store = TestStore::open().await;
    store.notes([note("laptop", 100)]).await;
    store.notes([note("laptop", 200)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((100, 100)));
    store.notes([active("laptop", 300)]).await;
    store.notes([active("laptop", 250)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((300, 100)));
    let record = store.session(&key("laptop")).await.unwrap().unwrap();
    assert_eq!((record.first_seen_at, record.last_seen_at), (UnixMillis(100_000), UnixMillis(300_000)));
    assert_eq!(record.id, SessionId::new(100), "the first name stays");
}

#[tokio::test]
async fn a_newer_authentication_is_activity_and_a_new_start() {
    let store = TestStore::open().await;
    let authenticated = |at: i64, auth_time: i64| {
        let mut note = note("laptop", at);
        note.sign_in.auth_time = Some(UnixSeconds(auth_time));
        note
    };
    store.notes([authenticated(100, 40)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((100, 40)));
    store.notes([note("laptop", 200)]).await;
    store.notes([authenticated(300, 40)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((100, 40)), "the same one, seen again");
    store.notes([authenticated(500, 400)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((400, 400)));
    store.notes([authenticated(600, 9000)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((600, 600)), "by an issuer whose clock is ahead");
}

#[tokio::test]
async fn a_clock_that_was_stopped_starts_anew_when_the_session_is_seen_alive() {
    let store = TestStore::open().await;
    store.notes([note("laptop", 100)]).await;
    store.change_clocks(ClockChange::Stop(vec![(key("laptop"), UnixMillis(99_000))])).await.unwrap();
    assert_eq!(store.clock_of("laptop").await, Some((100, 100)), "it was active after that");
    store.change_clocks(ClockChange::Stop(vec![(key("laptop"), UnixMillis(100_000))])).await.unwrap();
    assert_eq!(store.clock_of("laptop").await, None);
    store.notes([SessionNote { clock: Clock::Stays, ..note("laptop", 200) }]).await;
    assert_eq!(store.clock_of("laptop").await, None);
    store.notes([note("laptop", 300)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((300, 300)));
    store.notes([SessionNote { clock: Clock::Stops, ..note("laptop", 400) }]).await;
    assert_eq!(store.clock_of("laptop").await, None);
    store.notes([note("laptop", 500)]).await;
    store.change_clocks(ClockChange::StopAll).await.unwrap();
    assert_eq!(store.clock_of("laptop").await, None);
}

#[tokio::test]
async fn what_a_crash_kept_from_being_written_is_made_up_for_once() {
    let store = TestStore::open().await;
    store.notes([active("laptop", 100), active("phone", 170), active("ahead", 900)]).await;
    let resume = |now: i64| ClockChange::Resume { sample: Duration::from_secs(60), now: UnixMillis(now * 1000) };
    store.change_clocks(resume(200)).await.unwrap();
    let actives = async || {
        let mut clocks = Vec::new();
        for sid in ["laptop", "phone", "ahead"] {
            clocks.push(store.clock_of(sid).await.unwrap().0);
        }
        clocks
    };
    assert_eq!(actives().await, [160, 200, 200], "and nothing is later than now");
    store.change_clocks(resume(300)).await.unwrap();
    assert_eq!(actives().await, [160, 200, 200]);
    store.change_clocks(ClockChange::NotAfter(UnixMillis(180_000))).await.unwrap();
    assert_eq!(actives().await, [160, 180, 180]);
}

#[tokio::test]
async fn clocks_are_changed_however_many_run() {
    let store = TestStore::open().await;
    let many = i64::from(crate::store::session_notes::PAGE) + 1;
    for part in (1..=many).collect::<Vec<_>>().chunks(1_000) {
        store.note_sessions(part.iter().map(|at| active(&format!("s{at}"), *at)).collect()).await.unwrap();
    }
    let now = UnixMillis((many + 60) * 1000);
    store.change_clocks(ClockChange::Resume { sample: Duration::from_secs(60), now }).await.unwrap();
    assert_eq!(store.timed(0, 60, TimedBy::Activity).await, [""; 0], "each is a minute later");
    assert_eq!(store.timed(60, many + 60, TimedBy::Activity).await.len(), usize::try_from(many).unwrap());
    store.change_clocks(ClockChange::NotAfter(UnixMillis(1_000))).await.unwrap();
    assert_eq!(store.timed(0, 1, TimedBy::Activity).await.len(), usize::try_from(many).unwrap());
    store.change_clocks(ClockChange::StopAll).await.unwrap();
    assert_eq!(store.timed(0, 1, TimedBy::Activity).await, [""; 0]);
}

#[tokio::test]
async fn those_whose_time_has_come_are_found_in_order() {
    let store = TestStore::open().await;
    store.notes([active("c", 300), active("a", 100), active("b", 200)]).await;
    store.notes([SessionNote { clock: Clock::Stays, ..active("untimed", 200) }]).await;
    assert_eq!(store.timed(0, 999, TimedBy::Activity).await, ["a", "b", "c"]);
    assert_eq!(store.timed(100, 200, TimedBy::Activity).await, ["b"]);
    store.notes([active("a", 400)]).await;
    assert_eq!(store.timed(100, 400, TimedBy::Activity).await, ["b", "c", "a"]);
    assert_eq!(store.timed(0, 200, TimedBy::Start).await, ["a", "b"]);
}

#[tokio::test]
async fn a_session_is_over_when_all_that_was_seen_of_it_is() {
    let store = TestStore::open().await;
    store.see(&token("notes", "laptop", 900), UnixMillis(900_000)).await.unwrap();
    store.see(&token("shop", "laptop", 1100), UnixMillis(1_100_000)).await.unwrap();
    store.notes([note("laptop", 900)]).await;
    store.fresh(app_ends("laptop", 1000)).await;
    let found = async || store.timed_sessions(&[key("laptop")]).await.unwrap().pop().unwrap();
    assert!(!found().await.is_over, "shop signed in after that");
    assert_eq!(found().await.latest_iat, Some(UnixSeconds(1100)));
    assert_eq!(store.session(&key("laptop")).await.unwrap().unwrap().ended_by, None);
    let end = store.fresh(app_ends("laptop", 1200)).await;
    assert!(store.timed_sessions(&[key("laptop")]).await.unwrap().is_empty(), "and is not timed any more");
    let record = store.session(&key("laptop")).await.unwrap().unwrap();
    assert_eq!(record.ended_by.map(|logout| logout.id), Some(id_of(&end)));
}

#[tokio::test]
async fn every_logout_stops_the_clocks_of_what_it_ends_and_no_others() {
    let store = TestStore::open().await;
    let sids = ["laptop", "phone", "desk", "later"];
    for (sid, at) in sids.into_iter().zip([900, 901, 902, 2000]) {
        store.sees(&token("notes", sid, at)).await;
        store.notes([note(sid, at)]).await;
    }
    let running = async || {
        let keys = sids.map(key);
        let found = store.timed_sessions(&keys).await.unwrap();
        found.into_iter().map(|session| session.key.sid.as_str().to_owned()).collect::<Vec<_>>()
    };
    store.fresh(app_ends("laptop", 1000)).await;
    assert_eq!(running().await, ["phone", "desk", "later"]);
    store.notes([note("laptop", 1100)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((1100, 1100)), "somebody has signed in to it again");
    store.sees(&token("notes", "laptop", 1100)).await;
    store.fresh(app_ends("phone", 890)).await;
    assert_eq!(running().await, ["laptop", "phone", "desk", "later"], "it began after that");
    store.fresh(ends_everywhere(1500)).await;
    assert_eq!(running().await, ["later"], "with its person's");
}

#[tokio::test]
async fn what_was_seen_before_a_logout_starts_no_clock_however_late_it_is_written() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "known", 900)).await;
    store.sees(&token("notes", "new", 901)).await;
    store.notes([note("known", 900)]).await;
    store.fresh(app_ends("known", 1000)).await;
    store.fresh(app_ends("new", 1000)).await;
    store.notes([active("known", 900), active("new", 901)]).await;
    assert_eq!((store.clock_of("known").await, store.clock_of("new").await), (None, None));
    assert!(store.session(&key("new")).await.unwrap().is_some(), "it is in the registry all the same");

    // Shop signs in anew, and then Notes was seen once more with what it had.
    store.sees(&token("shop", "known", 1100)).await;
    store.notes([SessionNote { seen_at: UnixMillis(1_101_000), ..note("known", 900) }]).await;
    let active_at = store.clock_of("known").await.map(|(active_at, _)| active_at);
    assert_eq!(active_at, Some(1101), "it is alive, whoever of it was noted");
    store.sees(&token("notes", "new", 1100)).await;
    store.notes([note("new", 1100)]).await;
    assert_eq!(store.clock_of("new").await, Some((1100, 1100)), "it begins anew");
}

#[tokio::test]
async fn a_sign_in_that_nobody_could_write_down_begins_anew_all_the_same() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    store.notes([note("laptop", 900)]).await;
    store.fresh(app_ends("laptop", 1000)).await;
    store.notes([note("laptop", 1100)]).await;
    assert_eq!(store.clock_of("laptop").await, Some((1100, 1100)));
}

#[tokio::test]
async fn a_session_whose_token_was_seen_after_its_persons_logout_is_over_while_its_clock_runs() {
    let store = TestStore::open().await;
    store.notes([note("laptop", 900)]).await;
    store.fresh(ends_everywhere(1000)).await;
    store.sees(&token("notes", "laptop", 900)).await;
    let found = store.timed_sessions(&[key("laptop")]).await.unwrap().pop().unwrap();
    assert!(found.is_over, "the logout did not know that the session was its person's");
}

#[tokio::test]
async fn notes_of_one_session_become_one() {
    let device = Arc::new(Device::new(Some("one"), [192, 0, 2, 1].into()));
    let mut merged = SessionNote { device: Some(Arc::clone(&device)), ..active("laptop", 100) };
    merged.merge(note("laptop", 200));
    assert_eq!((merged.seen_at, merged.active_at), (UnixMillis(200_000), Some(UnixMillis(100_000))));
    assert_eq!(merged.device, Some(device));
    merged.merge(SessionNote { clock: Clock::Stops, ..note("laptop", 300) });
    merged.merge(SessionNote { clock: Clock::Stays, ..note("laptop", 310) });
    assert_eq!(merged.clock, Clock::Stops);
    merged.merge(note("laptop", 400));
    assert_eq!((merged.clock, merged.active_at), (Clock::Runs, Some(UnixMillis(400_000))), "a sign-in after its end");
}
