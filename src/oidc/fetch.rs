//! The HTTP client for documents that issuers publish.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::telemetry::spans::answered;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The request failed on its way there or back.
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
    /// The answer was not 200. A redirect is not followed: keys come from the address
    /// that was configured or discovered, and from nowhere else.
    #[error("answered {0} instead of 200")]
    Status(StatusCode),
    /// The document is larger than [`MAX_DOCUMENT_BYTES`].
    #[error("the document is larger than 256 KiB")]
    TooLarge,
    /// The document is not JSON.
    #[error("the document is not JSON")]
    NotJson,
}

impl From<reqwest::Error> for FetchError {
    /// Without the address, which may carry what no log should.
    fn from(error: reqwest::Error) -> Self {
        Self::Request(error.without_url())
    }
}

/// Gets JSON documents: no redirects, no proxies, deadlines for everything, a limit on
/// the size. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
}

impl Fetcher {
    /// # Errors
    /// [`FetchError::Request`] when the system has no certificates to trust.
    pub fn new() -> Result<Self, FetchError> {
        Ok(Self { client: client()? })
    }

    /// The JSON document at `url`.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the request.
    pub async fn json(&self, url: &Url) -> Result<Value, FetchError> {
        json_of(self.client.get(url.clone()).header("accept", "application/json, */*;q=0.5").send().await?).await
    }
}

/// An HTTP client with the rules of this module.
///
/// # Errors
/// [`FetchError::Request`] when the system has no certificates to trust.
pub fn client() -> Result<Client, FetchError> {
    Ok(outbound(LoopbackNames, DEADLINE).build()?)
}

/// What is true of every request that the hub sends of itself: no redirects, no proxies,
/// no `Referer`, and a deadline for all of it.
pub fn outbound(resolver: impl Resolve + 'static, deadline: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("slo-hub/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::new(resolver))
        .connect_timeout(CONNECT_DEADLINE)
        .timeout(deadline)
}

/// The JSON document that was answered.
///
/// # Errors
/// [`FetchError`].
pub async fn json_of(answer: Response) -> Result<Value, FetchError> {
    answered(answer.status().as_u16());
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let body = limited_body(answer).await?;
    serde_json::from_slice(&body).map_err(|_| FetchError::NotJson)
}

/// What `openidconnect` sends its requests with. It judges the status itself.
impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.client.execute(request.try_into()?).await?;
            answered(answer.status().as_u16());
            let mut response = HttpResponse::default();
            *response.status_mut() = answer.status();
            std::mem::swap(response.headers_mut(), answer.headers_mut());
            *response.body_mut() = limited_body(answer).await?;
            Ok(response)
        })
    }
}

async fn limited_body(mut answer: Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Names resolved as browsers do: `localhost` and `*.localhost` are this machine
/// (RFC 6761, section 6.3), whatever the system's resolver thinks of them.
struct LoopbackNames;

impl Resolve for LoopbackNames {
    fn resolve(&self, name: Name) -> Resolving {
        if is_loopback_name(name.as_str()) {
            let addrs = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let addrs: Addrs = Box::new(addrs.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            return Box::pin(std::future::ready(Ok(addrs)));
        }
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether a name means this machine, whatever a resolver thinks of it.
#[must_use]
pub fn is_loopback_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_what_lies_below_it_is_this_machine() {
        for name in ["localhost", "LOCALHOST", "localhost.", "tenant.localhost", "a.b.localhost."] {
            assert!(is_loopback_name(name), "{name}");
        }
        for name in ["localhost.example", "notlocalhost", "", "example.com"] {
            assert!(!is_loopback_name(name), "{name}");
        }
    }
}
