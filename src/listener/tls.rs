//! TLS on a listener: the certificate it shows, which follows its files, and the handshake.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{Error as TlsError, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::tls::{TlsFault, TlsFiles};
use crate::domain::clock::{Clock, UnixSeconds};
use crate::tasks::Tasks;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The one protocol that is spoken here (RFC 7301).
const ALPN: &[u8] = b"http/1.1";
/// The first byte of every TLS connection (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// How long a caller that speaks no TLS has to read that.
const FAREWELL: Duration = Duration::from_secs(1);
/// What is read of what they still say.
const FAREWELL_BYTES: u64 = 64 * 1024;

/// What a listener shows of itself, and signs with. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Parts>);

struct Parts {
    key: &'static str,
    files: TlsFiles,
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
    seen: Mutex<Seen>,
}

/// What new connections are shown. Open ones keep what they were shown.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

/// What was last seen of the files.
struct Seen {
    print: [u8; 32],
    /// The end of what is shown, also where the files hold something else by now.
    valid_until: UnixSeconds,
    trouble: Option<String>,
}

/// What a look at the files came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// They hold what is shown.
    Same,
    /// They hold another pair, which is shown from now on.
    Renewed,
    /// They hold nothing that can be shown, for this reason; what was shown still is.
    Kept(String),
}

/// Why no TLS can be served.
#[derive(Debug, thiserror::Error)]
pub enum NoTls {
    /// The files do not hold a pair.
    #[error("{}", lines(.0))]
    Files(Vec<TlsFault>),
    /// The library cannot be set up.
    #[error("{0}")]
    Library(#[from] TlsError),
}

fn lines(faults: &[TlsFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// TLS with the pair that the files hold now. `key` is the configuration's name for them.
    ///
    /// # Errors
    /// [`NoTls`].
    pub fn of(key: &'static str, files: TlsFiles, now: UnixSeconds) -> Result<Self, NoTls> {
        let contents = files.read().map_err(NoTls::Files)?;
        let pair = contents.pair(now).map_err(NoTls::Files)?;
        let shown = Arc::new(Shown(RwLock::new(pair.certified)));
        let acceptor = TlsAcceptor::from(Arc::new(server(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>)?));
        let seen = Mutex::new(Seen { print: contents.print(), valid_until: pair.not_after, trouble: None });
        Ok(Self(Arc::new(Parts { key, files, shown, acceptor, seen })))
    }

    /// When the certificate expires that is shown now.
    #[must_use]
    pub fn valid_until(&self) -> UnixSeconds {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).valid_until
    }

    /// Looks at the files, and shows what they hold where that has changed.
    #[must_use]
    pub fn look(&self, now: UnixSeconds) -> Look {
        let parts = &self.0;
        let contents = parts.files.read();
        let mut seen = parts.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if contents.as_ref().is_ok_and(|contents| contents.print() == seen.print) {
            seen.trouble = None;
            return Look::Same;
        }
        let read = contents.and_then(|contents| Ok((contents.print(), contents.pair(now)?)));
        match read {
            Ok((print, pair)) => {
                *seen = Seen { print, valid_until: pair.not_after, trouble: None };
                *parts.shown.0.write().unwrap_or_else(PoisonError::into_inner) = pair.certified;
                tracing::info!(
                    key = parts.key,
                    valid_until = pair.not_after.0,
                    "new connections get the new certificate"
                );
                Look::Renewed
            }
            Err(faults) => {
                let why = lines(&faults);
                // Said once, not every few seconds for as long as it lasts.
                if seen.trouble.as_ref() != Some(&why) {
                    tracing::warn!(key = parts.key, error = why, "the certificate from before is kept; looking again");
                    seen.trouble = Some(why.clone());
                }
                Look::Kept(why)
            }
        }
    }

    /// Looks at the files now and then, until the hub stops.
    pub async fn follow_files(self, clock: Arc<dyn Clock>, tasks: Tasks) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = tasks.stopping() => return,
                _ = tick.tick() => {}
            }
            let (tls, now) = (self.clone(), clock.now().floor());
            // A disk that hangs holds up nobody else.
            let _looked = spawn_blocking(move || tls.look(now)).await;
        }
    }

    /// The handshake. Who speaks plain HTTP is told what is spoken here.
    pub(super) async fn accept(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_alphabetic() {
            timeout(FAREWELL, say_https(&mut stream)).await??;
        }
        if first[0] != HANDSHAKE_RECORD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.0.acceptor.accept(stream).await
    }
}

/// TLS 1.2 and 1.3. Sessions are resumed by tickets, so that all apps coming back after a
/// restart of their network cost no signature each; nothing is taken before the handshake ends.
fn server(shown: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, TlsError> {
    let versions = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let versions = versions.with_protocol_versions(&[&TLS13, &TLS12])?;
    let mut config = versions.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.ticketer = Ticketer::new()?;
    Ok(config)
}

async fn say_https(stream: &mut TcpStream) -> io::Result<()> {
    const BODY: &str = r#"{"error":"invalid_request","code":"https_needed","error_description":"This port speaks HTTPS; write https:// or wss:// before the address."}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing a connection with unread input would make the system throw the answer away.
    tokio::io::copy(&mut stream.take(FAREWELL_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}
