//! Message brokers that browsers can connect to: NATS and Mosquitto.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;

use super::{Adapter, Launch, Peer, configured, installed, local};
use crate::Failure;
use crate::dialect::{Dialect, Heard, Opening, event, event_id, event_of};
use crate::hub::free_port;
use crate::wire::{Door, Wire, mqtt_packet};

/// NATS; a channel is a subject.
pub struct Nats;

/// Mosquitto; a channel is a topic.
pub struct Mosquitto;

impl Adapter for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn version(&self) -> Result<String, String> {
        installed::version(&installed::program("nats-server")?, &["-v"])
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        start(launch, "nats-server", "nats.conf", Wire::Nats)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Self
    }

    fn publish(&self, channel: &str) -> Bytes {
        let event = event(channel);
        Bytes::from(format!("PUB {channel} {}\r\n{event}\r\nPING\r\n", event.len()))
    }

    fn otherwise(&self) -> &'static str {
        "verifies its own users' JWTs, or asks a service of one's own; JetStream writes messages to disk, replicated, and \
         replays them to a consumer from where it was"
    }
}

impl Dialect for Nats {
    fn path(&self, _channel: &str) -> String {
        "/".to_owned()
    }

    fn opening(&self, _channel: &str) -> Opening {
        Opening::Wait
    }

    /// A frame may hold more than one operation: what is waited for counts.
    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame> {
        let Message::Binary(bytes) = frame else { return Heard::Fault("expected bytes".to_owned()) };
        let Ok(text) = std::str::from_utf8(bytes) else { return Heard::Fault("not UTF-8".to_owned()) };
        if let Some(id) = event_id(text, "MSG ") {
            event_of(id, channel)
        } else if text.contains("PONG\r\n") {
            Heard::Subscribed(String::new())
        } else if text.starts_with("INFO ") {
            let subscribe = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {channel} 1\r\nPING\r\n");
            Heard::Answer(Message::binary(subscribe))
        } else if text.starts_with("PING\r\n") {
            Heard::Answer(Message::binary("PONG\r\n"))
        } else {
            Heard::Fault(format!("unexpected: {text}"))
        }
    }
}

impl Adapter for Mosquitto {
    fn name(&self) -> &'static str {
        "mosquitto"
    }

    fn version(&self) -> Result<String, String> {
        installed::version(&installed::program("mosquitto")?, &["-h"])
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        start(launch, "mosquitto", "mosquitto.conf", Wire::Mqtt)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Self
    }

    fn publish(&self, channel: &str) -> Bytes {
        // With quality of service 1 a packet id follows the topic.
        let rest = [&named(channel)[..], &[0, 1], event(channel).as_bytes()].concat();
        mqtt_packet(0x32, &rest)
    }

    fn otherwise(&self) -> &'static str {
        "checks passwords, certificates or what a plugin says; persistent sessions with quality of service 1 keep what a \
         client missed, and save it to disk now and then"
    }
}

impl Dialect for Mosquitto {
    fn path(&self, _channel: &str) -> String {
        "/mqtt".to_owned()
    }

    fn subprotocol(&self) -> Option<&'static str> {
        Some("mqtt")
    }

    fn opening(&self, _channel: &str) -> Opening {
        Opening::Say(Message::binary(Wire::Mqtt.greeting().unwrap_or_default()))
    }

    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame> {
        let Message::Binary(bytes) = frame else { return Heard::Fault("expected bytes".to_owned()) };
        match bytes[..] {
            [0x20, 2, _, 0] => {
                let rest = [&[0, 1], &named(channel)[..], &[0]].concat();
                Heard::Answer(Message::binary(mqtt_packet(0x82, &rest)))
            }
            [0x90, 3, 0, 1, 0] => Heard::Subscribed(String::new()),
            [0x30, _, ref rest @ ..] => {
                let event = rest.iter().position(|byte| *byte == b'{').map(|start| &rest[start..]);
                let event = event.and_then(|event| std::str::from_utf8(event).ok()).unwrap_or_default();
                event_id(event, "slo-event").map_or(Heard::Fault("no event".to_owned()), |id| event_of(id, channel))
            }
            _ => Heard::Fault(format!("unexpected: {bytes:?}")),
        }
    }
}

/// A string as MQTT writes it.
fn named(channel: &str) -> Vec<u8> {
    let length = u16::try_from(channel.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), channel.as_bytes()].concat()
}

/// Both take sockets on one port and publishers on another.
fn start(launch: Launch, program: &str, config: &str, wire: Wire) -> Result<Peer, Failure> {
    let (port, sockets) = (free_port()?, free_port()?);
    let blanks = [("PORT", &*port.to_string()), ("SOCKETS", &*sockets.to_string())];
    let (folder, path) = configured(config, &blanks)?;
    let words = [&*installed::program(program)?, "-c", &path];
    launch.run(folder, &words, local(sockets), Door { addr: local(port), wire })
}
