//! Deliveries outlive the process: killed between any two steps, a hub tells each back
//! end at least once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slo_hub::domain::app::BackchannelToken;
use slo_hub::domain::clock::{Clock, SystemClock};
use slo_hub::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid};
use slo_hub::domain::logout::{LogoutTarget, Source};
use slo_hub::oidc::logout_token::RawLogoutToken;
use slo_hub::store::{BackEnd, PassOn, Report, Store};
use slo_hub::tasks::Tasks;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::hub::Answer;
use crate::process::HubProcess;
use crate::receiver::{Receiver, Says};
use crate::records::{self, Records};
use crate::support::issuer::{TestIssuer, TestSession};

/// A hub in a process of its own, with Mail, which takes the hub's tokens, and Crm,
/// which takes the issuer's.
struct Office {
    issuer: TestIssuer,
    folder: TempDir,
    mail: Receiver,
    crm: Receiver,
}

impl Office {
    async fn open() -> Self {
        let (mail, crm) = (Receiver::start().await, Receiver::start().await);
        Self { issuer: TestIssuer::start().await, folder: TempDir::new().unwrap(), mail, crm }
    }

    async fn hub(&self) -> HubProcess {
        let tables = self.mail.app("mail", "hub") + &self.crm.app("crm", "issuer");
        HubProcess::start_with(&self.issuer, self.folder.path(), &tables).await
    }

    fn issuer_id(&self) -> Issuer {
        Issuer::parse(self.issuer.url()).unwrap()
    }
}

/// The issuer posts a logout token for Crm.
async fn receives(hub: &HubProcess, issuer: &TestIssuer, who: &TestSession) -> (Answer, String) {
    let token = issuer.logout_token(who, "crm").sign();
    let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
    (Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await, token)
}

/// Waits until both back ends' lines of the receipt say that they have confirmed.
async fn until_both_confirmed(hub: &HubProcess, issuer: &TestIssuer, who: &TestSession, id: &str) {
    let token = issuer.id_token(who, "notes").sign();
    hub.until("both confirm", async || {
        let request = hub.http.get(hub.url(&format!("/api/v1/logouts/{id}"))).bearer_auth(&token);
        let receipt = Answer::of(request).await.expect(200);
        let rows = receipt["deliveries"].as_array().unwrap();
        rows.len() == 2 && rows.iter().all(|row| row["via"] == "backchannel" && row["status"] == "acknowledged")
    })
    .await;
}

#[tokio::test]
async fn killed_while_the_back_ends_think_it_asks_them_again() {
    let office = Office::open().await;
    let mut hub = office.hub().await;
    office.mail.then(Says::Never);
    office.crm.then(Says::Never);
    let ada = office.issuer.sign_in("ada");
    let (answer, token) = receives(&hub, &office.issuer, &ada).await;
    answer.expect(200);
    let first = office.mail.post().await;
    assert_eq!(office.crm.post().await.token(), token);
    hub.kill();
    records::leases_end(office.folder.path()).await;

    let hub = office.hub().await;
    let second = office.mail.post().await;
    assert_eq!(office.crm.post().await.token(), token);
    assert_eq!(first.txn(), second.txn());
    assert_ne!(first.claim("jti"), second.claim("jti"));
    until_both_confirmed(&hub, &office.issuer, &ada, &second.txn()).await;
    office.mail.has_nothing_more();
    office.crm.has_nothing_more();
}

#[tokio::test]
async fn killed_after_the_answers_and_before_they_are_written_down_it_asks_again() {
    let office = Office::open().await;
    let mut hub = office.hub().await;
    let gate = Arc::new(Semaphore::new(0));
    office.mail.then(Says::Held(Arc::clone(&gate), 204));
    office.crm.then(Says::Held(Arc::clone(&gate), 204));
    let ada = office.issuer.sign_in("ada");
    let (answer, token) = receives(&hub, &office.issuer, &ada).await;
    answer.expect(200);
    let first = office.mail.post().await;
    office.crm.post().await;

    // From here on the hub can write nothing down.
    let lock = Records::locked(office.folder.path()).await;
    gate.add_permits(2);
    hub.until_metric("slo_hub_delivery_attempts_total{outcome=\"acknowledged\"", 2.0).await;
    hub.kill();
    lock.let_go().await;
    records::leases_end(office.folder.path()).await;

    let hub = office.hub().await;
    let second = office.mail.post().await;
    assert_eq!(office.crm.post().await.token(), token, "byte for byte, as before");
    assert_eq!(first.txn(), second.txn());
    until_both_confirmed(&hub, &office.issuer, &ada, &second.txn()).await;
}

