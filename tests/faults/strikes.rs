//! How each fault is done, and healed.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::attackers::{Assault, Attack};
use crate::cluster::NOTES;
use crate::disk::ReadOnly;
use crate::history::{Answer, Event, Way, Whom};
use crate::luck::Luck;
use crate::power;
use crate::reporter::{By, Reporter};
use crate::run::Scale;
use crate::socket::{Said, Socket};
use crate::support::issuer::{Serving, TestSession};
use crate::support::token::{SigningKey, TokenBuilder};
use crate::table::{AtStart, Strike};
use crate::world::World;

/// How long a process that is told to end may take.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take until a logout is acknowledged once a fault is healed: where keys have
/// rotated the hub may ask for the new ones 30 s after it asked last.
const WELL_WITHIN: Duration = Duration::from_secs(45);

/// How many report all the time.
const CALLERS: usize = 4;
/// How long a write of the hub's waits for a lock, at most.
const A_WRITE_WAITS: Duration = Duration::from_secs(3);

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, and healed. What there is to say about it.
    Survived(String),
    /// It cannot be done here, and why.
    LeftOut(&'static str),
    /// A promise was broken at once.
    Broke(String),
}

/// Does it for so long, heals it, and sees that logouts are acknowledged again.
pub async fn strike(world: &Arc<World>, scale: &Scale, strike: Strike, luck: &mut Luck) -> Outcome {
    let lasts = luck.millis(scale.lasts.0, scale.lasts.1);
    let callers = Callers::begin(world, Duration::from_millis(scale.pause));
    let outcome = do_it(world, scale, strike, lasts, luck).await;
    world.cluster.until_ready().await;
    match (outcome, callers.are_heard().await && is_heard(world).await) {
        (Outcome::Survived(_), false) => Outcome::Broke("a logout is never acknowledged afterwards".to_owned()),
        (outcome, _) => outcome,
    }
}

async fn do_it(world: &Arc<World>, scale: &Scale, strike: Strike, lasts: Duration, luck: &mut Luck) -> Outcome {
    match strike {
        Strike::Kill => kill(world, lasts, luck).await,
        Strike::PowerLoss => power_loss(world, lasts, luck).await,
        Strike::Terminate => terminate(world).await,
        Strike::FullDisk => full_disk(world, scale, lasts).await,
        Strike::Locked => locked(world, lasts).await,
        Strike::ReadOnly => read_only(world, lasts).await,
        Strike::IssuerAtStart(how) => issuer_at_start(world, how, lasts).await,
        Strike::KeysRotate => keys_rotate(world, scale, lasts).await,
        Strike::KeyWithdrawn => key_withdrawn(world).await,
        Strike::ClockSteps => clock_steps(world, lasts).await,
        Strike::Harm(attack) => harm(world, scale, attack, lasts).await,
        Strike::TerminateUnderAll => terminate_under_all(world, scale, lasts).await,
    }
}

/// Issuers that report one session after the other while a fault lasts, beside all who do.
struct Callers {
    callers: JoinSet<()>,
    is_over: watch::Sender<bool>,
}

impl Callers {
    fn begin(world: &Arc<World>, pause: Duration) -> Self {
        let (mut callers, is_over) = (JoinSet::new(), watch::Sender::new(false));
        for _ in 0..CALLERS {
            let (world, over) = (Arc::clone(world), is_over.subscribe());
            callers.spawn(async move {
                while !*over.borrow() {
                    reporter(&world, world.issuer.sign_in("sub-7c41f0-caller")).report().await;
                    sleep(pause).await;
                }
            });
        }
        Self { callers, is_over }
    }

    /// Whether each of them is acknowledged what it said last.
    async fn are_heard(mut self) -> bool {
        self.is_over.send_replace(true);
        let all = async { while self.callers.join_next().await.transpose().unwrap().is_some() {} };
        timeout(WELL_WITHIN, all).await.is_ok()
    }
}

/// Whether a logout is acknowledged in time.
async fn is_heard(world: &Arc<World>) -> bool {
    let marker = reporter(world, world.issuer.sign_in("sub-7c41f0-marker"));
    matches!(timeout(WELL_WITHIN, marker.report()).await, Ok(Some(Answer::Acknowledged { .. })))
}

fn reporter(world: &Arc<World>, who: TestSession) -> Reporter {
    let (world, began) = (Arc::clone(world), world.issuer.now());
    Reporter { world, luck: Luck::of(0, 0), who, began, by: By::Issuer, everywhere: false, tries: usize::MAX }
}

fn done() -> Outcome {
    Outcome::Survived(String::new())
}

