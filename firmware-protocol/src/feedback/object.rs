//! Walks the members of one flat JSON object, strictly, without allocation.

/// A member's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// A number, NaN where what stands in its place is none or has no finite value.
    Number(f64),
    /// What stands between the quotes, escapes not resolved.
    String(&'a [u8]),
    /// An object or array inside, passed over by counting brackets.
    Nested,
}

impl Value<'_> {
    /// The number, where it is one and finite.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Value::Number(number) if number.is_finite() => Some(number),
            _ => None,
        }
    }
}

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Reads the number that `bytes` starts with and says how many bytes it takes.
///
/// Most have at most 15 digits and no exponent. Then digits and power of ten are exact as doubles, so their one division is
/// rounded correctly, as the general way would (Clinger's fast path).
fn leading_number(bytes: &[u8]) -> (f64, usize) {
    let negative = bytes.first() == Some(&b'-');
    let (mut mantissa, mut end, mut point) = (0_u64, usize::from(negative), None);
    let start = end;
    let next = loop {
        let byte = bytes.get(end).copied().unwrap_or(b' ');
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if byte == b'.' && point.is_none() {
            point = Some(end);
        } else {
            break byte;
        }
        end += 1;
    };
    let digits = end - start - usize::from(point.is_some());
    if matches!(next, b'.' | b'e' | b'E' | b'+' | b'-') || !(1..=15).contains(&digits) {
        return general_number(bytes);
    }
    let places = point.map_or(0, |point| end - point - 1);
    let value = mantissa as f64 / POWERS_OF_TEN[places];
    (if negative { -value } else { value }, end)
}

/// The library's way, for exponents and long numbers.
#[cold]
fn general_number(bytes: &[u8]) -> (f64, usize) {
    let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let end = bytes.iter().position(|byte| !in_number(byte)).unwrap_or(bytes.len());
    let text = bytes.get(..end).and_then(|text| core::str::from_utf8(text).ok());
    (text.and_then(|text| text.parse().ok()).unwrap_or(f64::NAN), end)
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
                let (number, length) = leading_number(self.rest);
                self.rest = self.rest.get(length..)?;
                Some(Value::Number(number))
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
            let (fast, length) = leading_number(text.as_bytes());
            prop_assert_eq!(fast.to_bits(), text.parse::<f64>().unwrap_or(f64::NAN).to_bits(), "{}", text);
            prop_assert_eq!(length, text.len());
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
        let number = |text| Value::Number(leading_number(text).0).number();
        assert_eq!(number(b"-7.002530398e-15"), Some(-7.002530398e-15));
        assert_eq!(number(b"-0.001533981"), Some(-0.001533981));
        assert_eq!(number(b"123456789012345.6"), Some(123456789012345.6));
        assert_eq!(number(b"99999999999999999999999"), Some(1e23));
        for broken in [&b"."[..], b"-.", b"1.2.3", b"-e", b""] {
            assert_eq!(number(broken), None);
        }
        assert_eq!(number(b"1e400"), None);
        assert_eq!(number(b"1-2"), None);
        assert_eq!(number(b"-"), None);
        assert_eq!(Value::Null.number(), None);
    }
}
