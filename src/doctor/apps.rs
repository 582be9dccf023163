//! One app: whether its logout addresses answer as such addresses do. Nothing is sent
//! that could sign anybody out: no token, no `sid`, no cookie.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use url::Url;

use super::Doctor;
use super::finding::{Chapter, Finding, in_full};
use crate::domain::app::App;

/// Nothing, for an app without any such address.
pub(super) async fn examine(doctor: &Doctor<'_>, app: &App) -> Option<Chapter> {
    let mut findings = Vec::new();
    if let Some(uri) = &app.backchannel_logout_uri {
        findings.push(back_channel(doctor, uri).await);
    }
    if let Some(uri) = &app.frontchannel_logout_uri {
        findings.push(front_channel(doctor, uri).await);
    }
    for uri in app.chain_logout_uri.iter().map(Url::as_str) {
        findings.push(there(doctor, "chain_logout_uri", uri).await);
    }
    for uri in &app.post_logout_redirect_uris {
        findings.push(there(doctor, "post_logout_redirect_uri", uri).await);
    }
    let title = format!("{} ({})", app.name, app.client_id.as_str());
    (!findings.is_empty()).then_some(Chapter { title, findings })
}

/// A form without a token must be refused as one, by somebody who knows what it lacks.
async fn back_channel(doctor: &Doctor<'_>, uri: &Url) -> Finding {
    let form = doctor.http.post(uri.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body("");
    let remedy =
        "it takes POST with a form's logout_token, without any login of its own, and answers 400 to one without";
    match sent(form, "backchannel_logout_uri", uri.as_str()).await {
        Err(finding) => finding,
        Ok(answer) if answer.status() == StatusCode::BAD_REQUEST => {
            Finding::fine(format!("{uri} refuses what is no logout token"))
        }
        Ok(answer) if answer.status().is_success() => {
            let why = format!("it answered {} to a form without a token", answer.status());
            Finding::careful(format!("{uri} takes anything, so nobody can tell"), why, remedy)
        }
        Ok(answer) => {
            let why = format!("it answered {} to a form without a token, where 400 was expected", answer.status());
            Finding::wrong(format!("{uri} may not take logout tokens"), why, remedy)
        }
    }
}

/// It is loaded in a frame on the hub's page, so it must let itself be framed there.
async fn front_channel(doctor: &Doctor<'_>, uri: &Url) -> Finding {
    let hub = doctor.config.server.public_url.as_str();
    let answer = match sent(doctor.http.get(uri.clone()), "frontchannel_logout_uri", uri.as_str()).await {
        Ok(answer) => answer,
        Err(finding) => return finding,
    };
    if !answer.status().is_success() {
        let why = format!("it answered {}", answer.status());
        return Finding::wrong(format!("{uri} is no page"), why, "serve the page there, without a login");
    }
    match framing_fault(answer.headers(), hub) {
        None => Finding::fine(format!("{uri} lets the hub frame it")),
        Some(why) => {
            let remedy =
                format!("send it with Content-Security-Policy: frame-ancestors {hub} and without X-Frame-Options");
            Finding::wrong(format!("{uri} cannot be framed by the hub"), why, remedy)
        }
    }
}

/// What keeps a browser from showing the page in the hub's frame.
fn framing_fault(headers: &HeaderMap, hub: &str) -> Option<String> {
    let policies = headers.get_all("content-security-policy").iter().filter_map(|value| value.to_str().ok());
    let mut ancestors = policies.flat_map(|policy| policy.split([';', ','])).filter_map(|directive| {
        let (name, sources) = directive.trim().split_once(' ').unwrap_or((directive.trim(), ""));
        name.eq_ignore_ascii_case("frame-ancestors").then_some(sources)
    });
    let Some(sources) = ancestors.next() else {
        // Only without frame-ancestors (CSP 3, section 6.4.2).
        return headers.contains_key("x-frame-options").then(|| "it sends X-Frame-Options".to_owned());
    };
    let scheme = hub.split_once(':').map_or("", |(scheme, _)| scheme);
    let admits = |source: &str| source == hub || source == "*" || source.strip_suffix(':') == Some(scheme);
    (!sources.split_ascii_whitespace().any(admits)).then(|| "its frame-ancestors do not name the hub".to_owned())
}

/// A place where browsers are sent.
async fn there(doctor: &Doctor<'_>, kind: &str, uri: &str) -> Finding {
    match sent(doctor.http.get(uri), kind, uri).await {
        Err(finding) => finding,
        Ok(answer) if answer.status().is_server_error() || answer.status() == StatusCode::NOT_FOUND => {
            let why = format!("it answered {}", answer.status());
            Finding::wrong(format!("{uri} is not there"), why, format!("serve it, or mend the app's {kind}"))
        }
        Ok(_) => Finding::fine(format!("{uri} answers")),
    }
}

async fn sent(request: RequestBuilder, kind: &str, uri: &str) -> Result<Response, Finding> {
    request.send().await.map_err(|error| {
        let remedy = format!("start it, or mend the app's {kind}; from this machine it must be reachable");
        Finding::wrong(format!("{uri} does not answer"), in_full(&error.without_url()), remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "https://logout.example.com";

    fn fault(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        framing_fault(&headers.collect(), HUB)
    }

    #[test]
    fn a_page_that_forbids_the_hubs_frame_is_found() {
        let csp = "content-security-policy";
        assert_eq!(fault(&[]), None);
        assert_eq!(fault(&[(csp, "default-src 'self'; frame-ancestors https://logout.example.com")]), None);
        assert_eq!(fault(&[(csp, "frame-ancestors *"), ("x-frame-options", "DENY")]), None, "the older one is ignored");
        assert_eq!(fault(&[(csp, "frame-ancestors https:")]), None);
        assert!(fault(&[("x-frame-options", "SAMEORIGIN")]).is_some());
        for sources in ["'none'", "'self'", "https://other.example", ""] {
            let policy: &'static str = format!("frame-ancestors {sources}").leak();
            assert!(fault(&[(csp, policy)]).is_some(), "{sources}");
        }
    }
}