async fn kill(world: &World, lasts: Duration, luck: &mut Luck) -> Outcome {
    for _ in 0..=luck.below(2) {
        world.cluster.hub.lock().await.kill();
        sleep(luck.millis(0, 200)).await;
        world.cluster.start_again(false).await;
        sleep(lasts.mul_f64(0.3)).await;
    }
    done()
}

async fn power_loss(world: &Arc<World>, lasts: Duration, luck: &mut Luck) -> Outcome {
    world.cluster.hub.lock().await.kill();
    if world.cluster.try_to_start(true).await.is_err() {
        world.cluster.start_again(false).await;
        return Outcome::LeftOut("strace may not run here");
    }
    world.cluster.until_ready().await;
    if !is_heard(world).await {
        return Outcome::Broke("under strace no logout is acknowledged".to_owned());
    }
    sleep(lasts).await;
    let (trace, lost) = {
        let mut hub = world.cluster.hub.lock().await;
        let trace = hub.kill_traced().await;
        let lost = power::lose(&power::unsynced(&trace), hub.records(), luck);
        (trace, lost)
    };
    world.cluster.start_again(false).await;
    if !power::has_synced(&trace) {
        return Outcome::Broke("the hub synced nothing of what it wrote".to_owned());
    }
    Outcome::Survived(format!("{lost} bytes lost"))
}

async fn terminate(world: &World) -> Outcome {
    let ended = world.cluster.hub.lock().await.terminate(ENDS_WITHIN).await;
    world.cluster.start_again(false).await;
    match ended {
        Some(took) => Outcome::Survived(format!("ended in {} ms", took.as_millis())),
        None => Outcome::Broke("told to end, it did not end well within ten seconds".to_owned()),
    }
}

async fn full_disk(world: &World, scale: &Scale, lasts: Duration) -> Outcome {
    if !scale.has_small_disk {
        return Outcome::LeftOut("no small disk may be mounted here");
    }
    let filler = world.cluster.hub.lock().await.records().join("filler");
    let written = std::fs::write(&filler, vec![0; 128 << 20]);
    sleep(lasts).await;
    std::fs::remove_file(&filler).unwrap();
    match written {
        Err(_) => done(),
        Ok(()) => Outcome::Broke("the disk was never full: the fault was none".to_owned()),
    }
}

async fn locked(world: &World, lasts: Duration) -> Outcome {
    use sqlx::{Connection as _, SqliteConnection};
    let file = world.cluster.hub.lock().await.records().join("hub.db");
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    sleep(A_WRITE_WAITS + lasts).await;
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    done()
}

async fn read_only(world: &World, lasts: Duration) -> Outcome {
    let file = {
        let mut hub = world.cluster.hub.lock().await;
        hub.kill();
        hub.records().join("hub.db")
    };
    let Some(read_only) = ReadOnly::make(&file) else {
        world.cluster.start_again(false).await;
        return Outcome::LeftOut("whoever runs this writes what they like");
    };
    let started = world.cluster.try_to_start(false).await;
    sleep(lasts).await;
    world.cluster.hub.lock().await.kill();
    drop(read_only);
    world.cluster.start_again(false).await;
    match started {
        Ok(()) => Outcome::Survived("the hub starts".to_owned()),
        Err(ended) if ended.status.code() == Some(1) => Outcome::Survived("the hub does not start".to_owned()),
        Err(ended) => Outcome::Broke(format!("it ended with {}: {}", ended.status, ended.said)),
    }
}

async fn issuer_at_start(world: &World, how: AtStart, lasts: Duration) -> Outcome {
    match how {
        AtStart::Down => world.issuer.fail_with(503),
        AtStart::Slow => world.issuer.serves(Serving::Late(Duration::from_secs(60))),
        AtStart::Garbage => world.issuer.serves(Serving::Garbage),
    }
    world.cluster.hub.lock().await.kill();
    world.cluster.start_again(false).await;
    sleep(lasts).await;
    world.issuer.serves(Serving::Well);
    world.issuer.fail_with(200);
    done()
}

async fn keys_rotate(world: &Arc<World>, scale: &Scale, lasts: Duration) -> Outcome {
    // What the old key has signed stays good.
    world.issuer.publish(world.issuer.jwk());
    world.issuer.rotate_keys();
    sleep(lasts).await;
    if scale.waits_for_keys { done() } else { terminate(world).await }
}

