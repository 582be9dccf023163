//! Where a group is played: a hub, two people who must not be signed out, and the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use slo_hub::domain::clock::Clock as _;
use slo_hub::domain::ids::Issuer;

use super::act::{Faults, Target, play};
use super::corpus::{Group, Row};
use super::forge::Forge;
use super::line::{Heard, Line};
use super::log::Log;
use super::serving::Servings;
use super::words::Words;
use crate::certificates::Office;
use crate::console_operator::{Operator, token_of};
use crate::hub::{DESK_SECRET, NOTES, SHOP, TestHub};
use crate::rig::p256;
use crate::support::issuer::TestSession;
use crate::support::token::SigningKey;

/// What is sent in a log's place of nothing may be this short.
const SECRET_AT_LEAST: usize = 16;

/// A person who is signed in, with an app that listens.
struct Canary {
    who: TestSession,
    token: String,
    /// The token that the hub gave the app.
    ticket: String,
    line: Line,
}

pub struct Stage {
    name: String,
    target: Target,
    /// The cookie of an operator at the console, and what their forms carry.
    operator: Option<[String; 2]>,
    servings: Servings,
    stranger: Arc<SigningKey>,
    log: Log,
    /// A logout that was recorded before all rows.
    past: String,
    /// What the file says is secret.
    own_secrets: Vec<String>,
    said: Vec<String>,
    secrets: BTreeSet<String>,
}

/// Plays a group: controls, rows, and the controls once more.
pub async fn run(group: Group) {
    let log = Log::open();
    let servings = Servings::start(&group).await;
    let office = group.admin_tls.then(Office::open);
    let tls = office.as_ref().map(|office| office.table("admin_tls")).unwrap_or_default();
    let hub = servings.hub(&format!("{}\n{tls}", group.hub)).await;
    let operator = match &group.operator {
        Some(token) => Some(signed_in(&hub, token).await),
        None => None,
    };
    let past = hub.desk_reports(json!({"sid": "a-session-of-the-past"})).await.expect(201)["id"].clone();
    let mut stage = Stage {
        name: group.name,
        target: Target { hub, office },
        operator,
        servings,
        stranger: p256("stranger"),
        log,
        past: past.as_str().unwrap().to_owned(),
        own_secrets: group.secrets,
        said: Vec::new(),
        secrets: BTreeSet::new(),
    };
    stage.controls(&group.controls).await;
    let mut canaries = [stage.canary("ada", NOTES, "notes").await, stage.canary("grace", SHOP, "shop").await];
    for row in &group.rows {
        if !stage.attack(row, &mut canaries).await {
            break;
        }
    }
    stage.marker(&mut canaries).await;
    stage.controls(&group.controls).await;
    stage.ends();
}

/// The cookie of an operator who has signed in to the console, and what their forms carry.
async fn signed_in(hub: &TestHub, token: &str) -> [String; 2] {
    let mut operator = Operator::stranger(hub);
    operator.signs_in(token).await.goes_to("/console");
    let form = token_of(&operator.opens("/console/end").await);
    [operator.cookie, form]
}

impl Stage {
    fn hub(&self) -> &TestHub {
        &self.target.hub
    }

    /// Somebody whose name stands nowhere else.
    fn person(&self, name: &str) -> TestSession {
        let unique = ulid::Ulid::generate().to_string();
        self.hub().issuer.session(&format!("sub-{name}-{unique}"), &format!("sid-{name}-{unique}"))
    }

    async fn canary(&self, name: &str, origin: &str, client_id: &str) -> Canary {
        let who = self.person(name);
        let token = self.hub().issuer.id_token(&who, client_id).sign();
        let mut line = Line::open(self.hub().addr(), Some(origin)).await.unwrap();
        line.subscribe(&token).await;
        let Ok(Heard::Frame(welcome)) = line.hears().await else { panic!("{name} cannot subscribe") };
        let ticket = welcome["resume"].as_str().unwrap_or_else(|| panic!("{welcome}")).to_owned();
        Canary { who, token, ticket, line }
    }

    fn fault(&mut self, row: &Row, faults: Faults) {
        self.said.extend(faults.into_iter().map(|fault| format!("{}/{}: {fault} [{}]", self.name, row.id, row.why)));
    }

    /// What is valid is taken, each for a person of its own.
    async fn controls(&mut self, rows: &[Row]) {
        for row in rows {
            let person = self.canary("control", NOTES, "notes").await;
            let (words, secrets) = self.words(row, &person);
            let (faults, _) = play(&self.target, row, &words, &secrets).await;
            self.fault(row, faults);
        }
    }

    /// One row. False once it has done something, for then nothing after it can be told.
    async fn attack(&mut self, row: &Row, canaries: &mut [Canary; 2]) -> bool {
        self.hub().advance(Duration::from_secs(row.advance));
        let (recorded, written) = (self.recorded().await, self.log.length());
        let (words, secrets) = self.words(row, &canaries[0]);
        let (faults, ids) = play(&self.target, row, &words, &secrets).await;
        self.fault(row, faults);
        let mut done = Faults::new();
        let now_recorded = self.recorded().await;
        if now_recorded != recorded {
            done.push(format!("{} logouts were recorded", now_recorded - recorded));
        }
        for canary in canaries {
            done.extend(canary.hears_nothing().await.err());
        }
        let goes_on = done.is_empty();
        self.fault(row, done);
        let lines = self.log.since(written);
        let unlogged = ids.iter().filter(|id| !lines.contains(id.as_str()));
        let mut told: Faults = unlogged.map(|id| format!("the log has no line of request {id}")).collect();
        told.extend(told_too_much(&lines, &secrets).map(|text| format!("the log tells {text}")));
        let metrics = self.hub().running.hub.metrics.encode();
        told.extend(told_too_much(&metrics, &secrets).map(|text| format!("the metrics tell {text}")));
        if lines.contains("panicked") {
            told.push("something panicked".to_owned());
        }
        self.fault(row, told);
        self.secrets.extend(secrets);
        goes_on
    }