#[tokio::test]
async fn killed_after_the_answers_were_written_down_it_asks_nobody_again() {
    let office = Office::open().await;
    let mut hub = office.hub().await;
    let ada = office.issuer.sign_in("ada");
    receives(&hub, &office.issuer, &ada).await.0.expect(200);
    let id = office.mail.post().await.txn();
    office.crm.post().await;
    until_both_confirmed(&hub, &office.issuer, &ada, &id).await;
    hub.kill();

    let hub = office.hub().await;
    let grace = office.issuer.sign_in("grace");
    let (answer, token) = receives(&hub, &office.issuer, &grace).await;
    answer.expect(200);
    assert_eq!(office.crm.post().await.token(), token, "the next logout is the next thing they hear of");
    assert_eq!(office.mail.post().await.claim("sub"), "grace");
}

#[tokio::test]
async fn killed_after_the_commit_and_before_the_first_attempt_it_tells_all_the_same() {
    let office = Office::open().await;
    let ada = office.issuer.sign_in("ada");
    let token = office.issuer.logout_token(&ada, "crm").sign();
    // A hub that recorded, and was gone before it did anything else: only its records are left.
    let tasks = Tasks::default();
    let url = records::url(office.folder.path());
    let store = Store::open(&url, &tasks).await.unwrap();
    let id = store.record(report(&office, &ada, &token)).await.unwrap().logout.unwrap().id;
    store.close().await;

    let hub = office.hub().await;
    assert_eq!(office.crm.post().await.token(), token);
    assert_eq!(office.mail.post().await.txn(), id.to_string());
    until_both_confirmed(&hub, &office.issuer, &ada, &id.to_string()).await;
}

fn report(office: &Office, who: &TestSession, token: &str) -> Report {
    let now = SystemClock::start().now();
    let client = |name: &str| ClientId::parse(name).unwrap();
    let back_ends = [("mail", BackchannelToken::Hub), ("crm", BackchannelToken::Issuer)];
    let key = SessionKey { issuer: office.issuer_id(), sid: Sid::parse(&who.sid).unwrap() };
    Report {
        source: Source::Backchannel,
        is_final: true,
        back_ends: back_ends.map(|(name, token)| BackEnd { client_id: client(name), token }).into(),
        pass_on: Some(PassOn {
            token: RawLogoutToken::new(token),
            audiences: vec![client("crm")],
            good_until: now.plus_seconds(100),
        }),
        ..Report::new(LogoutId::new(now, 7), LogoutTarget::Session { key, sub: None }, now, 660)
    }
}

#[tokio::test]
async fn killed_in_a_burst_of_logouts_it_tells_of_every_acknowledged_one_in_the_end() {
    let office = Arc::new(Office::open().await);
    let mut hub = office.hub().await;
    let (killed, tasks) = (Arc::new(AtomicBool::new(false)), Tasks::default());
    let burst: Vec<_> = (0..8)
        .map(|_| {
            let (office, killed, url) = (Arc::clone(&office), Arc::clone(&killed), hub.url("/backchannel-logout"));
            tasks.spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut acknowledged = Vec::new();
                while !killed.load(Ordering::SeqCst) {
                    let who = office.issuer.sign_in("ada");
                    let token = office.issuer.logout_token(&who, "crm").sign();
                    let request = http.post(&url).header("content-type", "application/x-www-form-urlencoded");
                    match request.body(format!("logout_token={token}")).send().await {
                        Ok(answer) if answer.status() == 200 => acknowledged.push((who.sid, token)),
                        Ok(_) | Err(_) => {}
                    }
                }
                acknowledged
            })
        })
        .collect();
    hub.until_metric("slo_hub_delivery_attempts_total", 60.0).await;
    hub.kill();
    killed.store(true, Ordering::SeqCst);
    let (mut sids, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for task in burst {
        for (sid, token) in task.await.unwrap() {
            sids.insert(sid);
            tokens.insert(token);
        }
    }
    assert!(sids.len() >= 30, "only {} logouts were acknowledged before the kill: no burst", sids.len());

    records::leases_end(office.folder.path()).await;
    let _hub = office.hub().await;
    while !sids.is_empty() {
        sids.remove(office.mail.post().await.claim("sid").as_str().unwrap());
    }
    while !tokens.is_empty() {
        tokens.remove(office.crm.post().await.token());
    }
}
