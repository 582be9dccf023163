//! How an Auth0 tenant is set up for each app, by its Management API, and what would
//! mend it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Doctor;
use super::finding::{Chapter, Finding, Mark};
use crate::config::ConsoleLogin;
use crate::domain::app::{App, IssuerSettings};
use crate::domain::ids::{ClientId, Issuer};
use crate::oidc::management::{Initiators, IssuerClient, Management, ManagementFault, Scope, Scopes};

/// What may end a session at Auth0 besides a sign-out (its "initiators"). By default none
/// of these makes it tell anybody.
const BEYOND_SIGN_OUT: [&str; 7] = [
    "session-revoked",
    "session-expired",
    "password-changed",
    "account-deleted",
    "account-deactivated",
    "email-identifier-changed",
    "mfa-phone-unenrolled",
];

/// The scopes that the hub works with, each with what goes wrong without it.
const WORKS_WITH: [(Scope, &str); 3] = [
    (
        Scope::ReadSessions,
        "sessions that only the tenant knows of are on nobody's list, and a logout of a whole person ends none of \
         them there",
    ),
    (
        Scope::DeleteSessions,
        "no logout ends the session there: the next app signs the person in without asking. It rides in one token with \
         read:sessions: where the tenant refuses that token, nobody's list shows what the tenant knows, either",
    ),
    (Scope::ReadClients, "nobody can look from here how the apps are set up"),
];

/// How a scope is granted. A token is good for a day, and has the scopes of the day before.
const GRANT: &str = "Auth0: Applications, APIs, Auth0 Management API, Machine to Machine Applications: add it to the \
                     hub's client; then restart the hub, whose token is without it for up to a day";

/// A change of a client's settings that would mend what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whose client it is.
    pub issuer: Issuer,
    /// The client.
    pub client_id: ClientId,
    /// Its name for people.
    pub name: String,
    /// The body of `PATCH /api/v2/clients/{id}`, whole.
    pub body: Value,
}

impl Fix {
    /// What is sent, as one could send it oneself.
    #[must_use]
    pub fn text(&self) -> String {
        let body = serde_json::to_string_pretty(&self.body).unwrap_or_default();
        format!("PATCH {}api/v2/clients/{}\n{body}", slashed(&self.issuer), self.client_id.as_str())
    }
}

/// What a client has to have. The hub's own is no app, and is told nothing.
struct Wanted {
    name: String,
    client_id: ClientId,
    backchannel: Option<String>,
    logout_urls: Vec<String>,
    callbacks: Vec<String>,
    /// Where the hub passes the app's logouts on.
    passed_on_to: Option<String>,
}

/// Nothing where no Management API is configured.
pub(super) async fn examine(
    doctor: &Doctor<'_>,
    settings: &IssuerSettings,
    management: Option<&Arc<Management>>,
) -> Option<(Chapter, Vec<Fix>)> {
    let management = management?;
    let (mut findings, can_read_clients) = allowed(management.lacking_scopes().await);
    let mut fixes = Vec::new();
    for wanted in everyone(doctor, settings).into_iter().filter(|_| can_read_clients) {
        match management.client(&wanted.client_id).await {
            Ok(Some(client)) => {
                let (found, body) = judge(&wanted, &client);
                let (issuer, client_id, name) = (settings.issuer.clone(), wanted.client_id, wanted.name);
                fixes.extend(body.map(|body| Fix { issuer, client_id, name, body }));
                findings.extend(found);
            }
            Ok(None) => findings.push(unknown(&wanted)),
            Err(fault) => {
                // The next one would fail alike.
                findings.push(fails(fault));
                break;
            }
        }
    }
    let title = format!("{}, as it is set up", settings.issuer.as_str());
    Some((Chapter { title, findings }, fixes))
}

