//! nginx with the module nchan.

use bytes::Bytes;
use rustix::process::{Resource, getrlimit};
use tokio_tungstenite::tungstenite::Message;

use super::{Adapter, Launch, Peer, configured, installed, local};
use crate::Failure;
use crate::dialect::{Dialect, Heard, Opening, event, event_id, event_of};
use crate::http::request;
use crate::hub::free_port;

/// Where systems put the module.
const MODULES: &[&str] = &["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules"];

/// A channel is a path; whoever has opened it listens.
pub struct Nchan;

impl Adapter for Nchan {
    fn name(&self) -> &'static str {
        "nchan"
    }

    fn version(&self) -> Result<String, String> {
        module()?;
        let nginx = installed::version(&installed::program("nginx")?, &["-v"])?;
        let package = ["-W", "-f", "${Version}", "libnginx-mod-nchan"];
        let nchan = installed::version("dpkg-query", &package).unwrap_or_else(|_| "of unknown version".to_owned());
        Ok(format!("{nchan} in nginx {nginx}"))
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        let port = free_port()?;
        let files = getrlimit(Resource::Nofile).current.unwrap_or(100_000).to_string();
        let blanks = [("MODULE", &*module()?), ("FILES", &*files), ("PORT", &*port.to_string())];
        let (folder, path) = configured("nginx.conf", &blanks)?;
        let prefix = folder.path().to_str().ok_or("the target folder's name is not UTF-8")?.to_owned();
        let words = [&*installed::program("nginx")?, "-p", &prefix, "-c", &path, "-e", "stderr", "-g", "daemon off;"];
        launch.run(folder, &words, local(port), local(port))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Self
    }

    fn publish(&self, channel: &str) -> Bytes {
        request("POST", &format!("/publish/{channel}"), &[], &event(channel))
    }

    fn otherwise(&self) -> &'static str {
        "asks an upstream server whether a subscriber may (`nchan_authorize_request`); keeps messages in memory or in \
         Redis, and gives a subscriber who names the last message what came after it"
    }
}

impl Dialect for Nchan {
    fn path(&self, channel: &str) -> String {
        format!("/sub/{channel}")
    }

    fn opening(&self, _channel: &str) -> Opening {
        Opening::Done
    }

    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame> {
        let Message::Text(text) = frame else { return Heard::Fault("expected text".to_owned()) };
        event_id(text, "slo-event").map_or(Heard::Nothing, |id| event_of(id, channel))
    }
}

fn module() -> Result<String, String> {
    let found = MODULES.iter().map(|folder| format!("{folder}/ngx_nchan_module.so"));
    let mut found = found.filter(|file| std::path::Path::new(file).is_file());
    found.next().ok_or_else(|| "nginx's module nchan is not installed".to_owned())
}
