//! One issuer: what it publishes, and whether the hub can use it.

use reqwest::Response;
use serde_json::Value;
use url::Url;

use super::Doctor;
use super::finding::{Chapter, Finding, in_full, quoted};
use crate::domain::app::{IssuerSettings, SigningAlg};
use crate::domain::clock::UnixSeconds;
use crate::oidc::{discovery, fetch, key_set};

/// A difference that a slow answer and a `Date` of whole seconds explain.
const CLOCKS_AGREE_SECONDS: i64 = 3;

pub(super) async fn examine(doctor: &Doctor<'_>, settings: &IssuerSettings) -> Chapter {
    let mut findings = Vec::new();
    if let Some(document) = metadata(doctor, settings, &mut findings).await {
        keys(doctor, settings, &document, &mut findings).await;
        findings.extend(promises(settings, &document));
    }
    findings.push(own_client(settings));
    Chapter { title: settings.issuer.as_str().to_owned(), findings }
}

async fn metadata(doctor: &Doctor<'_>, settings: &IssuerSettings, findings: &mut Vec<Finding>) -> Option<Value> {
    let issuer = &settings.issuer;
    let Some(at) = discovery::location(issuer) else {
        findings.push(Finding::wrong("the issuer is no address", issuer.as_str(), "write the tokens' iss here"));
        return None;
    };
    let answer = match doctor.http.get(at.clone()).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let remedy = "check the name and the way there: the hub needs this address at its start, and every hour";
            findings.push(Finding::wrong("it cannot be reached", in_full(&error.without_url()), remedy));
            return None;
        }
    };
    let skew = i64::try_from(doctor.config.limits.clock_skew.as_secs()).unwrap_or(i64::MAX);
    findings.extend(date_of(&answer).map(|theirs| clocks(theirs, doctor.clock.now().floor(), skew)));
    let status = answer.status();
    let document = match fetch::json_of(answer).await {
        Ok(document) => document,
        Err(error) => {
            let remedy = format!("{at} must answer 200 with its metadata: is the issuer written as its tokens' iss?");
            findings.push(Finding::wrong(format!("no metadata ({status})"), in_full(&error), remedy));
            return None;
        }
    };
    findings.push(own_name(issuer.as_str(), document.get("issuer")));
    Some(document)
}

/// The issuer's name, byte for byte.
fn own_name(configured: &str, said: Option<&Value>) -> Finding {
    let Some(said) = said.and_then(Value::as_str) else {
        return Finding::wrong("its metadata names no issuer", "the member issuer is missing", "ask its operator");
    };
    if said == configured {
        return Finding::fine("it calls itself so, byte for byte");
    }
    let is_slash = said.trim_end_matches('/') == configured.trim_end_matches('/');
    let why = if is_slash { "the two differ by the slash at the end" } else { "every token of it would be refused" };
    let remedy = format!("write issuer = {} if that is the one you mean", quoted(said));
    Finding::wrong(format!("it calls itself {}", quoted(said)), why, remedy)
}

fn date_of(answer: &Response) -> Option<UnixSeconds> {
    let date = answer.headers().get("date")?.to_str().ok()?;
    let since = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(UnixSeconds)
}