/// What the hub's client may do at the tenant, and whether it may read how clients are set
/// up. Otherwise what it may not would show only when somebody signs out.
fn allowed(lacking: Result<Scopes, ManagementFault>) -> (Vec<Finding>, bool) {
    let lacking = match lacking {
        Ok(lacking) => lacking,
        Err(fault) => return (vec![fails(fault)], false),
    };
    let findings = WORKS_WITH.into_iter().map(|(scope, without)| {
        let name = scope.as_str();
        if lacking.contains(scope) {
            Finding::wrong(format!("the hub's client for its Management API was not granted {name}"), without, GRANT)
        } else {
            Finding::fine(format!("the hub's client for its Management API was granted {name}"))
        }
    });
    (findings.collect(), !lacking.contains(Scope::ReadClients))
}

fn everyone(doctor: &Doctor<'_>, settings: &IssuerSettings) -> Vec<Wanted> {
    let hub = doctor.config.server.public_url.as_str();
    let back = vec![format!("{hub}/logout/callback")];
    let app = |app: &App| Wanted {
        name: app.name.clone(),
        client_id: app.client_id.clone(),
        backchannel: Some(format!("{hub}/backchannel-logout")),
        logout_urls: back.clone(),
        callbacks: Vec::new(),
        passed_on_to: app.backchannel_logout_uri.as_ref().map(ToString::to_string),
    };
    let apps = doctor.config.apps.iter().filter(|app| app.issuer == settings.issuer).map(app);
    let console = doctor.config.server.console.login.as_ref().filter(|login| login.issuer == settings.issuer);
    let own = settings.client.as_ref().map(|own| Wanted {
        name: "The hub's own client".to_owned(),
        client_id: own.client_id.clone(),
        // An operator may have used nothing but the console: then no app's token tells of their end.
        backchannel: console.map(|_| format!("{hub}/backchannel-logout")),
        logout_urls: back.clone(),
        callbacks: [format!("{hub}/logout/signed-in"), format!("{hub}/sessions/callback")]
            .into_iter()
            .chain(console.map(ConsoleLogin::callback_url))
            .collect(),
        passed_on_to: None,
    });
    apps.chain(own).collect()
}

/// What was found about one client, and the body that would mend it.
fn judge(wanted: &Wanted, client: &IssuerClient) -> (Vec<Finding>, Option<Value>) {
    let (mut findings, mut body) = (Vec::new(), Map::new());
    let mut logout = client.oidc_logout.clone();
    if let Some(url) = &wanted.backchannel {
        let told = told(wanted, url, client);
        // Where its back end would hear of nothing any more, that is not done by the way.
        if told.mark != Mark::Fine && is_passed_on(wanted, client) {
            logout.insert("backchannel_logout_urls".to_owned(), json!([url]));
        }
        let initiated = initiated(&wanted.name, &client.initiators);
        if initiated.mark != Mark::Fine {
            logout.insert("backchannel_logout_initiators".to_owned(), json!({ "mode": "all" }));
        }
        findings.extend([told, initiated]);
    }
    if logout != client.oidc_logout {
        body.insert("oidc_logout".to_owned(), Value::Object(logout));
    }
    let lists = [
        ("allowed_logout_urls", &wanted.logout_urls, &client.allowed_logout_urls, "browsers cannot come back from it"),
        ("callbacks", &wanted.callbacks, &client.callbacks, "the hub cannot learn there who is signed in"),
    ];
    for (key, needed, list, why) in lists {
        let missing: Vec<_> = needed.iter().filter(|url| !allows(list, url)).cloned().collect();
        let name = &wanted.name;
        if missing.is_empty() {
            findings.extend((!needed.is_empty()).then(|| Finding::fine(format!("{name}: {key} are complete"))));
            continue;
        }
        let what = format!("{name}: {key} lacks {}", missing.join(" and "));
        findings.push(Finding::wrong(what, why, "see the body below, or send it with --fix"));
        body.insert(key.to_owned(), json!(list.iter().chain(&missing).collect::<Vec<_>>()));
    }
    (findings, (!body.is_empty()).then_some(Value::Object(body)))
}

