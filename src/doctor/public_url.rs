//! The hub's own public address, as browsers reach it: through DNS, certificates and
//! whatever proxy stands in front.

use std::time::Duration;

use reqwest::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout};

use super::Doctor;
use super::finding::{Chapter, Finding, in_full};
use crate::oidc::fetch;

/// The hub's probe takes about a second; a proxy that holds it back longer is no better.
const STREAM_DEADLINE: Duration = Duration::from_secs(10);
/// The probe's pieces come this far apart, first to last; half of it must be left.
const STREAM_LASTS: Duration = Duration::from_millis(800);

pub(super) async fn examine(doctor: &Doctor<'_>) -> Chapter {
    let base = doctor.config.server.public_url.as_str();
    let reached = reachable(doctor, base).await;
    let mut findings = vec![];
    let is_there = reached.is_ok();
    findings.push(reached.unwrap_or_else(|trouble| trouble));
    if is_there {
        findings.push(upgrade(doctor, base).await);
        findings.push(stream(doctor, base).await);
    }
    Chapter { title: base.to_owned(), findings }
}

/// Whether it is this hub that answers there.
async fn reachable(doctor: &Doctor<'_>, base: &str) -> Result<Finding, Finding> {
    let remedy =
        "start the hub; point DNS and the proxy at server.listen; the certificate must be one that browsers trust";
    let unreachable = |why: String| Finding::wrong("nobody answers there", why, remedy);
    let asked = doctor.http.get(format!("{base}/.well-known/slo-hub")).send().await;
    let answer = asked.map_err(|error| unreachable(in_full(&error.without_url())))?;
    let about = fetch::json_of(answer).await;
    let about = about.map_err(|error| Finding::wrong("somebody else answers there", in_full(&error), remedy))?;
    match about.get("public_url").and_then(|url| url.as_str()) {
        Some(own) if own == base => Ok(Finding::fine("the hub answers there")),
        _ => Err(Finding::wrong(
            "another hub answers there",
            "its server.public_url is not this one",
            "write the address that browsers use into server.public_url, on every node",
        )),
    }
}

/// A WebSocket's handshake (RFC 6455, section 4), and nothing after it.
async fn upgrade(doctor: &Doctor<'_>, base: &str) -> Finding {
    let request = doctor.http.get(format!("{base}/ws")).version(reqwest::Version::HTTP_11);
    let request = request.header(CONNECTION, "Upgrade").header(UPGRADE, "websocket");
    let request = request.header(SEC_WEBSOCKET_KEY, "c2xvLWh1YiBkb2N0b3IuLg==");
    let request = request.header(SEC_WEBSOCKET_VERSION, "13").header(SEC_WEBSOCKET_PROTOCOL, "slo.v1");
    let remedy = "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                  proxy_set_header Connection \"upgrade\"; proxy_read_timeout 75s";
    match request.send().await {
        Ok(answer) if is_channel(&answer) => Finding::fine("WebSockets come through"),
        Ok(answer) => {
            let why = format!("the handshake was answered {} instead of 101 with slo.v1", answer.status());
            Finding::wrong("WebSockets do not come through", why, remedy)
        }
        Err(error) => Finding::wrong("WebSockets do not come through", in_full(&error.without_url()), remedy),
    }
}

fn is_channel(answer: &Response) -> bool {
    let protocol = answer.headers().get(SEC_WEBSOCKET_PROTOCOL);
    answer.status() == StatusCode::SWITCHING_PROTOCOLS && protocol.is_some_and(|name| name == "slo.v1")
}

/// Server-sent events are for who cannot have a WebSocket: they must come one by one.
async fn stream(doctor: &Doctor<'_>, base: &str) -> Finding {
    let remedy = "nginx: proxy_buffering off for the whole hub (at least /api/v1/events, the paths that end in /progress, and \
                  /.well-known/slo-hub/stream, which is read here); no compression of text/event-stream in the proxy";
    let what = "event streams are held back";
    let asked = timeout(STREAM_DEADLINE, arrivals(doctor, &format!("{base}/.well-known/slo-hub/stream"))).await;
    match asked {
        Ok(Ok((first, last))) if is_unbuffered(first, last) => Finding::fine("event streams come through unbuffered"),
        Ok(Ok(_)) => Finding::wrong(what, "all of the stream came at once, at its end", remedy),
        Ok(Err(error)) => Finding::wrong("event streams do not come through", in_full(&error), remedy),
        Err(_) => Finding::wrong(what, "nothing of it came within 10 s", remedy),
    }
}

/// When the first and the last piece came, from the beginning of the answer on.
async fn arrivals(doctor: &Doctor<'_>, url: &str) -> Result<(Duration, Duration), fetch::FetchError> {
    let began = Instant::now();
    let mut answer = doctor.http.get(url).header("accept", "text/event-stream").send().await?;
    if answer.status() != StatusCode::OK {
        return Err(fetch::FetchError::Status(answer.status()));
    }
    let mut first = None;
    let mut last = began.elapsed();
    while answer.chunk().await?.is_some() {
        last = began.elapsed();
        first.get_or_insert(last);
    }
    Ok((first.unwrap_or(last), last))
}

fn is_unbuffered(first: Duration, last: Duration) -> bool {
    last.saturating_sub(first) * 2 >= STREAM_LASTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_comes_all_at_once_was_held_back() {
        let ms = Duration::from_millis;
        assert!(is_unbuffered(ms(5), ms(805)));
        assert!(is_unbuffered(ms(300), ms(805)), "a slow line is no buffer");
        assert!(!is_unbuffered(ms(805), ms(805)));
        assert!(!is_unbuffered(ms(800), ms(1_100)));
    }
}
