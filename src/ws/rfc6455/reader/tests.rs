use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const LIMITS: Limits = Limits { message_bytes: 70_000, fragments: 8 };
const FIN: u8 = 0x80;

/// A client's frame; `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        two @ 126..65_536 => {
            bytes.push(0xFE);
            bytes.extend(u16::try_from(two).unwrap().to_be_bytes());
        }
        eight => {
            bytes.push(0xFF);
            bytes.extend((eight as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

fn text(payload: &str) -> Vec<u8> {
    frame(FIN | 0x1, payload.as_bytes())
}

/// Everything that can be read, with the bytes coming in pieces of those sizes, over and over.
fn read_in(bytes: &[u8], sizes: &[usize]) -> Result<Vec<Message>, Fault> {
    let (mut reader, mut messages, mut rest) = (Reader::default(), Vec::new(), bytes);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*size).clamp(1, rest.len()));
        reader.feed(now);
        while let Some(message) = reader.next(LIMITS)? {
            messages.push(message);
        }
        rest = later;
    }
    assert!(reader.is_empty(), "something is left over");
    Ok(messages)
}

/// The fault, which is the same whether the bytes come at once or one by one.
fn fault(bytes: &[u8]) -> Fault {
    let at_once = read_in(bytes, &[bytes.len()]).unwrap_err();
    assert_eq!(read_in(bytes, &[1]).unwrap_err(), at_once);
    at_once
}

fn refused(bytes: &[u8], expected: Fault, code: u16) {
    let fault = fault(bytes);
    assert_eq!((fault, fault.close_code()), (expected, code));
}

#[test]
fn the_examples_of_the_specification_are_read() {
    // RFC 6455, section 5.7: a masked "Hello", and a masked pong.
    let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(read_in(&hello, &[11]), Ok(vec![Message::Text("Hello".into())]));
    let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(read_in(&pong, &[1]), Ok(vec![Message::Pong(b"Hello".to_vec())]));
}

#[test]
fn a_message_has_any_length_up_to_the_limit() {
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 70_000] {
        let payload = vec![b'x'; length];
        assert_eq!(read_in(&frame(FIN | 0x2, &payload), &[8192]), Ok(vec![Message::Binary(payload)]), "{length}");
    }
}

#[test]
fn control_frames_stand_between_fragments_and_the_message_is_whole() {
    let bytes = [
        frame(0x1, "κό".as_bytes()),
        frame(FIN | 0x9, b"there?"),
        frame(0x0, b""),
        frame(FIN | 0xA, b""),
        frame(FIN, "σμε".as_bytes()),
    ];
    let read = read_in(&bytes.concat(), &[3]).unwrap();
    assert_eq!(read, [Message::Ping(b"there?".to_vec()), Message::Pong(Vec::new()), Message::Text("κόσμε".into())]);
}

#[test]
fn a_character_may_be_cut_by_fragments() {
    let euro = "€".as_bytes();
    let bytes = [frame(0x1, &euro[..1]), frame(0x0, &euro[1..2]), frame(FIN, &euro[2..])].concat();
    assert_eq!(read_in(&bytes, &[1]), Ok(vec![Message::Text("€".into())]));
}

#[test]
fn a_reserved_bit_is_1002() {
    for bit in [0x40, 0x20, 0x10] {
        refused(&frame(FIN | bit | 0x1, b"x"), Fault::ReservedBits, 1002);
    }
}

#[test]
fn an_opcode_without_a_meaning_is_1002() {
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        refused(&frame(FIN | opcode, b""), Fault::UnknownOpcode, 1002);
    }
}

#[test]
fn a_frame_without_a_mask_is_1002() {
    refused(&[FIN | 0x1, 1, b'x'], Fault::Unmasked, 1002);
    refused(&[FIN | 0x8, 0], Fault::Unmasked, 1002);
}

