//! A small TCP balancer, for trying several nodes by hand: connections go to the servers in
//! turn, and one that does not accept is passed over. `make cluster` starts it; the tests of
//! several nodes break the same thing in every way.
//!
//! ```text
//! balancer <listen> <server> [<server> …]
//! ```

use std::error::Error;
use std::net::SocketAddr;

#[path = "../tests/support/relay.rs"]
#[expect(dead_code, unreachable_pub, reason = "its failings are for tests")]
mod relay;

use relay::{Relay, Target};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut addrs = std::env::args().skip(1).map(|text| text.parse::<SocketAddr>());
    let listen = addrs.next().ok_or("balancer <listen> <server> [<server> …]")??;
    let servers = addrs.map(|addr| addr.map(Target::Tcp)).collect::<Result<Vec<_>, _>>()?;
    let relay = Relay::start(listen, servers).await?;
    println!("listening on {}", relay.addr());
    std::future::pending().await
}