    async fn recorded(&self) -> usize {
        let hub = &self.hub().running.hub;
        let mut count = 0;
        for settings in hub.directory.issuers() {
            let issuer = Issuer::parse(settings.issuer.as_str()).unwrap();
            count += hub.store.logouts_after(&issuer, 0, 10_000).await.unwrap().len();
        }
        count
    }

    /// What the row's words mean, and which of them must not be told.
    fn words(&self, row: &Row, person: &Canary) -> (Words, Vec<String>) {
        let (issuer, who) = (&self.hub().issuer, &person.who);
        let mut words = Words::at(self.hub().clock.now().floor().0);
        let id = issuer.id_token(who, "notes");
        let tokens = [
            ("id_token", id.sign()),
            ("fresh_token", id.clone().with("auth_time", words.value(&json!("${now}"))).sign()),
            ("expired_token", id.clone().moved("iat", -7200).moved("exp", -7200).sign()),
            ("old_token", id.clone().moved("iat", -400_000).moved("exp", -400_000).sign()),
            ("shop_token", issuer.id_token(who, "shop").sign()),
            ("other_token", self.hub().other.id_token(who, "notes").sign()),
            ("logout_token", issuer.logout_token(who, "notes").sign()),
            ("ticket", person.ticket.clone()),
        ];
        let state = format!("state-{}", ulid::Ulid::generate());
        let names = [("sid", who.sid.clone()), ("sub", who.sub.clone()), ("state", state)];
        for (word, text) in tokens.iter().chain(&names) {
            words.set(word, text.as_str());
        }
        let operator = self.operator.clone().unwrap_or_default();
        let plain = [
            ("issuer", issuer.url()),
            ("other", self.hub().other.url()),
            ("desk_secret", DESK_SECRET),
            ("past", &self.past),
            ("admin", &self.hub().running.admin_addr.to_string()),
            ("cookie", &operator[0]),
            ("form", &operator[1]),
            ("kid", &issuer.kid()),
            ("other_kid", &self.hub().other.kid()),
        ];
        for (word, text) in plain {
            words.set(word, text);
        }
        words.set("jwks", json!({ "keys": [issuer.jwk()] }).to_string());
        words.set("stranger_jwk", self.stranger.jwk());
        let forge = Forge { hub: self.hub(), stranger: &self.stranger };
        let token = match self.servings.of(row) {
            Some(serving) => serving.token(&row.token, who, &self.stranger, &words),
            None => forge.token(&row.token, who, &words),
        };
        words.set("token", token.as_str());
        let tokens = tokens.iter().map(|(_, token)| token.as_str()).chain([token.as_str()]);
        let parts = tokens.flat_map(|token| token.split('.').skip(1)).filter(|part| part.len() >= SECRET_AT_LEAST);
        let secrets = parts.map(str::to_owned).chain(names.into_iter().map(|(_, text)| text));
        let cookie = operator[0].split_once('=').map(|(_, value)| value.to_owned());
        let [_, form] = operator;
        let opens = cookie.into_iter().chain([form]).filter(|text| !text.is_empty());
        let secrets = secrets.chain([DESK_SECRET.to_owned()]).chain(self.own_secrets.iter().cloned());
        (words, secrets.chain(opens).collect())
    }

    /// A logout of both people is the first thing that their apps hear.
    async fn marker(&mut self, canaries: &mut [Canary; 2]) {
        for canary in canaries {
            let token = self.hub().issuer.logout_token(&canary.who, "notes").header("typ", json!("logout+jwt"));
            let answer = self.hub().receives(&token.sign()).await;
            if answer.status != 200 {
                self.said.push(format!("{}: the marker was refused: {answer:?}", self.name));
                continue;
            }
            let heard = canary.line.hears().await;
            if !matches!(&heard, Ok(Heard::Frame(frame)) if frame["type"] == "slo-event") {
                self.said.push(format!("{}: the first that was heard is not the marker: {heard:?}", self.name));
            }
        }
    }

    /// The verdict, with what all the log tells.
    fn ends(mut self) {
        let secrets: Vec<_> = std::mem::take(&mut self.secrets).into_iter().collect();
        let told = told_too_much(&self.log.since(0), &secrets).map(str::to_owned).collect::<Vec<_>>();
        self.said.extend(told.into_iter().map(|text| format!("{}: later the log tells {text}", self.name)));
        assert!(self.said.is_empty(), "\n{}", self.said.join("\n"));
    }
}

fn told_too_much<'a>(text: &str, secrets: &'a [String]) -> impl Iterator<Item = &'a str> {
    secrets.iter().map(String::as_str).filter(|secret| text.contains(secret)).collect::<Vec<_>>().into_iter()
}

impl Canary {
    /// The app asks to go on, and nothing stands before the answer.
    async fn hears_nothing(&mut self) -> Result<(), String> {
        self.line.subscribe(&self.token).await;
        match self.line.hears().await? {
            Heard::Frame(frame) if frame["type"] == "subscribed" => Ok(()),
            other => Err(format!("an app heard {other:?}")),
        }
    }
}