#[test]
fn a_length_in_more_bytes_than_it_needs_is_1002() {
    for length in [0_u16, 125] {
        refused(&[&[FIN | 0x2, 0xFE][..], &length.to_be_bytes()].concat(), Fault::BadLength, 1002);
    }
    for length in [0_u64, 65_535, 1 << 63, u64::MAX] {
        refused(&[&[FIN | 0x2, 0xFF][..], &length.to_be_bytes()].concat(), Fault::BadLength, 1002);
    }
}

#[test]
fn a_control_frame_that_is_long_or_in_fragments_is_1002() {
    for opcode in [0x8, 0x9, 0xA] {
        refused(&frame(FIN | opcode, &[b'x'; 126]), Fault::LongControl, 1002);
        refused(&frame(opcode, b""), Fault::FragmentedControl, 1002);
    }
    assert_eq!(read_in(&frame(FIN | 0x9, &[7; 125]), &[64]), Ok(vec![Message::Ping(vec![7; 125])]));
}

#[test]
fn fragments_out_of_order_are_1002() {
    refused(&frame(FIN, b"x"), Fault::NothingToContinue, 1002);
    refused(&[text("whole"), frame(0x0, b"x")].concat(), Fault::NothingToContinue, 1002);
    refused(&[frame(0x1, b"a"), text("b")].concat(), Fault::Interleaved, 1002);
    refused(&[frame(0x2, b"a"), frame(0x2, b"b")].concat(), Fault::Interleaved, 1002);
}

#[test]
fn text_that_is_no_utf_8_is_1007_as_soon_as_that_is_known() {
    for bad in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok \xe2\x82"] {
        refused(&frame(FIN | 0x1, bad), Fault::NotUtf8, 1007);
    }
    refused(&[frame(0x1, b"\xe2\x82"), frame(FIN, b"x")].concat(), Fault::NotUtf8, 1007);
    // The rest of the frame is not waited for.
    let mut begun = frame(0x1, &[b"ok \xff".as_slice(), &[b'x'; 50]].concat());
    begun.truncate(6 + 4);
    let mut reader = Reader::default();
    reader.feed(&begun);
    assert_eq!(reader.next(LIMITS), Err(Fault::NotUtf8));
    assert_eq!(read_in(&frame(FIN | 0x2, b"\xff"), &[1]), Ok(vec![Message::Binary(vec![0xff])]), "bytes may be any");
}

#[test]
fn a_message_over_the_limit_is_1009_before_it_came() {
    let mut reader = Reader::default();
    reader.feed(&frame(FIN | 0x2, &vec![0; 70_001])[..14]);
    assert_eq!(reader.next(LIMITS), Err(Fault::TooLarge));
    assert_eq!(Fault::TooLarge.close_code(), 1009);
    refused(&[frame(0x2, &vec![0; 40_000]), frame(FIN, &vec![0; 30_001])].concat(), Fault::TooLarge, 1009);
    refused(&[&[FIN | 0x2, 0xFF][..], &i64::MAX.to_be_bytes(), &MASK].concat(), Fault::TooLarge, 1009);
}

#[test]
fn a_message_in_too_many_fragments_is_1008() {
    let fragments = |count: usize| [frame(0x2, b"")].into_iter().chain(vec![frame(0x0, b""); count - 1]);
    let whole: Vec<u8> = fragments(7).chain([frame(FIN, b"")]).flatten().collect();
    assert_eq!(read_in(&whole, &[1]), Ok(vec![Message::Binary(Vec::new())]));
    refused(&fragments(9).flatten().collect::<Vec<_>>(), Fault::TooManyFragments, 1008);
}

#[test]
fn a_close_says_why_or_nothing() {
    let close = |payload: &[u8]| read_in(&frame(FIN | 0x8, payload), &[1]);
    assert_eq!(close(b""), Ok(vec![Message::Close(None)]));
    for code in [1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4510, 4999] {
        let payload = [&code.to_be_bytes()[..], "tschüß".as_bytes()].concat();
        assert_eq!(close(&payload), Ok(vec![Message::Close(Some(Close { code, reason: "tschüß".into() }))]));
    }
}

