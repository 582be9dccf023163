//! The server's side of a WebSocket connection (RFC 6455), made for sockets that are
//! silent nearly always: an idle one holds no buffer at all. What it reads goes through
//! a block on the stack, and only what is not whole yet is kept; what it writes goes to
//! the system from where it lies.
//!
//! Strict: whatever the specification forbids a client is a [`Fault`], with the close
//! code that the specification has for it. There are no extensions.
//!
//! Nothing in here knows of the hub's own protocol.

mod head;
mod message;
mod reader;
mod socket;

pub use head::Opcode;
pub use message::{Close, Fault, Message};
pub use reader::{Limits, Reader};
pub use socket::{Ended, Socket};
