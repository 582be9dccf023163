//! The yardstick: this program in another mode.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use bytes::Bytes;

use super::{Adapter, Launch, Peer, local};
use crate::Failure;
use crate::dialect::{Dialect, SloV1};
use crate::http::request;
use crate::process::Process;

/// A bare WebSocket server.
pub struct Floor;

impl Adapter for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn version(&self) -> Result<String, String> {
        Ok("of this build".to_owned())
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        let own = std::env::current_exe()?;
        let own = own.to_str().ok_or("this program's name is not UTF-8")?.to_owned();
        let mut process = Process::start(launch.cores, &[own, "--floor-server".to_owned()], Stdio::piped())?;
        let mut line = String::new();
        BufReader::new(process.take_stdout().ok_or("no output")?).read_line(&mut line)?;
        let (sockets, publish) = line.trim().split_once(' ').ok_or("the floor server said no ports")?;
        let (sockets, publish) = (local(sockets.parse()?), local(publish.parse()?));
        Ok(Peer { adapter: launch.adapter, process, sockets, door: publish.into(), folder: None })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &SloV1 { id_is_channel: true }
    }

    fn publish(&self, channel: &str) -> Bytes {
        request("POST", "/publish", &[], channel)
    }

    fn otherwise(&self) -> &'static str {
        "nothing: the yardstick"
    }
}