/// Whether nobody would miss the address that is there: there is none, or the hub passes
/// logouts on to it.
fn is_passed_on(wanted: &Wanted, client: &IssuerClient) -> bool {
    client.backchannel_logout_urls.iter().all(|own| wanted.passed_on_to.as_ref() == Some(own))
}

/// Whether Auth0 posts the app's logout tokens to the hub.
fn told(wanted: &Wanted, url: &str, client: &IssuerClient) -> Finding {
    let name = &wanted.name;
    if client.backchannel_logout_urls.iter().any(|own| own == url) {
        return Finding::fine(format!("{name}: the hub is told of its logouts"));
    }
    let what = format!("{name}: the hub is not told of its logouts");
    match client.backchannel_logout_urls.first() {
        None => Finding::wrong(what, "backchannel_logout_urls is empty", "see the body below, or send it with --fix"),
        Some(other) if is_passed_on(wanted, client) => Finding::wrong(
            what,
            format!("its one back-channel URL is {other}"),
            "the hub passes logouts on to it already: see the body below, or send it with --fix",
        ),
        Some(other) => Finding::wrong(
            what,
            format!("its one back-channel URL is {other}"),
            format!(
                "let the hub take it and pass it on: write backchannel_logout_uri = \"{other}\" at this app, restart \
                 the hub, and ask the doctor again: until then nothing is changed here"
            ),
        ),
    }
}

/// Whether everything that ends a session makes Auth0 say so.
fn initiated(name: &str, initiators: &Initiators) -> Finding {
    let selected: &[String] = match initiators {
        Initiators::All => return Finding::fine(format!("{name}: whatever ends a session is told")),
        Initiators::Default => &[],
        Initiators::Custom(selected) => selected,
    };
    let missing: Vec<_> = BEYOND_SIGN_OUT.into_iter().filter(|one| !selected.iter().any(|own| own == one)).collect();
    if missing.is_empty() {
        return Finding::fine(format!("{name}: whatever ends a session is told"));
    }
    let what = format!("{name}: not told of {}", missing.join(", "));
    let remedy = "see the body below, or send it with --fix";
    if missing.contains(&"session-revoked") {
        let why = "Auth0's default is rp-logout and idp-logout only: a session that is revoked there signs nobody out";
        return Finding::wrong(what, why, remedy);
    }
    Finding::careful(what, "they are not among its backchannel_logout_initiators", remedy)
}

/// Whether a list of Auth0's lets that address through: exactly, or by a `*` in the host.
fn allows(list: &[String], url: &str) -> bool {
    list.iter().any(|pattern| match pattern.split_once('*') {
        None => pattern == url,
        Some((before, after)) => {
            let rest = url.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '.']))
        }
    })
}

fn unknown(wanted: &Wanted) -> Finding {
    let what = format!("{}: the issuer has no client {}", wanted.name, wanted.client_id.as_str());
    Finding::wrong(what, "its tokens' aud would never be this", "mend client_id")
}

fn fails(fault: ManagementFault) -> Finding {
    let remedy = "grant the hub's client read:clients, read:sessions and delete:sessions for the Management API \
                  (update:clients only for --fix)";
    Finding::wrong("its Management API cannot be used", fault.description(), remedy)
}