fn clocks(theirs: UnixSeconds, ours: UnixSeconds, allowed: i64) -> Finding {
    let ahead = ours.0 - theirs.0;
    let apart = ahead.abs();
    if apart <= CLOCKS_AGREE_SECONDS {
        return Finding::fine("its clock and this machine's agree");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let what = format!("this machine's clock is {apart} s {side} the issuer's");
    let remedy = "keep it by NTP (timedatectl set-ntp true)";
    if apart <= allowed {
        let why = format!("it still works: limits.clock_skew_seconds is {allowed}");
        return Finding::careful(what, why, remedy);
    }
    Finding::wrong(what, format!("tokens are refused beyond {allowed} s (limits.clock_skew_seconds)"), remedy)
}

async fn keys(doctor: &Doctor<'_>, settings: &IssuerSettings, document: &Value, findings: &mut Vec<Finding>) {
    let algs: Vec<_> = settings.signing_algs.iter().map(|alg| alg.as_str()).collect();
    let ask = "ask its operator, or choose others in signing_algs";
    let uri = document.get("jwks_uri").and_then(Value::as_str).and_then(|uri| Url::parse(uri).ok());
    let Some(uri) = uri else {
        findings.push(Finding::wrong("its metadata names no keys", "jwks_uri is missing, or no address", ask));
        return;
    };
    let set = match doctor.http.get(uri).send().await {
        Ok(answer) => fetch::json_of(answer).await,
        Err(error) => Err(error.into()),
    };
    match set {
        Err(error) => {
            let remedy = "no token can be verified before the keys can be had: check the way to its jwks_uri";
            findings.push(Finding::wrong("its keys cannot be had", in_full(&error), remedy));
        }
        Ok(set) => {
            for alg in &settings.signing_algs {
                findings.push(keys_for(&set, *alg, ask));
            }
        }
    }
    let supported = document.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
    let says = |alg: &str| supported.is_some_and(|list| list.iter().any(|name| name == alg));
    if supported.is_some() && !algs.iter().any(|alg| says(alg)) {
        let list: Vec<_> = supported.into_iter().flatten().filter_map(Value::as_str).map(quoted).collect();
        let why = format!("it signs with {}", list.join(", "));
        findings.push(Finding::wrong(format!("it signs with none of {}", algs.join(", ")), why, ask));
    }
}

fn keys_for(set: &Value, alg: SigningAlg, ask: &str) -> Finding {
    match key_set::count_for(set, alg) {
        0 => Finding::wrong(format!("no key for {}", alg.as_str()), "none of its keys fits, or is readable", ask),
        1 => Finding::fine(format!("a key for {}", alg.as_str())),
        count => Finding::fine(format!("{count} keys for {}", alg.as_str())),
    }
}

/// What the issuer says it can do.
fn promises(settings: &IssuerSettings, document: &Value) -> Vec<Finding> {
    let says = |name: &str| document.get(name).and_then(Value::as_bool) == Some(true);
    let backchannel = if !says("backchannel_logout_supported") {
        let remedy = "logouts that apps report and those by /logout still work; for the others look in its manual";
        Finding::careful("it promises no back-channel logout", "its metadata does not say so", remedy)
    } else if says("backchannel_logout_session_supported") {
        Finding::fine("back-channel logout, with a sid")
    } else {
        let remedy = "without it a logout ends every session of its person, on every device";
        Finding::careful("back-channel logout, perhaps without a sid", "its metadata does not promise one", remedy)
    };
    let end = if document.get("end_session_endpoint").is_some() {
        Finding::fine("a place where browsers end its session")
    } else if settings.issuer.host().ends_with(".auth0.com") {
        Finding::fine("a place where browsers end its session: Auth0's /v2/logout")
    } else {
        let remedy = "for Auth0, /v2/logout is used; else a logout ends here, and the provider's session goes on";
        Finding::careful("no end_session_endpoint", "its metadata names none", remedy)
    };
    vec![backchannel, end]
}

fn own_client(settings: &IssuerSettings) -> Finding {
    if settings.client.is_some() {
        return Finding::fine("the hub is a client of its own there");
    }
    let remedy = "register one there, and write client_id and client_secret";
    let why = "a plain link to /logout, without an id_token_hint, cannot know whose session it is";
    Finding::careful("the hub has no client there", why, remedy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::Mark;
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_told_by_how_much() {
        let found = |ours| clocks(UnixSeconds(1_000), UnixSeconds(ours), 60);
        assert_eq!(found(1_003).mark, Mark::Fine);
        let fast = found(1_060);
        assert_eq!(
            (fast.mark, fast.what.as_str()),
            (Mark::Careful, "this machine's clock is 60 s ahead of the issuer's")
        );
        let slow = found(939);
        assert_eq!((slow.mark, slow.what.as_str()), (Mark::Wrong, "this machine's clock is 61 s behind the issuer's"));
    }

    #[test]
    fn a_missing_slash_is_called_by_its_name() {
        let said = json!("https://acme.eu.auth0.com/");
        let finding = own_name("https://acme.eu.auth0.com", Some(&said));
        assert_eq!(finding.mark, Mark::Wrong);
        let (why, remedy) = finding.why_and_remedy.unwrap();
        assert!(why.contains("slash") && remedy.contains("“https://acme.eu.auth0.com/”"), "{why} {remedy}");
        assert_eq!(own_name("https://acme.eu.auth0.com/", Some(&said)).mark, Mark::Fine);
        assert_eq!(own_name("https://acme.eu.auth0.com/", None).mark, Mark::Wrong);
    }
}
