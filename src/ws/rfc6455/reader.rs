//! Messages out of bytes, however these are cut. No input or output.

use super::head::{Head, Opcode};
use super::message::{Close, Fault, Message};

/// How much is taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message, all its fragments together.
    pub message_bytes: u32,
    /// Fragments of one message.
    pub fragments: u32,
}

/// Reads a client's frames. What it holds grows by what came, never by what was announced.
#[derive(Debug, Default)]
pub struct Reader {
    /// What came and was not looked at yet, from `at` on.
    unread: Vec<u8>,
    at: usize,
    frame: Option<Frame>,
    message: Option<Fragments>,
    /// What came of a control frame. These may stand between fragments.
    control: Vec<u8>,
}

/// A frame whose head was read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    head: Head,
    /// How much of its payload was taken.
    taken: u64,
}

/// A message that is not whole yet.
#[derive(Debug)]
struct Fragments {
    is_text: bool,
    bytes: Vec<u8>,
    /// So many are known to be UTF-8.
    checked: usize,
    count: u32,
}

impl Reader {
    /// More bytes came.
    pub fn feed(&mut self, bytes: &[u8]) {
        // What was looked at goes. What stays is less than a head.
        self.unread.drain(..self.at);
        self.at = 0;
        self.unread.extend_from_slice(bytes);
    }

    /// Whether nothing is held: a new reader would read on just as well.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at == self.unread.len() && self.frame.is_none() && self.message.is_none()
    }

    /// The next message; `None` where more bytes must come first.
    ///
    /// # Errors
    /// The first rule that is broken. There is no reading on after that.
    pub fn next(&mut self, limits: Limits) -> Result<Option<Message>, Fault> {
        loop {
            let Some(mut frame) = self.frame.take() else {
                match self.begin(limits)? {
                    Some(frame) => self.frame = Some(frame),
                    None => return Ok(None),
                }
                continue;
            };
            let is_whole = self.take_payload(&mut frame);
            self.check_text(&frame, is_whole)?;
            if !is_whole {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(message) = self.end(&frame)? {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the head of the next frame, and sees whether it may come now.
    fn begin(&mut self, limits: Limits) -> Result<Option<Frame>, Fault> {
        let Some((head, size)) = Head::read(&self.unread[self.at..])? else { return Ok(None) };
        self.at += size;
        if !head.opcode.is_control() {
            self.expect(&head, limits)?;
        }
        Ok(Some(Frame { head, taken: 0 }))
    }

    fn expect(&mut self, head: &Head, limits: Limits) -> Result<(), Fault> {
        match (head.opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(Fault::NothingToContinue),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Fault::Interleaved),
            _ => {}
        }
        let is_text = head.opcode == Opcode::Text;
        let new = || Fragments { is_text, bytes: Vec::new(), checked: 0, count: 0 };
        let message = self.message.get_or_insert_with(new);
        message.count += 1;
        if message.count > limits.fragments {
            return Err(Fault::TooManyFragments);
        }
        if head.length.saturating_add(message.bytes.len() as u64) > u64::from(limits.message_bytes) {
            return Err(Fault::TooLarge);
        }
        Ok(())
    }

    /// Takes what came of the payload; true where that is the rest of it.
    fn take_payload(&mut self, frame: &mut Frame) -> bool {
        let missing = usize::try_from(frame.head.length - frame.taken).unwrap_or(usize::MAX);
        let came = &self.unread[self.at..];
        let part = &came[..came.len().min(missing)];
        let into = match &mut self.message {
            Some(message) if !frame.head.opcode.is_control() => &mut message.bytes,
            _ => &mut self.control,
        };
        let before = into.len();
        into.extend_from_slice(part);
        unmask(&mut into[before..], frame.head.mask, frame.taken);
        self.at += part.len();
        frame.taken += part.len() as u64;
        frame.taken == frame.head.length
    }

    /// Text that cannot become UTF-8 any more is refused as soon as that is known.
    fn check_text(&mut self, frame: &Frame, is_whole: bool) -> Result<(), Fault> {
        match &mut self.message {
            Some(message) if message.is_text && !frame.head.opcode.is_control() => {
                message.check(is_whole && frame.head.is_final)
            }
            _ => Ok(()),
        }
    }

    /// What a frame that is whole amounts to; `None` where its message goes on.
    fn end(&mut self, frame: &Frame) -> Result<Option<Message>, Fault> {
        let control = match frame.head.opcode {
            Opcode::Ping => Message::Ping(std::mem::take(&mut self.control)),
            Opcode::Pong => Message::Pong(std::mem::take(&mut self.control)),
            Opcode::Close => Message::Close(Close::read(&std::mem::take(&mut self.control))?),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                let whole = if frame.head.is_final { self.message.take() } else { None };
                return whole.map(Fragments::into_message).transpose();
            }
        };
        Ok(Some(control))
    }
}

impl Fragments {
    fn check(&mut self, is_last: bool) -> Result<(), Fault> {
        match str::from_utf8(&self.bytes[self.checked..]) {
            Ok(_) => self.checked = self.bytes.len(),
            Err(cut) if cut.error_len().is_none() && !is_last => self.checked += cut.valid_up_to(),
            Err(_) => return Err(Fault::NotUtf8),
        }
        Ok(())
    }

    fn into_message(self) -> Result<Message, Fault> {
        if !self.is_text {
            return Ok(Message::Binary(self.bytes));
        }
        String::from_utf8(self.bytes).map(Message::Text).map_err(|_| Fault::NotUtf8)
    }
}

/// `at` is where in its frame's payload `part` begins.
fn unmask(part: &mut [u8], mask: [u8; 4], at: u64) {
    let mut key = mask;
    key.rotate_left((at % 4) as usize);
    for four in part.chunks_mut(4) {
        for (byte, key) in four.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests;