fn slashed(issuer: &Issuer) -> String {
    format!("{}/", issuer.as_str().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "https://logout.example/backchannel-logout";
    const BACK: &str = "https://logout.example/logout/callback";

    fn wanted() -> Wanted {
        Wanted {
            name: "Notes".to_owned(),
            client_id: ClientId::parse("notes").unwrap(),
            backchannel: Some(HUB.to_owned()),
            logout_urls: vec![BACK.to_owned()],
            callbacks: Vec::new(),
            passed_on_to: None,
        }
    }

    fn client(logout: &Value, logout_urls: &[&str]) -> IssuerClient {
        let initiators = match &logout["backchannel_logout_initiators"]["selected_initiators"] {
            Value::Array(list) => Initiators::Custom(list.iter().map(|it| it.as_str().unwrap().to_owned()).collect()),
            _ if logout["backchannel_logout_initiators"]["mode"] == "all" => Initiators::All,
            _ => Initiators::Default,
        };
        let urls = logout["backchannel_logout_urls"].as_array().into_iter().flatten();
        IssuerClient {
            client_id: ClientId::parse("notes").unwrap(),
            name: None,
            callbacks: Vec::new(),
            allowed_logout_urls: logout_urls.iter().map(|&url| url.to_owned()).collect(),
            backchannel_logout_urls: urls.map(|url| url.as_str().unwrap().to_owned()).collect(),
            initiators,
            oidc_logout: logout.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn a_client_that_is_set_up_needs_no_change() {
        let logout = json!({"backchannel_logout_urls": [HUB], "backchannel_logout_initiators": {"mode": "all"}});
        let (findings, body) = judge(&wanted(), &client(&logout, &[BACK]));
        assert!(findings.iter().all(|finding| finding.mark == Mark::Fine), "{findings:?}");
        assert_eq!((findings.len(), body), (3, None));
    }

    #[test]
    fn auth0s_default_is_silent_about_revoked_sessions_and_the_body_mends_that_alone() {
        let logout =
            json!({"backchannel_logout_urls": [HUB], "backchannel_logout_session_metadata": {"include": true}});
        let (findings, body) = judge(&wanted(), &client(&logout, &["https://notes.example/bye", BACK]));
        assert!(
            findings.iter().any(|it| it.mark == Mark::Wrong && it.what.contains("session-revoked")),
            "{findings:?}"
        );
        let mut mended = logout;
        mended["backchannel_logout_initiators"] = json!({"mode": "all"});
        assert_eq!(body, Some(json!({ "oidc_logout": mended })), "what else is there stays");
    }

    #[test]
    fn a_url_that_is_taken_is_to_be_passed_on() {
        let logout = json!({"backchannel_logout_urls": ["https://notes.example/slo"],
            "backchannel_logout_initiators": {"mode": "all"}});
        let (findings, body) = judge(&wanted(), &client(&logout, &[]));
        let remedy = &findings[0].why_and_remedy.as_ref().unwrap().1;
        assert!(remedy.contains("backchannel_logout_uri = \"https://notes.example/slo\""), "{remedy}");
        assert_eq!(body, Some(json!({ "allowed_logout_urls": [BACK] })), "its back end is not cut off");

        let passed_on = Wanted { passed_on_to: Some("https://notes.example/slo".to_owned()), ..wanted() };
        let body = judge(&passed_on, &client(&logout, &[])).1.unwrap();
        assert_eq!(body["oidc_logout"]["backchannel_logout_urls"], json!([HUB]));
    }

    #[test]
    fn what_is_missing_beyond_revoked_sessions_is_worth_a_look() {
        let finding = initiated("Notes", &Initiators::Custom(vec!["session-revoked".to_owned()]));
        assert_eq!(finding.mark, Mark::Careful);
        assert!(finding.what.contains("password-changed") && !finding.what.contains("session-revoked"));
        let all = BEYOND_SIGN_OUT.map(str::to_owned).to_vec();
        assert_eq!(initiated("Notes", &Initiators::Custom(all)).mark, Mark::Fine);
    }

    #[test]
    fn a_star_stands_for_one_part_of_a_host() {
        let allows = |pattern: &str| allows(&[pattern.to_owned()], BACK);
        assert!(allows(BACK) && allows("https://*.example/logout/callback"));
        for other in ["https://logout.example/logout", "https://*.example/", "https://*/logout/callback", "*"] {
            assert!(!allows(other), "{other}");
        }
    }
}
