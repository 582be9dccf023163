//! Which addresses a configured name may have: an app's back end, an issuer's API.
//!
//! A name in the configuration is a public one, and whoever runs its DNS could point it
//! at a machine behind the hub's own firewall. So its addresses are looked at, and only
//! those that were looked at are connected to. Who means a private machine writes down
//! its address, or `localhost`.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::fetch::is_loopback_name;

/// The answer to a look-up, in the making.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Where a name's addresses come from.
pub trait Lookup: Send + Sync + 'static {
    /// Every address of that name.
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a>;
}

/// The operating system's resolver.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|addr| addr.ip()).collect()) })
    }
}

/// Why a name is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// The look-up failed, or found nothing.
    #[error("the name has no address")]
    None,
    /// All that was found is no public address.
    #[error("the name has no public address")]
    NotPublic,
}

/// Resolves names for the HTTP client, which connects to what it gets here and asks
/// nobody again. Addresses that are written in the URI itself do not come this way.
pub struct Guarded(pub Arc<dyn Lookup>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.0);
        Box::pin(async move {
            let addrs: Vec<_> = allowed(lookup.as_ref(), name.as_str()).await?;
            Ok(Box::new(addrs.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// Whether a request failed because its name was not connected to, and why.
#[must_use]
pub fn no_address(failure: &reqwest::Error) -> Option<NoAddress> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<NoAddress>() {
            return Some(*found);
        }
        cause = error.source();
    }
    None
}

async fn allowed(lookup: &dyn Lookup, name: &str) -> Result<Vec<IpAddr>, NoAddress> {
    if is_loopback_name(name) {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let found = lookup.lookup(name).await.map_err(|_| NoAddress::None)?;
    if found.is_empty() {
        return Err(NoAddress::None);
    }
    let public: Vec<_> = found.into_iter().filter(|addr| is_public(*addr)).collect();
    if public.is_empty() { Err(NoAddress::NotPublic) } else { Ok(public) }
}

/// Whether an address is one that the whole internet shares (IANA's special-purpose
/// registries, RFC 6890), and no way round to one that it does not.
fn is_public(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => is_public_v4(addr),
        IpAddr::V6(addr) => is_public_v6(addr),
    }
}

/// IPv4 networks that are not shared by all, each with the length of its prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, with the clouds' metadata services
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays to 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

fn is_public_v4(addr: Ipv4Addr) -> bool {
    let is_within = |(net, length): &(Ipv4Addr, u32)| (addr.to_bits() ^ net.to_bits()).leading_zeros() >= *length;
    !SPECIAL_V4.iter().any(is_within)
}

/// IPv6 networks within [`GLOBAL`] that are not shared by all, or lead elsewhere.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, ORCHID, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: holds an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// What a network without IPv4 makes of an IPv4 address (RFC 6052): the last 32 bits.
const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);
/// All addresses that are given out for the whole internet so far.
const GLOBAL: Ipv6Addr = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);

fn is_public_v6(addr: Ipv6Addr) -> bool {
    let is_within = |net: Ipv6Addr, length: u32| (addr.to_bits() ^ net.to_bits()).leading_zeros() >= length;
    if is_within(NAT64, 96) {
        let [.., a, b, c, d] = addr.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    is_within(GLOBAL, 3) && !SPECIAL_V6.iter().any(|(net, length)| is_within(*net, *length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_not_everybody_shares_is_refused_in_every_spelling() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456:789a::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn an_address_that_everybody_shares_is_not() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2001:db7::1",
            "2003::1",
            "2606:4700:4700::1111",
            "3ffe:ffff::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    /// A name server that says what it was told to.
    struct Says(io::Result<Vec<IpAddr>>);

    impl Lookup for Says {
        fn lookup<'a>(&'a self, _: &'a str) -> Found<'a> {
            let said = self.0.as_ref().map(Clone::clone).map_err(|error| error.kind().into());
            Box::pin(std::future::ready(said))
        }
    }

    fn says(addrs: &[&str]) -> Says {
        Says(Ok(addrs.iter().map(|addr| addr.parse().unwrap()).collect()))
    }

    #[tokio::test]
    async fn of_a_names_addresses_only_the_public_ones_are_connected_to() {
        let found = allowed(&says(&["10.0.0.1", "8.8.8.8", "::1"]), "api.example").await;
        assert_eq!(found, Ok(vec!["8.8.8.8".parse().unwrap()]));
        assert_eq!(allowed(&says(&["10.0.0.1", "fd00::1"]), "api.example").await, Err(NoAddress::NotPublic));
        assert_eq!(allowed(&says(&[]), "api.example").await, Err(NoAddress::None));
        let broken = Says(Err(io::ErrorKind::NotFound.into()));
        assert_eq!(allowed(&broken, "api.example").await, Err(NoAddress::None));
    }

    #[tokio::test]
    async fn localhost_is_this_machine_whatever_a_name_server_says_of_it() {
        for name in ["localhost", "desk.localhost", "DESK.LOCALHOST."] {
            let found = allowed(&says(&["8.8.8.8"]), name).await.unwrap();
            assert!(found.iter().all(IpAddr::is_loopback), "{name}: {found:?}");
        }
    }
}
