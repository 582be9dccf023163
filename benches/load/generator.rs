//! A second generator process: one process may open only so many files, and two hubs may
//! have more sockets between them. The first one signs, asks and counts; each of these
//! holds sockets of one hub, and says when they were told.
//!
//! They speak in lines. In: `["open", seats…]`, then `["told", sessions…]`. Out: `opened`
//! with a number of microseconds, or `told` with a session and the machine's clock.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::Failure;
use crate::crowd::AT_ONCE;
use crate::dialect::SloV1;
use crate::fleet::{Fleet, Manner, PATIENCE, Seat};

/// What a generator is asked for.
#[derive(Serialize, Deserialize)]
enum Ask {
    /// To open sockets, and leave them open.
    Open(Vec<Seat>),
    /// To say when the sockets of these sessions, so many of each, were told.
    Told(Vec<usize>, usize),
}

/// What it answers.
#[derive(Serialize, Deserialize)]
enum Say {
    /// All are open, in so many microseconds.
    Opened(u64),
    /// By when the last socket of each session was told, in microseconds since 1970.
    Told(Vec<(usize, u64)>),
    /// It failed.
    Failed(String),
}

/// Another generator, with sockets to one hub.
pub struct Generator {
    asks: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    /// Killed when this is dropped.
    _child: Child,
}

impl Generator {
    /// Starts one: this program in another mode.
    pub fn start(hub: SocketAddr) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--generator", &hub.to_string()]).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asks = child.stdin.take().ok_or("no input")?;
        let says = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        Ok(Self { asks, says, _child: child })
    }

    /// Has sockets opened and subscribed; how long that took.
    pub async fn open(&mut self, seats: Vec<Seat>) -> Result<Duration, Failure> {
        self.ask(&Ask::Open(seats)).await?;
        match self.answer().await? {
            Say::Opened(micros) => Ok(Duration::from_micros(micros)),
            _ => Err("a generator answered another question".into()),
        }
    }

    /// Asks when so many sockets of each of these sessions are told; [`Self::told`] is the
    /// answer. Nothing that is told before is lost.
    pub async fn watch(&mut self, sessions: Vec<usize>, each: usize) -> Result<(), Failure> {
        self.ask(&Ask::Told(sessions, each)).await
    }

    /// When the last of each session's was.
    pub async fn told(&mut self) -> Result<Vec<(usize, SystemTime)>, Failure> {
        match self.answer().await? {
            Say::Told(all) => {
                Ok(all.into_iter().map(|(session, at)| (session, UNIX_EPOCH + Duration::from_micros(at))).collect())
            }
            _ => Err("a generator answered another question".into()),
        }
    }

    async fn ask(&mut self, ask: &Ask) -> Result<(), Failure> {
        let line = serde_json::to_string(ask)? + "\n";
        self.asks.write_all(line.as_bytes()).await?;
        Ok(self.asks.flush().await?)
    }

    async fn answer(&mut self) -> Result<Say, Failure> {
        // It gives up by itself, and says why.
        let line = timeout(PATIENCE * 3, self.says.next_line()).await.map_err(|_| "a generator is silent")??;
        match serde_json::from_str(&line.ok_or("a generator ended")?)? {
            Say::Failed(fault) => Err(fault.into()),
            said => Ok(said),
        }
    }
}

/// Is such a generator, until its input ends.
pub async fn serve(hub: SocketAddr) -> Result<(), Failure> {
    let mut fleet = Fleet::new(hub, &SloV1 { id_is_channel: false });
    // Waiting here holds nothing up: sockets are read on other threads.
    for line in std::io::stdin().lines() {
        let said = obey(&mut fleet, serde_json::from_str(&line?)?).await;
        let said = said.unwrap_or_else(|fault| Say::Failed(format!("the generator at {hub}: {fault}")));
        println!("{}", serde_json::to_string(&said)?);
    }
    Ok(())
}

async fn obey(fleet: &mut Fleet, ask: Ask) -> Result<Say, Failure> {
    match ask {
        Ask::Open(seats) => {
            let opened = fleet.open(seats, Manner::Acknowledges, AT_ONCE).await?.all()?;
            Ok(Say::Opened(u64::try_from(opened.took.as_micros())?))
        }
        Ask::Told(sessions, each) => {
            let told = fleet.told_each(sessions.into_iter(), each).await?;
            // What two processes can compare is the machine's clock.
            let (now, here) = (SystemTime::now(), Instant::now());
            let at = |at: Instant| now - here.saturating_duration_since(at);
            let micros = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
            let told = told.into_iter().map(|(session, seen)| Ok((session, u64::try_from(micros(at(seen)))?)));
            Ok(Say::Told(told.collect::<Result<_, Failure>>()?))
        }
    }
}
