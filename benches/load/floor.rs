//! The yardstick's process: this program in another mode.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;

use crate::Failure;
use crate::machine::Cores;
use crate::process::Process;

/// The yardstick's server, in a process of its own.
pub struct Floor {
    process: Process,
    sockets: SocketAddr,
    publish: SocketAddr,
}

impl Floor {
    /// Starts it.
    pub fn start(cores: Cores) -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let own = own.to_str().ok_or("this program's name is not UTF-8")?.to_owned();
        let mut process = Process::start(cores, &[own, "--floor-server".to_owned()], Stdio::piped())?;
        let mut line = String::new();
        BufReader::new(process.take_stdout().ok_or("no output")?).read_line(&mut line)?;
        let (sockets, publish) = line.trim().split_once(' ').ok_or("the floor server said no ports")?;
        let addr = |port: &str| Ok::<_, Failure>(SocketAddr::from(([127, 0, 0, 1], port.parse()?)));
        Ok(Self { sockets: addr(sockets)?, publish: addr(publish)?, process })
    }

    /// Where sockets connect.
    pub const fn addr(&self) -> SocketAddr {
        self.sockets
    }

    /// Where events are published.
    pub const fn publish_addr(&self) -> SocketAddr {
        self.publish
    }

    /// Its process.
    pub const fn process(&self) -> &Process {
        &self.process
    }
}
