//! A back end that follows the log, is cut off, and takes up where it left off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cluster::{DESK, NODES};
use crate::history::{End, Event, Logout};
use crate::luck::Luck;
use crate::socket::{Said, Socket};
use crate::world::{Phase, World};

pub struct Follower {
    pub world: Arc<World>,
    pub luck: Luck,
    pub number: u32,
    /// The name that it takes up from; none is from now on, an empty one from the beginning.
    pub after: Option<String>,
    /// Where it always goes, if it does.
    pub only_to: Option<usize>,
}

impl Follower {
    /// Follows until it has got the last logout of all.
    pub async fn live(mut self) {
        loop {
            let number = self.only_to.unwrap_or_else(|| self.luck.below(2 * NODES));
            if let Some(socket) = follow(self.world.cluster.door(number), self.after.as_deref()).await {
                let following = Event::Following { follower: self.number, after: self.after.clone() };
                self.world.history.note(following);
                let (end, code, is_done) = self.read(socket).await;
                self.world.history.note(Event::Unfed { follower: self.number, end, code });
                if is_done {
                    return;
                }
            }
            sleep(self.luck.millis(20, 600)).await;
        }
    }

    /// To the end of one connection; whether that was the last.
    async fn read(&mut self, mut socket: Socket) -> (End, Option<String>, bool) {
        let leaves_at = Instant::now() + self.luck.millis(300, 6_000);
        let mut code = None;
        loop {
            let world = Arc::clone(&self.world);
            let said = tokio::select! {
                biased;
                said = socket.next() => said,
                () = world.until_last_is(self.after.as_ref()) => return (End::Left, code, true),
                () = sleep_until(leaves_at), if world.phase() == Phase::Faults => Said::End(End::Left),
            };
            match said {
                Said::Subscribed { .. } => {}
                Said::Event(logout) => {
                    self.after = Some(logout.id.clone());
                    self.world.history.note(Event::Fed { follower: self.number, logout });
                }
                Said::Error { code: found } => code = Some(found),
                Said::End(end) => return (end, code, false),
            }
        }
    }
}

/// Opens a feed.
async fn follow(at: SocketAddr, after: Option<&str>) -> Option<Socket> {
    let mut socket = Socket::open(at, None).await?;
    let (client_id, secret) = DESK;
    let mut message = json!({"type": "subscribe", "client_id": client_id, "secret": secret});
    if let Some(after) = after {
        message["after"] = after.into();
    }
    socket.send(&message).await;
    Some(socket)
}

/// The whole log up to where all of these stand in it; fails after half a minute.
pub async fn read_log(at: SocketAddr, last: &[String]) -> Vec<Logout> {
    let mut log: Vec<Logout> = Vec::new();
    let reading = async {
        let mut socket = follow(at, Some("")).await.expect("a node that is ready takes a socket");
        while !last.iter().all(|id| log.iter().any(|logout| logout.id == *id)) {
            match socket.next().await {
                Said::Event(logout) => log.push(logout),
                Said::Subscribed { .. } => {}
                other => panic!("the log ends in the middle: {other:?}"),
            }
        }
    };
    assert!(timeout(Duration::from_secs(30), reading).await.is_ok(), "the log never reaches its end");
    log
}