#[test]
fn a_close_with_half_a_code_or_one_that_may_not_be_sent_is_1002() {
    refused(&frame(FIN | 0x8, &[3]), Fault::BadClose, 1002);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, u16::MAX] {
        refused(&frame(FIN | 0x8, &code.to_be_bytes()), Fault::BadClose, 1002);
    }
    refused(&frame(FIN | 0x8, b"\x03\xe8\xff"), Fault::NotUtf8, 1007);
}

#[test]
fn what_is_held_grows_by_what_came_and_is_gone_after_it() {
    let mut reader = Reader::default();
    reader.feed(&frame(FIN | 0x2, &vec![0; 60_000])[..100]);
    assert_eq!(reader.next(LIMITS), Ok(None));
    assert!(reader.message.as_ref().is_some_and(|message| message.bytes.capacity() < 1_000));
    assert!(!reader.is_empty());
    reader.feed(&vec![0; 60_008 - 100]);
    assert!(matches!(reader.next(LIMITS), Ok(Some(Message::Binary(_)))));
    assert!(reader.is_empty());
}

#[derive(Clone, Debug)]
enum Said {
    Text(Vec<String>),
    Binary(Vec<Vec<u8>>),
    Ping(Vec<u8>),
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        vec("\\PC{0,40}", 1..5).prop_map(Said::Text),
        vec(vec(any::<u8>(), 0..300), 1..5).prop_map(Said::Binary),
        vec(any::<u8>(), 0..126).prop_map(Said::Ping),
    ]
}

/// Its frames, with a pong after each fragment.
fn frames(said: &Said) -> Vec<u8> {
    let parts = |opcode: u8, parts: Vec<&[u8]>| -> Vec<u8> {
        let last = parts.len() - 1;
        let one = |(at, part): (usize, &&[u8])| {
            let (first, fin) = (if at == 0 { opcode } else { 0 }, if at == last { FIN } else { 0 });
            [frame(first | fin, part), frame(FIN | 0xA, b"")].concat()
        };
        parts.iter().enumerate().flat_map(one).collect()
    };
    match said {
        Said::Text(texts) => parts(0x1, texts.iter().map(String::as_bytes).collect()),
        Said::Binary(pieces) => parts(0x2, pieces.iter().map(Vec::as_slice).collect()),
        Said::Ping(payload) => frame(FIN | 0x9, payload),
    }
}

proptest! {
    #[test]
    fn any_cut_of_any_stream_reads_the_same_messages(all in vec(said(), 1..6), sizes in vec(1_usize..200, 1..20)) {
        let bytes: Vec<u8> = all.iter().flat_map(frames).collect();
        let expected: Vec<Message> = all.iter().map(|said| match said {
            Said::Text(texts) => Message::Text(texts.concat()),
            Said::Binary(pieces) => Message::Binary(pieces.concat()),
            Said::Ping(payload) => Message::Ping(payload.clone()),
        }).collect();
        for sizes in [&sizes[..], &[1], &[bytes.len()]] {
            let mut read = read_in(&bytes, sizes).unwrap();
            read.retain(|message| !matches!(message, Message::Pong(_)));
            prop_assert_eq!(&read, &expected);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_the_same_however_they_are_cut(
        bytes in vec(any::<u8>(), 0..400), size in 1_usize..50,
    ) {
        let read = |size: usize| {
            let (mut reader, mut all) = (Reader::default(), Vec::new());
            for piece in bytes.chunks(size) {
                reader.feed(piece);
                loop {
                    match reader.next(LIMITS) {
                        Ok(Some(message)) => all.push(message),
                        Ok(None) => break,
                        Err(fault) => return (all, Some(fault)),
                    }
                }
            }
            (all, None)
        };
        prop_assert_eq!(read(size), read(400));
    }
}
