//! Walks the members of one flat JSON object, strictly, without allocation.

/// A member's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// The text of a number.
    Number(&'a [u8]),
    /// What stands between the quotes, escapes not resolved.
    String(&'a [u8]),
    /// An object or array inside, passed over by counting brackets.
    Nested,
}

impl Value<'_> {
    /// The number, where it is one and finite.
    pub(super) fn number(self) -> Option<f64> {
        let Value::Number(text) = self else { return None };
        let number = match plain_number(text) {
            Some(number) => number,
            None => core::str::from_utf8(text).ok()?.parse().ok()?,
        };
        number.is_finite().then_some(number)
    }
}

/// A number of at most 15 digits without exponent, the usual kind. Digits and power of ten are exact as doubles, so their
/// one division is rounded correctly, as the general way would (Clinger's fast path).
fn plain_number(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 16 {
        return None;
    }
    let (mut mantissa, mut count, mut point) = (0_u64, 0, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count > 15 {
        return None;
    }
    let value = mantissa as f64 / POWERS[count - point.unwrap_or(count)];
    Some(if negative { -value } else { value })
}

/// Members of an object in order. Iterate until `None`, then ask [`Members::complete`].
pub(super) struct Members<'a> {
    rest: &'a [u8],
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    First,
    Later,
    Complete,
    Broken,
}

impl<'a> Members<'a> {
    /// Starts at a line that should be one object and nothing else.
    pub(super) fn new(line: &'a [u8]) -> Self {
        match line.trim_ascii().strip_prefix(b"{") {
            Some(rest) => Self { rest, state: State::First },
            None => Self { rest: b"", state: State::Broken },
        }
    }

    /// Whether the line was one whole object.
    pub(super) fn complete(&self) -> bool {
        self.state == State::Complete
    }

    /// White space is allowed between tokens, and hardly ever there.
    fn skip_spaces(&mut self) {
        if self.rest.first().is_some_and(u8::is_ascii_whitespace) {
            self.rest = self.rest.trim_ascii_start();
        }
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        self.skip_spaces();
        let (&first, rest) = self.rest.split_first()?;
        (first == wanted).then(|| self.rest = rest)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        self.byte(b'"')?;
        let mut end = 0;
        loop {
            match self.rest.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                0..0x20 => return None,
                _ => end += 1,
            }
        }
        let text = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..)?;
        Some(text)
    }

    fn word(&mut self, word: &[u8], value: Value<'a>) -> Option<Value<'a>> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(value)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        self.skip_spaces();
        match self.rest.first()? {
            b'"' => self.string().map(Value::String),
            b'n' => self.word(b"null", Value::Null),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'-' | b'0'..=b'9' => {
                let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let end = self.rest.iter().position(|byte| !in_number(byte)).unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                Some(Value::Number(text))
            }
            b'{' | b'[' => self.nested(),
            _ => None,
        }
    }

    fn nested(&mut self) -> Option<Value<'a>> {
        let mut depth = 0_u32;
        loop {
            match self.rest.first()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.rest = self.rest.get(1..)?;
            if depth == 0 {
                return Some(Value::Nested);
            }
        }
    }

    fn member(&mut self) -> Option<(&'a [u8], Value<'a>)> {
        let key = self.string()?;
        self.byte(b':')?;
        Some((key, self.value()?))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.state, State::Complete | State::Broken) {
            return None;
        }
        if self.byte(b'}').is_some() {
            self.state = if self.rest.is_empty() { State::Complete } else { State::Broken };
            return None;
        }
        if self.state == State::Later && self.byte(b',').is_none() {
            self.state = State::Broken;
            return None;
        }
        let member = self.member();
        self.state = if member.is_some() { State::Later } else { State::Broken };
        member
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(line: &[u8]) -> Option<usize> {
        let mut members = Members::new(line);
        let count = members.by_ref().count();
        members.complete().then_some(count)
    }

    proptest! {
        /// The short way and the library's way agree to the last bit.
        #[test]
        fn the_fast_path_rounds_correctly(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, places in 0..15_usize) {
            let text = std::format!("{}{:0width$}", if mantissa < 0 { "-" } else { "" }, mantissa.unsigned_abs(), width = places + 1);
            let text = std::format!("{}.{}", &text[..text.len() - places], &text[text.len() - places..]);
            let fast = plain_number(text.as_bytes());
            prop_assert!(fast.is_none_or(|fast| fast.to_bits() == text.parse::<f64>().unwrap_or(f64::NAN).to_bits()), "{}", text);
        }
    }

    #[test]
    fn whole_objects_only() {
        assert_eq!(count(b"{}"), Some(0));
        assert_eq!(count(b" {\"a\" : 1 , \"b\":\"x\\\"}\"} "), Some(2));
        assert_eq!(count(b"{\"a\":[1,{\"b\":\"]\"}],\"c\":null,\"d\":true,\"e\":false}"), Some(4));
        for broken in [
            &b""[..],
            b"{",
            b"}",
            b"[]",
            b"{\"a\"}",
            b"{\"a\":}",
            b"{\"a\":1,}",
            b"{,}",
            b"{\"a\":1 \"b\":2}",
            b"{\"a\":1}x",
            b"{a:1}",
            b"{\"a\":nul}",
            b"{\"a\":[1}",
            b"{\"a\":\"",
            b"{\"a\":\"\\",
            b"{\"a\":+1}",
            b"{\"a\":1}{\"b\":2}",
        ] {
            assert_eq!(count(broken), None, "{:?}", std::string::String::from_utf8_lossy(broken));
        }
    }

    #[test]
    fn numbers_are_finite_numbers() {
        let number = |text| Value::Number(text).number();
        assert_eq!(number(b"-7.002530398e-15"), Some(-7.002530398e-15));
        assert_eq!(number(b"-0.001533981"), Some(-0.001533981));
        assert_eq!(number(b"123456789012345.6"), Some(123456789012345.6));
        for broken in [&b"."[..], b"-.", b"1.2.3", b"-e", b""] {
            assert_eq!(number(broken), None);
        }
        assert_eq!(number(b"1e400"), None);
        assert_eq!(number(b"1-2"), None);
        assert_eq!(number(b"-"), None);
        assert_eq!(Value::Null.number(), None);
    }
}
