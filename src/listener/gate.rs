//! How many of something may be open, in all and from one address.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;

/// Counts what is open: connections, or channels. Clones share the count.
#[derive(Clone)]
pub struct Gate(Arc<Counts>);

struct Counts {
    most: usize,
    most_per_addr: usize,
    open: AtomicUsize,
    by_addr: DashMap<IpAddr, usize>,
}

/// A place among what is open; dropping it makes room.
pub struct Pass {
    gate: Gate,
    addr: Option<IpAddr>,
}

impl Gate {
    /// Lets so many in, and so many from one address.
    #[must_use]
    pub fn new(most: usize, most_per_addr: usize) -> Self {
        Self(Arc::new(Counts { most, most_per_addr, open: AtomicUsize::new(0), by_addr: DashMap::new() }))
    }

    /// A place for one more from `addr`; `None` when there is none.
    #[must_use]
    pub fn enter(&self, addr: IpAddr) -> Option<Pass> {
        let addr = network(addr);
        let mut pass = self.enter_anonymously()?;
        let mut from_here = self.0.by_addr.entry(addr).or_insert(0);
        if *from_here >= self.0.most_per_addr {
            return None;
        }
        *from_here += 1;
        pass.addr = Some(addr);
        Some(pass)
    }

    /// A place for one more that speaks for many addresses, such as a proxy.
    #[must_use]
    pub fn enter_anonymously(&self) -> Option<Pass> {
        let within = |open: usize| (open < self.0.most).then_some(open + 1);
        self.0.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, within).ok()?;
        Some(Pass { gate: self.clone(), addr: None })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let counts = &self.gate.0;
        counts.open.fetch_sub(1, Ordering::AcqRel);
        if let Some(addr) = &self.addr {
            counts.by_addr.remove_if_mut(addr, |_, open| {
                *open -= 1;
                *open == 0
            });
        }
    }
}

/// One IPv6 customer has at least a /64 of addresses: they count as one.
#[must_use]
pub fn network(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_holds_its_two_limits_and_makes_room_again() {
        let gate = Gate::new(3, 2);
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = gate.enter(here).unwrap();
        let _second = gate.enter(here).unwrap();
        assert!(gate.enter(here).is_none(), "per address");
        let _third = gate.enter(there).unwrap();
        assert!(gate.enter(there).is_none(), "in all");
        drop(first);
        assert!(gate.enter(here).is_some());
    }

    #[test]
    fn a_slash_64_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
