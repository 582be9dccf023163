use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(15 * 60);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn people_are_warned_a_minute_before_or_at_half_of_a_shorter_time_out() {
    assert_eq!(warning(IDLE), MINUTE);
    assert_eq!(warning(seconds(120)), MINUTE);
    assert_eq!(warning(seconds(90)), seconds(45));
    assert_eq!(warning(seconds(1)), Duration::from_millis(500));
}

#[test]
fn a_reason_names_the_time_out_as_people_would() {
    let cases = [
        (1, "1 second"),
        (90, "90 seconds"),
        (60, "1 minute"),
        (900, "15 minutes"),
        (5400, "90 minutes"),
        (3600, "1 hour"),
        (8 * 3600, "8 hours"),
        (24 * 3600, "1 day"),
        (30 * 24 * 3600, "30 days"),
    ];
    for (span, words) in cases {
        assert_eq!(idle_reason(seconds(span)), format!("Signed out after {words} without activity"));
    }
    assert_eq!(absolute_reason(seconds(28_800)), "Signed out after 8 hours, the longest that a session may last");
}

#[test]
fn activity_is_written_once_a_minute_and_more_often_only_for_short_time_outs() {
    let sample = |idle: Option<u64>| Timeouts { idle: idle.map(seconds), absolute: None }.sample();
    assert_eq!(sample(None), MINUTE);
    assert_eq!(sample(Some(900)), MINUTE);
    assert_eq!(sample(Some(100)), seconds(25));
}

#[test]
fn a_look_reads_what_is_new_and_everything_now_and_then() {
    let mut lookout = Lookout::start(IDLE, UnixMillis(0), Duration::ZERO);
    let mut look =
        |uptime: u64| lookout.look(UnixMillis(2_000_000 + 1000 * i64::try_from(uptime).unwrap()), seconds(uptime));
    assert_eq!(look(29).window, None, "apps are still coming back");
    let through = |uptime: i64| UnixMillis(2_000_000 + 1000 * uptime - 840_000);
    let everything = UnixMillis(i64::MIN);
    assert_eq!(look(30).window, Some(Window { after: everything, through: through(30) }));
    assert_eq!(look(31).window, Some(Window { after: through(30), through: through(31) }));
    assert_eq!(look(31).window, None, "no time has passed");
    assert_eq!(look(40).window, Some(Window { after: everything, through: through(40) }));
}

#[test]
fn a_clock_that_was_set_back_makes_the_look_thorough() {
    let mut lookout = Lookout::start(IDLE, UnixMillis(0), Duration::ZERO);
    assert!(lookout.look(UnixMillis(9_000_000), seconds(60)).is_thorough, "the first is");
    assert!(!lookout.look(UnixMillis(9_001_000), seconds(61)).is_thorough);
    let back = lookout.look(UnixMillis(5_000_000), seconds(62));
    let everything = Window { after: UnixMillis(i64::MIN), through: UnixMillis(5_000_000 - 840_000) };
    assert_eq!(back, Look { window: Some(everything), is_thorough: true });
    assert!(!lookout.look(UnixMillis(5_001_000), seconds(63)).is_thorough);
}

#[test]
fn a_session_that_was_warned_by_a_wrong_clock_is_not_due_by_the_right_one() {
    let since = UnixMillis(1_000_000);
    assert!(is_up(since, IDLE, UnixMillis(1_900_000)));
    assert!(is_up(since, IDLE, UnixMillis(1_895_000)), "slewed during the warning");
    assert!(!is_up(since, IDLE, UnixMillis(1_894_999)));
}

#[test]
fn a_countdown_runs_once_and_can_be_called_off() {
    let mut countdowns = Countdowns::before(IDLE);
    let since = UnixMillis(7);
    assert_eq!(countdowns.enter(&"ada", since, seconds(100)), Some(60));
    assert_eq!(countdowns.enter(&"ada", since, seconds(120)), None, "it runs already");
    assert_eq!(countdowns.enter(&"grace", since, seconds(110)), Some(60));
    assert_eq!(countdowns.seconds_left(&"ada", Duration::from_millis(120_500)), Some(40));
    assert_eq!(countdowns.run_down(seconds(159), 9), []);
    assert!(countdowns.call_off(&"ada"));
    assert!(!countdowns.call_off(&"ada"));
    assert_eq!(countdowns.seconds_left(&"ada", seconds(120)), None);
    assert_eq!(countdowns.run_down(seconds(200), 9), [RunDown { key: "grace", since }]);
    assert_eq!(countdowns.run_down(seconds(200), 9).len(), 1, "it stays due until it is called off");
    countdowns.enter(&"ada", since, seconds(170));
    assert_eq!(countdowns.run_down(seconds(229), 9).len(), 1, "a new countdown runs its whole length");
    assert_eq!(countdowns.run_down(seconds(230), 9).len(), 2);
    assert_eq!(countdowns.run_down(seconds(230), 1).len(), 1);
}

