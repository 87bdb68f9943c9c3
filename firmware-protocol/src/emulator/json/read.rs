//! One received line to a document, with the acceptance rules of ArduinoJson 6.21.3 and 7.2.0.

use std::vec;
use std::vec::Vec;

use super::JsonLibrary;
use super::number::{Number, number};
use super::pool::Pool;
use super::print::{number_text, quoted};

/// A value as the library stores it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(Vec<u8>),
    /// An array or object inside, as the library would print it.
    Nested(Vec<u8>),
}

/// A parsed line. Anything but an object has no members, so that every field of it is 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::emulator) struct Document {
    members: Vec<(Vec<u8>, Value)>,
    library: JsonLibrary,
}

impl Document {
    /// Whether a key is there with a value other than null.
    pub(in crate::emulator) fn number(&self, key: &str) -> f64 {
        match self.value(key) {
            Some(Number::Unsigned(value)) => value as f64,
            Some(Number::Negative(value)) => value as f64,
            Some(Number::Real(value)) => value,
            None => 0.0,
        }
    }

    /// The field as a C integer between `min` and `max`: fractions are cut off, anything outside is 0.
    pub(in crate::emulator) fn integer(&self, key: &str, min: i64, max: i64) -> i64 {
        let kept = |value: Option<i64>| value.filter(|value| (min..=max).contains(value)).unwrap_or(0);
        match self.value(key) {
            Some(Number::Unsigned(value)) => kept(i64::try_from(value).ok()),
            Some(Number::Negative(value)) => kept(Some(value)),
            Some(Number::Real(value)) if value >= min as f64 && value <= max as f64 => value as i64,
            _ => 0,
        }
    }

    /// The field as `int`.
    pub(in crate::emulator) fn int(&self, key: &str) -> i32 {
        self.integer(key, i32::MIN.into(), i32::MAX.into()) as i32
    }

    /// The field as `u8`.
    pub(in crate::emulator) fn byte(&self, key: &str) -> u8 {
        self.integer(key, 0, u8::MAX.into()) as u8
    }

    /// The field as `u16`.
    pub(in crate::emulator) fn word(&self, key: &str) -> u16 {
        self.integer(key, 0, u16::MAX.into()) as u16
    }

    /// The code `T`.
    pub(in crate::emulator) fn code(&self) -> i32 {
        self.int("T")
    }

    /// The field as `bool`: any text, array or object counts as true, `"0"` too.
    pub(in crate::emulator) fn boolean(&self, key: &str) -> bool {
        match self.member(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(Value::Number(Number::Unsigned(value))) => *value != 0,
            Some(Value::Number(Number::Negative(value))) => *value != 0,
            Some(Value::Number(Number::Real(value))) => *value != 0.0,
            Some(Value::Text(_) | Value::Nested(_)) => true,
        }
    }

    /// The field as an Arduino `String`: anything but text is printed as JSON, a missing field as `null`.
    pub(in crate::emulator) fn string(&self, key: &str) -> Vec<u8> {
        match self.member(key) {
            Some(Value::Text(text)) => text.clone(),
            Some(other) => other.json(self.library),
            None => b"null".to_vec(),
        }
    }

