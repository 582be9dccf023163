//! What one would use instead of a hub, and how each is spoken to. Their servers and
//! configurations are in `benches/peers/`.

mod brokers;
mod floor;
mod installed;
mod nchan;
mod node;
mod sockudo;
mod table;
mod workload;

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

pub use floor::Floor;
pub use table::Table;
pub use workload::{Contest, run};

use crate::Failure;
use crate::dialect::Dialect;
use crate::machine::Cores;
use crate::process::Process;
use crate::wire::Door;

/// A server that clients subscribe at, and that is told to publish: what is particular to
/// it, and nothing that is measured.
pub trait Adapter: Sync {
    /// What it is called, on the command line too.
    fn name(&self) -> &'static str;

    /// Which version is installed; else why it cannot be run here.
    fn version(&self) -> Result<String, String>;

    /// Starts its process.
    fn start(&self, launch: Launch) -> Result<Peer, Failure>;

    /// How a client subscribes, and what counts as the event.
    fn dialect(&self) -> &'static dyn Dialect;

    /// The request that publishes the event to a channel.
    fn publish(&self, channel: &str) -> Bytes;

    /// The request after which no garbage is left that could pass for memory in use, where
    /// there is such a thing.
    fn collect(&self) -> Option<Bytes> {
        None
    }

    /// What it could do about verifying, recording and recovering, and does not here.
    fn otherwise(&self) -> &'static str;
}

/// Every one there is: first the yardstick, then what one would use.
pub const ALL: &[&dyn Adapter] =
    &[&Floor, &nchan::Nchan, &node::Ws, &node::SocketIo, &sockudo::Sockudo, &brokers::Nats, &brokers::Mosquitto];

/// One that runs.
pub struct Peer {
    /// What is particular to it.
    pub adapter: &'static dyn Adapter,
    /// Its process.
    pub process: Process,
    /// Where sockets connect.
    pub sockets: SocketAddr,
    /// Where events are published.
    pub door: Door,
    /// Its configuration, its files and what it says; removed with it.
    folder: Option<TempDir>,
}

impl Peer {
    /// Starts it and waits until it takes connections.
    pub fn start(adapter: &'static dyn Adapter, cores: Cores) -> Result<Self, Failure> {
        let mut peer = adapter.start(Launch { adapter, cores })?;
        for _ in 0..4_000 {
            if [peer.sockets, peer.door.addr].iter().all(|addr| TcpStream::connect(addr).is_ok()) {
                return Ok(peer);
            }
            if !peer.process.is_running() {
                return Err(format!("{} ended at once: {}", adapter.name(), peer.log()).into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("{} takes no connections: {}", adapter.name(), peer.log()).into())
    }

    /// What it has said so far.
    fn log(&self) -> String {
        let path = self.folder.as_ref().map(|folder| folder.path().join(LOG));
        path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    }
}

const LOG: &str = "log";

/// What it takes to start one.
#[derive(Clone, Copy)]
pub struct Launch {
    adapter: &'static dyn Adapter,
    cores: Cores,
}

impl Launch {
    /// Starts a command line in a folder of its own.
    fn run(self, folder: TempDir, words: &[&str], sockets: SocketAddr, door: impl Into<Door>) -> Result<Peer, Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let log = File::create(folder.path().join(LOG))?;
        let process = Process::start_into(self.cores, &words, &log)?;
        Ok(Peer { adapter: self.adapter, process, sockets, door: door.into(), folder: Some(folder) })
    }
}

/// A folder with a configuration of `benches/peers/`, its blanks filled in.
fn configured(file: &str, blanks: &[(&str, &str)]) -> Result<(TempDir, String), Failure> {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut text = std::fs::read_to_string(Path::new(SERVERS).join(file))?;
    for (blank, value) in blanks {
        text = text.replace(&format!("@{blank}@"), value);
    }
    let path = folder.path().join(file);
    std::fs::write(&path, text)?;
    let path = path.to_str().ok_or("the target folder's name is not UTF-8")?.to_owned();
    Ok((folder, path))
}

/// Where their servers and configurations are.
const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