#[test]
fn a_countdown_that_begins_again_in_the_same_moment_runs_down_once() {
    let mut countdowns = Countdowns::before(IDLE);
    countdowns.enter(&"ada", UnixMillis(1), seconds(0));
    countdowns.call_off(&"ada");
    countdowns.enter(&"ada", UnixMillis(2), seconds(0));
    assert_eq!(countdowns.run_down(seconds(60), 9), [RunDown { key: "ada", since: UnixMillis(2) }]);
}

/// What happens to a hub with one session, between looks a second apart.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// So many seconds pass, with a look at each.
    Pass(u16),
    /// They pass without a look: the hub was too busy.
    Stall(u16),
    Activity,
    /// The time of day is set on or back, or the machine slept.
    Jump(i32),
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_u16..400).prop_map(Event::Pass),
        1 => (1_u16..2000).prop_map(Event::Stall),
        3 => Just(Event::Activity),
        2 => (-100_000_i32..100_000).prop_map(Event::Jump),
        1 => Just(Event::Restart),
    ]
}

/// The hub in little: the same rules, with one row for a store.
struct Model {
    now: i64,
    uptime: u64,
    lookout: Lookout,
    countdowns: Countdowns<u8>,
    active_at: UnixMillis,
    /// By uptime, which is the true time here.
    truly_active_at: u64,
    warned_at: Option<u64>,
    ended_at: Option<u64>,
    started_at: u64,
}

impl Model {
    fn new() -> Self {
        let now = 1_800_000_000;
        let lookout = Lookout::start(IDLE, UnixMillis(now * 1000), Duration::ZERO);
        let countdowns = Countdowns::before(IDLE);
        Self {
            now,
            uptime: 0,
            lookout,
            countdowns,
            active_at: UnixMillis(now * 1000),
            truly_active_at: 0,
            warned_at: None,
            ended_at: None,
            started_at: 0,
        }
    }

    fn look(&mut self) {
        let (now, uptime) = (UnixMillis(self.now * 1000), seconds(self.uptime));
        let look = self.lookout.look(now, uptime);
        if look.is_thorough {
            self.active_at = self.active_at.min(now);
        }
        let is_in = |window: Window| window.after < self.active_at && self.active_at <= window.through;
        if look.window.is_some_and(is_in) && self.countdowns.enter(&0, self.active_at, uptime).is_some() {
            self.warned_at = Some(self.uptime);
        }
        for run_down in self.countdowns.run_down(uptime, 1) {
            if is_up(run_down.since, IDLE, now) {
                self.ended_at = Some(self.uptime);
            } else {
                self.countdowns.call_off(&0);
                self.warned_at = None;
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Pass(span) => {
                for _ in 0..span {
                    self.now += 1;
                    self.uptime += 1;
                    if self.ended_at.is_none() {
                        self.look();
                    }
                }
            }
            Event::Stall(span) => {
                self.now += i64::from(span);
                self.uptime += u64::from(span);
            }
            Event::Activity => {
                self.active_at = self.active_at.max(UnixMillis(self.now * 1000));
                self.truly_active_at = self.uptime;
                self.countdowns.call_off(&0);
                self.warned_at = None;
            }
            Event::Jump(by) => self.now += i64::from(by),
            Event::Restart => {
                self.lookout = Lookout::start(IDLE, UnixMillis(self.now * 1000), seconds(self.uptime));
                self.countdowns = Countdowns::before(IDLE);
                self.active_at = self.active_at.min(UnixMillis(self.now * 1000));
                self.warned_at = None;
                self.started_at = self.uptime;
            }
        }
    }
}

proptest! {
    #[test]
    fn nobody_is_signed_out_who_was_not_warned_for_the_whole_warning(events in prop::collection::vec(event(), 1..60)) {
        let mut hub = Model::new();
        for event in events {
            hub.happens(event);
            if let Some(ended_at) = hub.ended_at {
                let warned_at = hub.warned_at.expect("who is signed out was warned");
                prop_assert!(ended_at - warned_at >= 60, "warned at {warned_at}, ended at {ended_at}");
                prop_assert!(ended_at >= hub.truly_active_at + 60);
                break;
            }
        }
    }

    #[test]
    fn without_jumps_nobody_is_signed_out_early(events in prop::collection::vec(event(), 1..60)) {
        let mut hub = Model::new();
        for event in events.into_iter().filter(|event| !matches!(event, Event::Jump(_))) {
            hub.happens(event);
            if let Some(ended_at) = hub.ended_at {
                prop_assert!(ended_at - hub.truly_active_at >= 900);
                break;
            }
        }
    }

    #[test]
    fn nobody_stays_signed_in_for_ever(events in prop::collection::vec(event(), 0..60)) {
        let mut hub = Model::new();
        for event in events {
            hub.happens(event);
        }
        // The hub may have just begun, and the last jump is only seen by a thorough look.
        let quiet_since = hub.uptime;
        hub.happens(Event::Pass(900 + 60 + 30));
        prop_assert!(hub.ended_at.is_some(), "quiet since {quiet_since}, started at {}", hub.started_at);
    }
}
