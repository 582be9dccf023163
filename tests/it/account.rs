//! A person who looks at their own sessions, on the hub's own page.

use serde_json::json;
use url::Url;

use crate::browser::{Browser, HUB, location, param};
use crate::hub::{Answer, TestHub};
use crate::stories::id_token;
use crate::support::issuer::{Grant, TestSession};
use crate::wait::until;

/// The hub's own client, at whatever issuer.
pub const CLIENT: &str = "client_id = \"slo-hub\"\nclient_secret = \"hub secret\"";
const BASIC: &str = "Basic c2xvLWh1YjpodWIrc2VjcmV0";

/// What the browsers of these stories call themselves.
pub const LAPTOP: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/140.0.0.0 Safari/537.36";
pub const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                         Mobile Safari/537.36";

/// A hub with a client of its own at its first issuer.
pub async fn hub() -> TestHub {
    TestHub::start_with_issuer(CLIENT).await
}

/// Apps of a session are used on that device: the registry knows of it then.
pub async fn uses(hub: &TestHub, who: &TestSession, user_agent: &str, apps: &[&str]) {
    for app in apps {
        let request = hub.http.get(hub.url("/api/v1/session")).bearer_auth(id_token(hub, who, app));
        let request = request.header("user-agent", user_agent);
        // Desk has no pages that ask.
        let page = (*app != "desk").then(|| format!("https://{app}.example"));
        Answer::of(page.into_iter().fold(request, |request, origin| request.header("origin", origin)))
            .await
            .expect(200);
    }
    until_registered(hub, who).await;
}

async fn until_registered(hub: &TestHub, who: &TestSession) {
    use slo_hub::domain::ids::{Issuer, Sid};
    let (issuer, sid) = (Issuer::parse(hub.issuer.url()).unwrap(), Sid::parse(&who.sid).unwrap());
    until("the registry hears of the session", async || hub.running.hub.session(&issuer, &sid).await.unwrap()).await;
}

/// The issuer is asked who this is; what it is asked.
#[track_caller]
pub fn question(hub: &TestHub, answer: &Answer) -> Url {
    let question = location(answer);
    assert!(question.as_str().starts_with(&format!("{}authorize?", hub.issuer.url())), "{question}");
    question
}

/// What the issuer grants to whoever asked that, when the person proved who they are at
/// that moment.
pub fn granted(hub: &TestHub, who: &TestSession, question: &Url, auth_time: i64) -> Grant {
    let token = hub.issuer.id_token(who, "slo-hub").with("nonce", json!(param(question, "nonce")));
    let id_token = token.with("auth_time", json!(auth_time)).sign();
    Grant { id_token, challenge: param(question, "code_challenge"), client: BASIC.to_owned() }
}

/// The issuer sends the browser back with a code for that.
pub async fn comes_back(hub: &TestHub, browser: &mut Browser<'_>, question: &Url, grant: Grant) -> Answer {
    let (code, state) = (hub.issuer.grant(grant), param(question, "state"));
    browser.gets("/sessions/callback", &[("code", &code), ("state", &state)]).await
}

/// A person opens the list, and is signed in to it by a session at the issuer that began
/// so many seconds ago; the list.
pub async fn opens_list(hub: &TestHub, browser: &mut Browser<'_>, who: &TestSession, began_ago: i64) -> Answer {
    let question = question(hub, &browser.opens(&format!("{HUB}/sessions")).await);
    let grant = granted(hub, who, &question, hub.issuer.now() - began_ago);
    let answer = comes_back(hub, browser, &question, grant).await;
    assert_eq!(location(&answer).as_str(), format!("{HUB}/sessions"));
    list(browser).await
}

/// The list, of somebody who is signed in to it.
pub async fn list(browser: &mut Browser<'_>) -> Answer {
    let page = browser.opens(&format!("{HUB}/sessions")).await;
    assert_eq!(page.status, 200, "{page:?}");
    page
}

/// One row of the list, by its device.
#[track_caller]
pub fn row<'a>(page: &'a Answer, device: &str) -> &'a str {
    let mut rows = page.text.split("<li data-session=").skip(1).map(|rest| rest.split("</li>").next().unwrap());
    let named = rows.find(|row| row.contains(&format!("<h2>{device}")));
    named.unwrap_or_else(|| panic!("no row of {device}: {page:?}"))
}

/// How many sessions are listed.
pub fn count(page: &Answer) -> usize {
    page.text.matches("<li data-session=").count()
}

/// A hidden field of a form.
#[track_caller]
pub fn field(html: &str, name: &str) -> String {
    let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let value = rest.unwrap_or_else(|| panic!("no field {name}: {html}")).split('"').next().unwrap();
    value.to_owned()
}

/// The button of a row is pressed.
pub async fn presses(browser: &mut Browser<'_>, page: &Answer, device: &str) -> Answer {
    let row = row(page, device);
    let (session, token) = (field(row, "session"), field(row, "token"));
    browser.posts_from(HUB, "/sessions/end", &[("session", &session), ("token", &token)]).await
}

/// The person proves once more who they are, at the issuer; where that leads.
pub async fn proves(hub: &TestHub, browser: &mut Browser<'_>, who: &TestSession, page: &Answer) -> Answer {
    let link = page.text.split("href=\"/sessions/prove?").nth(1).unwrap_or_else(|| panic!("no link: {page:?}"));
    let query = link.split('"').next().unwrap();
    let question = question(hub, &browser.opens(&format!("{HUB}/sessions/prove?{query}")).await);
    assert_eq!((param(&question, "prompt").as_str(), param(&question, "max_age").as_str()), ("login", "0"));
    let grant = granted(hub, who, &question, hub.issuer.now());
    comes_back(hub, browser, &question, grant).await
}

/// A name like that one, which is nobody's.
pub fn altered(id: &str) -> String {
    let last = if id.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &id[..id.len() - 1])
}
