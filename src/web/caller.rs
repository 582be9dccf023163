//! Who is calling: an address, an origin, a credential.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;

use super::Edge;
use super::problem::Problem;
use crate::domain::app::App;
use crate::domain::device::Device;
use crate::domain::secret::Secret;
use crate::hub::Hub;
use crate::hub::caller::Person;
use crate::hub::denied::Denied;

/// The address that a request came from, behind whatever proxies are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);

/// Finds out the caller's address once, for everything behind it.
pub async fn with_client_addr(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(peer) = peer {
        let addr = client_addr(peer, request.headers(), &edge.trusted_proxies);
        request.extensions_mut().insert(ClientAddr(addr));
    }
    next.run(request).await
}

/// The last address in `X-Forwarded-For` that no trusted proxy wrote for itself;
/// the peer's own where the peer is not a trusted proxy.
fn client_addr(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |addr: IpAddr| is_trusted(addr, trusted);
    if !is_trusted(peer) {
        return peer.to_canonical();
    }
    let name = HeaderName::from_static("x-forwarded-for");
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    let joined = lines.join(",");
    let mut hops = joined.rsplit(',').map(|hop| parse_hop(hop.trim()));
    let mut nearest = peer;
    loop {
        match hops.next() {
            Some(Some(addr)) if is_trusted(addr) => nearest = addr,
            Some(Some(addr)) => return addr.to_canonical(),
            // What is no address ends what can be believed.
            Some(None) | None => return nearest.to_canonical(),
        }
    }
}

/// Whether an address is one of these proxies'.
#[must_use]
pub fn is_trusted(addr: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&addr.to_canonical()))
}

fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(hop, |(addr, _)| addr);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|addr| addr.ip()))
}

impl<S: Sync> FromRequestParts<S> for ClientAddr {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let unknown = Self(IpAddr::from([0, 0, 0, 0]));
        Ok(parts.extensions.get().copied().unwrap_or(unknown))
    }
}

/// What the caller runs on, as far as the request tells.
#[derive(Clone, Debug)]
pub struct FromDevice(pub Arc<Device>);

impl FromDevice {
    /// What a person sits at. A back end that asks for them, which sends no `Origin`, is
    /// nothing of theirs; a native app is.
    #[must_use]
    pub fn of(self, person: &Person, origin: &FromOrigin) -> Option<Arc<Device>> {
        (origin.as_deref().is_some() || person.app.allow_no_origin).then_some(self.0)
    }
}

impl<S: Sync> FromRequestParts<S> for FromDevice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let ClientAddr(address) = ClientAddr::from_request_parts(parts, state).await?;
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Arc::new(Device::new(user_agent, address))))
    }
}

/// The page that asks, as its browser says.
#[derive(Clone, Debug)]
pub struct FromOrigin(pub Option<String>);

impl FromOrigin {
    /// The origin's text, where there is one.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for FromOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut values = parts.headers.get_all(header::ORIGIN).iter();
        let first = values.next().map(|value| value.to_str().unwrap_or("null").to_owned());
        // Two origins are none that anyone registered.
        Ok(Self(if values.next().is_some() { Some("null".to_owned()) } else { first }))
    }
}

/// What a caller shows to be let in.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An ID token or a resume ticket (RFC 6750, section 2.1).
    Bearer(Secret),
    /// A back end's name and secret (RFC 6749, section 2.3.1).
    Basic(BasicPair),
}

/// A back end's name and secret, as they came. OAuth form-encodes both; many clients
/// send them as they are, which is only another reading of a `%` or a `+`.
#[derive(Clone, Debug)]
pub struct BasicPair {
    as_it_came: (String, Secret),
    decoded: Option<(String, Secret)>,
}

impl BasicPair {
    fn read(encoded: &str) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (client_id, secret) = text.split_once(':')?;
        let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8().ok().map(Cow::into_owned);
        let decoded = decode(client_id).zip(decode(secret)).map(|(id, secret)| (id, Secret::new(&secret)));
        Some(Self { as_it_came: (client_id.to_owned(), Secret::new(secret)), decoded })
    }

    /// The app whose back end this is, by either reading.
    ///
    /// # Errors
    /// [`Denied::Client`].
    pub fn back_end(&self, hub: &Hub) -> Result<Arc<App>, Denied> {
        let app_of = |(client_id, secret): &(String, Secret)| hub.back_end(client_id, secret.reveal());
        let decoded = || self.decoded.as_ref().map_or(Err(Denied::Client), app_of);
        app_of(&self.as_it_came).or_else(|_| decoded())
    }
}

impl<S: Sync> FromRequestParts<S> for Credential {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next().ok_or(Denied::NoCredentials)?;
        if values.next().is_some() {
            return Err(Denied::NoCredentials.into());
        }
        let text = value.to_str().map_err(|_| Denied::NoCredentials)?;
        let (scheme, rest) = text.split_once(' ').ok_or(Denied::NoCredentials)?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            Ok(Self::Bearer(Secret::new(rest)))
        } else if scheme.eq_ignore_ascii_case("basic") {
            BasicPair::read(rest).map(Self::Basic).ok_or(Denied::Client.into())
        } else {
            Err(Denied::NoCredentials.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        client_addr(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_who_they_are() {
        assert_eq!(addr("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_own_caller_only() {
        assert_eq!(addr("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(addr("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(addr("10.0.0.1", &["1.1.1.1", "198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(addr("10.0.0.1", &["1.1.1.1, rubbish"]), "10.0.0.1");
        assert_eq!(addr("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(addr("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(addr("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }
}