/// A key that was good is withdrawn; whoever has it may no longer end anything.
async fn key_withdrawn(world: &Arc<World>) -> Outcome {
    let kid = format!("second-{}", world.next_report());
    let key = Arc::new(SigningKey::rsa(kid.clone(), KeyPair::generate(KeySize::Rsa2048).unwrap()));
    world.issuer.publish(key.jwk());
    restart(world).await;
    let own = world.issuer.sign_in("sub-7c41f0-second");
    let report = world.next_report();
    let (whom, iat) = (Whom::Session(own.sid.clone()), world.issuer.now());
    world.history.note(Event::Reporting { report, whom, way: Way::Backchannel, iat: Some(iat) });
    let status = posts(world, &forged(world, &key, &own)).await;
    let answer = match status {
        Some(200) => Answer::Acknowledged { id: None, until: iat },
        other => Answer::Unknown { why: format!("{other:?}") },
    };
    world.history.note(Event::Reported { report, answer });
    if status != Some(200) {
        return Outcome::Broke(format!("the second key's token was not taken while it was good: {status:?}"));
    }

    world.issuer.withdraw(&kid);
    restart(world).await;
    is_refused(world, &key).await
}

/// Whether a living session hears nothing of what that key says, and then its own logout.
async fn is_refused(world: &Arc<World>, key: &Arc<SigningKey>) -> Outcome {
    let grace = world.issuer.sign_in("sub-7c41f0-grace");
    let Some(mut tab) = Socket::open(world.cluster.door(0), Some(NOTES.1)).await else {
        return Outcome::Broke("no socket may be opened".to_owned());
    };
    tab.subscribe(&world.issuer.id_token(&grace, NOTES.0).sign()).await;
    let first = tab.next().await;
    if !matches!(first, Said::Subscribed { .. }) {
        return Outcome::Broke(format!("a living session was not let in: {first:?}"));
    }
    let status = posts(world, &forged(world, key, &grace)).await;
    if status == Some(200) {
        return Outcome::Broke("a withdrawn key's token was taken".to_owned());
    }
    let heard = timeout(Duration::from_millis(500), tab.next()).await;
    if heard.is_ok() {
        return Outcome::Broke(format!("somebody was told by a withdrawn key: {heard:?}"));
    }
    reporter(world, grace).report().await;
    match timeout(Duration::from_secs(5), tab.next()).await {
        Ok(Said::Event(_)) => Outcome::Survived(format!("refused with {}", status.unwrap_or_default())),
        other => Outcome::Broke(format!("the session's own logout was not told: {other:?}")),
    }
}

/// Started anew, with the issuer's keys of now.
async fn restart(world: &Arc<World>) {
    world.cluster.hub.lock().await.kill();
    world.cluster.start_again(false).await;
    is_heard(world).await;
}

/// The issuer's logout token of that session, by another key.
fn forged(world: &World, key: &Arc<SigningKey>, who: &TestSession) -> String {
    let claims: Value = serde_json::from_str(&world.issuer.logout_token(who, NOTES.0).claims_text()).unwrap();
    TokenBuilder::new(Arc::clone(key), claims).header("typ", "JWT".into()).sign()
}

async fn posts(world: &World, token: &str) -> Option<u16> {
    let form = world.cluster.http.post(format!("http://{}/backchannel-logout", world.cluster.door(0)));
    let form = form.header("content-type", "application/x-www-form-urlencoded").body(format!("logout_token={token}"));
    form.send().await.ok().map(|answer| answer.status().as_u16())
}

async fn clock_steps(world: &World, lasts: Duration) -> Outcome {
    // A second until it is noticed.
    let lasts = lasts + Duration::from_secs(1);
    for ahead in [25, -25, 0] {
        world.cluster.hub.lock().await.sets_clock(ahead);
        sleep(lasts).await;
    }
    done()
}

fn attackers(scale: &Scale, attack: Attack) -> usize {
    match attack {
        Attack::Silent | Attack::Slow => 60,
        Attack::Fragments => 20,
        Attack::NeverSubscribes => scale.never_subscribe,
        Attack::Slowloris => 300,
    }
}

async fn harm(world: &World, scale: &Scale, attack: Attack, lasts: Duration) -> Outcome {
    let many = attackers(scale, attack);
    let assault = Assault::begin(attack, world.cluster.hub.lock().await.at().public, many);
    let opened = assault.is_under_way().await;
    sleep(lasts).await;
    if opened < many {
        return Outcome::Broke(format!("only {opened} of {many} attackers came in: the fault was none"));
    }
    Outcome::Survived(format!("{opened} connections"))
}

async fn terminate_under_all(world: &World, scale: &Scale, lasts: Duration) -> Outcome {
    let at = world.cluster.hub.lock().await.at().public;
    let assaults = Attack::ALL.map(|attack| Assault::begin(attack, at, attackers(scale, attack).min(200)));
    for assault in &assaults {
        assault.is_under_way().await;
    }
    sleep(lasts).await;
    terminate(world).await
}
