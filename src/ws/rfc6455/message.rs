//! What comes off the wire.

use thiserror::Error;

/// A whole message, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, put together from all its fragments.
    Text(String),
    /// Bytes, put together from all their fragments.
    Binary(Vec<u8>),
    /// The peer asks whether anybody is there.
    Ping(Vec<u8>),
    /// The peer is there.
    Pong(Vec<u8>),
    /// The peer says no more; with why, where it says.
    Close(Option<Close>),
}

/// Why a peer closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// One that may stand on the wire.
    pub code: u16,
    /// For people; often empty.
    pub reason: String,
}

/// How a peer broke the rules. Nothing that follows can be trusted to be a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A reserved bit is set, and no extension was agreed on.
    #[error("a reserved bit is set")]
    ReservedBits,
    /// An opcode that means nothing.
    #[error("the opcode is not known")]
    UnknownOpcode,
    /// A client's frame without a mask.
    #[error("a client's frame is not masked")]
    Unmasked,
    /// A length in more bytes than it needs, or of 2^63 and over.
    #[error("the length is not in its shortest form")]
    BadLength,
    /// A control frame in fragments.
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A control frame of over 125 bytes.
    #[error("a control frame is over 125 bytes")]
    LongControl,
    /// A continuation of nothing.
    #[error("there is nothing to continue")]
    NothingToContinue,
    /// A new message before the last fragment of the one before.
    #[error("a message began inside another")]
    Interleaved,
    /// A close frame with half a code, or with one that may not stand on the wire.
    #[error("the close frame has no valid code")]
    BadClose,
    /// Text that is no UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A message of more bytes than are taken.
    #[error("the message is too large")]
    TooLarge,
    /// A message in more fragments than are taken.
    #[error("the message has too many fragments")]
    TooManyFragments,
}

impl Fault {
    /// What RFC 6455, section 7.4.1, has for it.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::ReservedBits
            | Self::UnknownOpcode
            | Self::Unmasked
            | Self::BadLength
            | Self::FragmentedControl
            | Self::LongControl
            | Self::NothingToContinue
            | Self::Interleaved
            | Self::BadClose => 1002,
            Self::NotUtf8 => 1007,
            Self::TooManyFragments => 1008,
            Self::TooLarge => 1009,
        }
    }
}

impl Close {
    /// Reads what a close frame carries.
    pub(super) fn read(payload: &[u8]) -> Result<Option<Self>, Fault> {
        match payload {
            [] => Ok(None),
            [_] => Err(Fault::BadClose),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !may_be_sent(code) {
                    return Err(Fault::BadClose);
                }
                let reason = str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
                Ok(Some(Self { code, reason: reason.to_owned() }))
            }
        }
    }
}

/// The codes of the specification and its registry, those for libraries, and private ones.
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
