//! What systemd is told of a service of `Type=notify`: when the hub answers, and when it
//! stops. Elsewhere nobody asks to be told, and nothing is said.

use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Listeners take connections: what starts after the hub may start.
pub(super) const READY: &str = "READY=1";
/// The hub was told to stop, and is finishing.
pub(super) const STOPPING: &str = "STOPPING=1";

/// Says it, where `NOTIFY_SOCKET` names somebody who wants to hear it.
pub(super) fn tell(state: &str) {
    let Ok(name) = std::env::var("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&name, state) {
        tracing::warn!(error = %error, "cannot tell the service manager that {state}");
    }
}

fn send(name: &str, state: &str) -> io::Result<()> {
    // An @ stands for the zero byte that begins a name outside the file system.
    let addr = match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &addr).map(drop)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_service_manager_outside_the_file_system_is_told() {
        let name = format!("slo-hub-test-{}", std::process::id());
        let ear = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(&format!("@{name}"), READY).unwrap();
        let mut heard = [0; 16];
        let length = ear.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], READY.as_bytes());
        assert!(send("@nobody-listens-here", READY).is_err());
    }
}
