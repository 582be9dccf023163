//! A frame's first bytes (RFC 6455, section 5.2).

use super::message::Fault;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// More of the message before.
    Continuation = 0x0,
    /// Text, or its first fragment.
    Text = 0x1,
    /// Bytes, or their first fragment.
    Binary = 0x2,
    /// The last frame of this direction.
    Close = 0x8,
    /// A question.
    Ping = 0x9,
    /// Its answer.
    Pong = 0xA,
}

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
/// In the length's place: two bytes of length follow.
const IN_TWO: u8 = 126;
/// In the length's place: eight bytes of length follow.
const IN_EIGHT: u8 = 127;
/// The most that a control frame carries, in bytes.
pub(super) const CONTROL_MAX_BYTES: usize = 125;

impl Opcode {
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }
}

/// What a client's frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) is_final: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: [u8; 4],
    pub(super) length: u64,
}

impl Head {
    /// Reads a client's head, and how many bytes it has; `None` where more must come first.
    /// What is wrong already is said already.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, Fault> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(Fault::ReservedBits);
        }
        let (is_final, opcode) = (first & FINAL != 0, Opcode::of(first & OPCODE).ok_or(Fault::UnknownOpcode)?);
        if opcode.is_control() && !is_final {
            return Err(Fault::FragmentedControl);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        if second & MASKED == 0 {
            return Err(Fault::Unmasked);
        }
        let short = second & LENGTH;
        if opcode.is_control() && usize::from(short) > CONTROL_MAX_BYTES {
            return Err(Fault::LongControl);
        }
        let Some((length, rest)) = read_length(short, rest)? else { return Ok(None) };
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some((Self { is_final, opcode, mask: *mask, length }, bytes.len() - rest.len())))
    }
}

/// A length of at most 2^63 - 1, in the shortest of the three forms.
fn read_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Fault> {
    let (length, rest, is_shortest) = match short {
        IN_TWO => {
            let Some((two, rest)) = rest.split_first_chunk() else { return Ok(None) };
            let length = u64::from(u16::from_be_bytes(*two));
            (length, rest, length >= u64::from(IN_TWO))
        }
        IN_EIGHT => {
            let Some((eight, rest)) = rest.split_first_chunk() else { return Ok(None) };
            let length = u64::from_be_bytes(*eight);
            (length, rest, length > u64::from(u16::MAX) && length >> 63 == 0)
        }
        length => (u64::from(length), rest, true),
    };
    if is_shortest { Ok(Some((length, rest))) } else { Err(Fault::BadLength) }
}

/// The head of a server's frame, which is whole and has no mask.
pub(super) struct OwnHead {
    bytes: [u8; 10],
    length: usize,
}

impl OwnHead {
    pub(super) fn new(opcode: Opcode, payload: usize) -> Self {
        let mut bytes = [0; 10];
        bytes[0] = FINAL | opcode as u8;
        let length = match (u8::try_from(payload), u16::try_from(payload)) {
            (Ok(short), _) if short < IN_TWO => {
                bytes[1] = short;
                2
            }
            (_, Ok(two)) => {
                bytes[1] = IN_TWO;
                bytes[2..4].copy_from_slice(&two.to_be_bytes());
                4
            }
            _ => {
                bytes[1] = IN_EIGHT;
                bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
