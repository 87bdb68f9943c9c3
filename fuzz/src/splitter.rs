//! The line splitter against its description, written a second time over whole slices.
//!
//! Input: byte 0 says how long the parts are that the stream arrives in; the rest is the stream.

use firmware_protocol::LineSplitter;

/// Checks the splitter with lines of at most 1, 16 and 512 bytes.
pub fn check(input: &[u8]) {
    let Some((&part, stream)) = input.split_first() else { return };
    let part = usize::from(part) + 1;
    check_limit::<1>(stream, part);
    check_limit::<16>(stream, part);
    check_limit::<512>(stream, part);
}

fn check_limit<const N: usize>(stream: &[u8], part: usize) {
    let (lines, dropped) = expected(stream, N);
    for part in [part, 1, stream.len().max(1)] {
        let mut splitter = LineSplitter::<N>::new();
        let mut seen = Vec::new();
        for bytes in stream.chunks(part) {
            splitter.push(bytes, |line| seen.push(line.to_vec()));
            assert!(splitter.pending() <= N);
        }
        assert_eq!(seen, lines, "lines of parts of {part} bytes, limit {N}");
        assert_eq!(splitter.dropped_lines(), dropped, "dropped lines of parts of {part} bytes, limit {N}");
        // Nothing of what came before is left after `clear`.
        splitter.clear();
        assert_eq!(splitter.pending(), 0);
        let mut fresh = Vec::new();
        splitter.push(b"x\n", |line| fresh.push(line.to_vec()));
        assert_eq!(fresh, [b"x"]);
    }
}

/// The lines of a stream and how many were too long, as the splitter's documentation says it.
fn expected(stream: &[u8], limit: usize) -> (Vec<&[u8]>, u64) {
    let (mut lines, mut dropped) = (Vec::new(), 0);
    let mut segments: Vec<&[u8]> = stream.split(|&byte| byte == b'\n').collect();
    let unfinished = segments.pop().unwrap_or_default();
    let ended = segments.into_iter().map(|segment| (segment, true));
    for (mut rest, ended) in ended.chain([(unfinished, false)]) {
        loop {
            let glue = rest.windows(2).position(|pair| pair == b"}{").map(|place| place + 1);
            let piece = &rest[..glue.unwrap_or(rest.len())];
            if piece.len() > limit {
                dropped += 1; // and with it everything up to the LF
                break;
            }
            if glue.is_some() || ended {
                let end = piece.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
                if end > 0 {
                    lines.push(&piece[..end]);
                }
            }
            match glue {
                Some(glue) => rest = &rest[glue..],
                None => break,
            }
        }
    }
    (lines, dropped)
}