    /// The field as a C string: text or nothing.
    pub(in crate::emulator) fn c_string(&self, key: &str) -> Option<Vec<u8>> {
        match self.member(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn member(&self, key: &str) -> Option<&Value> {
        Some(&self.members.iter().find(|(name, _)| name == key.as_bytes())?.1)
    }

    fn value(&self, key: &str) -> Option<Number> {
        match self.member(key)? {
            Value::Number(value) => Some(*value),
            Value::Bool(value) => Some(Number::Unsigned(u64::from(*value))),
            Value::Text(text) => number(text, self.library),
            Value::Null | Value::Nested(_) => None,
        }
    }
}

/// Reads a line. `None`: the library reports an error and the firmware drops the line without a word.
pub(in crate::emulator) fn read(line: &[u8], library: JsonLibrary) -> Option<Document> {
    let mut reader = Reader { bytes: line, at: 0, library, pool: Pool::default() };
    let mut document = Document { members: Vec::new(), library };
    let top = reader.value(Some(&mut document.members), 10)?;
    // A number may go on behind what was read, so the library refuses it unless the input ends; a line never does.
    (!matches!(top, Value::Number(_)) || reader.at >= line.len()).then_some(document)
}

/// Reads what can be read: the members up to an error. So does the web server of G1, which does not look for errors.
pub(in crate::emulator) fn read_unchecked(text: &[u8], library: JsonLibrary) -> Document {
    let mut reader = Reader { bytes: text, at: 0, library, pool: Pool::default() };
    let mut document = Document { members: Vec::new(), library };
    reader.value(Some(&mut document.members), 10);
    document
}

impl Value {
    /// As the library prints it.
    fn json(&self, library: JsonLibrary) -> Vec<u8> {
        match self {
            Value::Null => b"null".to_vec(),
            Value::Bool(value) => if *value { "true" } else { "false" }.into(),
            Value::Number(Number::Unsigned(value)) => std::format!("{value}").into_bytes(),
            Value::Number(Number::Negative(value)) => std::format!("{value}").into_bytes(),
            Value::Number(Number::Real(value)) => number_text(*value, library).into_bytes(),
            Value::Text(text) => quoted(text),
            Value::Nested(text) => text.clone(),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    library: JsonLibrary,
    pool: Pool,
}

impl Reader<'_> {
    /// The byte in turn; 0 at the end, as a C string ends.
    fn current(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn next(&mut self) -> u8 {
        let byte = self.current();
        self.at += 1;
        byte
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.current() == byte;
        self.at += usize::from(there);
        there
    }

    fn skip_spaces(&mut self) -> Option<()> {
        while matches!(self.current(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        (self.current() != 0).then_some(())
    }

    fn limited(&self) -> bool {
        self.library == JsonLibrary::A6
    }

    fn slot(&mut self) -> Option<()> {
        if self.limited() { self.pool.take_slot() } else { Some(()) }
    }

    /// Reads a value. `members` receives those of an object at the top; `depth` is how much deeper it may nest.
    fn value(&mut self, members: Option<&mut Vec<(Vec<u8>, Value)>>, depth: u8) -> Option<Value> {
        self.skip_spaces()?;
        match self.current() {
            b'[' => self.array(depth.checked_sub(1)?),
            b'{' => {
                let depth = depth.checked_sub(1)?;
                if let Some(members) = members {
                    self.object(members, depth)?;
                    return Some(Value::Nested(Vec::new()));
                }
                let mut inner = Vec::new();
                self.object(&mut inner, depth)?;
                Some(Value::Nested(self.printed(b"{}", inner.iter().map(|(key, value)| (Some(key), value)))))
            }
            b'"' | b'\'' => {
                let text = self.quoted()?;
                self.keep(&text);
                Some(Value::Text(text))
            }
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'n' => self.word(b"null", Value::Null),
            _ => {
                let start = self.at;
                while matches!(self.current(), b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
                    && self.at - start < 63
                {
                    self.at += 1;
                }
                number(&self.bytes[start..self.at], self.library).map(Value::Number)
            }
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        word.iter().all(|&byte| self.eat(byte)).then_some(value)
    }

    fn array(&mut self, depth: u8) -> Option<Value> {
        self.at += 1;
        self.skip_spaces()?;
        let mut values = Vec::new();
        while !self.eat(b']') {
            if !values.is_empty() && !self.eat(b',') {
                return None;
            }
            self.slot()?;
            values.push(self.value(None, depth)?);
            self.skip_spaces()?;
        }
        Some(Value::Nested(self.printed(b"[]", values.iter().map(|value| (None, value)))))
    }

    /// An array or object as the library prints it.
    fn printed<'a>(
        &self,
        brackets: &[u8; 2],
        members: impl Iterator<Item = (Option<&'a Vec<u8>>, &'a Value)>,
    ) -> Vec<u8> {
        let mut text = vec![brackets[0]];
        for (place, (key, value)) in members.enumerate() {
            if place > 0 {
                text.push(b',');
            }
            if let Some(key) = key {
                text.extend(quoted(key));
                text.push(b':');
            }
            text.extend(value.json(self.library));
        }
        text.push(brackets[1]);
        text
    }

    fn object(&mut self, members: &mut Vec<(Vec<u8>, Value)>, depth: u8) -> Option<()> {
        self.at += 1;
        self.skip_spaces()?;
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            let mut key = if matches!(self.current(), b'"' | b'\'') { self.quoted()? } else { self.bare()? };
            if self.limited() {
                // Version 6 compares keys as C strings.
                key.truncate(key.iter().position(|&byte| byte == 0).unwrap_or(key.len()));
            }
            self.skip_spaces()?;
            if !self.eat(b':') {
                return None;
            }
            let place = match members.iter().position(|(name, _)| *name == key) {
                Some(place) => place,
                None => {
                    self.keep(&key);
                    self.slot()?;
                    members.push((key, Value::Null));
                    members.len() - 1
                }
            };
            let value = self.value(None, depth)?;
            // Version 6 leaves the old value where a repeated key says null.
            if !(self.limited() && value == Value::Null) {
                members[place].1 = value;
            }
            self.skip_spaces()?;
            if self.eat(b'}') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
            self.skip_spaces()?;
        }
    }

    fn keep(&mut self, text: &[u8]) {
        if self.limited() {
            // It fits: that was looked at while it was read.
            self.pool.keep_text(text);
        }
    }

    /// A text has to fit into what the pool has left while it is read, kept afterwards or not.
    fn fits(&self, text: Vec<u8>) -> Option<Vec<u8>> {
        (!self.limited() || text.len() < self.pool.room()).then_some(text)
    }

    fn bare(&mut self) -> Option<Vec<u8>> {
        let start = self.at;
        while matches!(self.current(), b'0'..=b'9' | b'A'..=b'Z' | b'_'..=b'z') {
            self.at += 1;
        }
        if self.at == start { None } else { self.fits(self.bytes[start..self.at].to_vec()) }
    }

    fn quoted(&mut self) -> Option<Vec<u8>> {
        let quote = self.next();
        let mut text = Vec::new();
        let mut high = 0_u32;
        loop {
            match self.next() {
                byte if byte == quote => return self.fits(text),
                0 => return None,
                b'\\' => match self.next() {
                    b'u' => {
                        let unit = self.hex()?;
                        match unit {
                            0xd800..=0xdbff => high = unit - 0xd800,
                            0xdc00..=0xdfff => push_utf8(&mut text, 0x10000 + (high << 10 | (unit - 0xdc00))),
                            _ => push_utf8(&mut text, unit),
                        }
                    }
                    b'b' => text.push(8),
                    b'f' => text.push(12),
                    b'n' => text.push(b'\n'),
                    b'r' => text.push(b'\r'),
                    b't' => text.push(b'\t'),
                    same @ (b'"' | b'\\' | b'/') => text.push(same),
                    b'\'' if !self.limited() => text.push(b'\''),
                    _ => return None,
                },
                byte => text.push(byte),
            }
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()).to_digit(16)?;
        }
        Some(unit)
    }
}

/// UTF-8 without the checks of a `char`: lone surrogates go through, as in the library.
fn push_utf8(text: &mut Vec<u8>, code: u32) {
    let tail = |shift: u32| (code >> shift & 0x3f) as u8 | 0x80;
    match code {
        0..0x80 => text.push(code as u8),
        0x80..0x800 => text.extend([(code >> 6) as u8 | 0xc0, tail(0)]),
        0x800..0x10000 => text.extend([(code >> 12) as u8 | 0xe0, tail(6), tail(0)]),
        _ => text.extend([(code >> 18) as u8 | 0xf0, tail(12), tail(6), tail(0)]),
    }
}
