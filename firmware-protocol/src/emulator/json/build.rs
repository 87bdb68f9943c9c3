//! Documents that the board makes itself: steps of missions, and what it tells by HTTP.

use std::vec;
use std::vec::Vec;

use super::JsonLibrary;
use super::pool::Pool;
use super::print::{number_text, quoted};

/// A text of a document. Version 6 keeps copied ones in its 256 bytes; string constants cost nothing.
#[derive(Clone, Copy, Debug)]
pub(in crate::emulator) enum Text<'a> {
    Constant(&'a [u8]),
    Copied(&'a [u8]),
}

/// A value to store.
#[derive(Clone, Copy, Debug)]
pub(in crate::emulator) enum Item<'a> {
    Text(Text<'a>),
    /// A string constant, or null without one.
    Pointer(Option<&'a [u8]>),
    Number(f64),
    Integer(i64),
    Bool(bool),
}

impl<'a> From<&'a str> for Item<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Text::Constant(text.as_bytes()))
    }
}

impl<'a> From<&'a Vec<u8>> for Item<'a> {
    fn from(text: &'a Vec<u8>) -> Self {
        Self::Text(Text::Copied(text))
    }
}

impl From<f64> for Item<'_> {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for Item<'_> {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for Item<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// An object under construction, with the memory limit of version 6: a member that does not fit is missing, a text that
/// does not fit is null.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct Object {
    library: JsonLibrary,
    pool: Pool,
    members: Vec<(Vec<u8>, Vec<u8>)>,
    touched: bool,
}

impl Object {
    pub(in crate::emulator) fn new(library: JsonLibrary) -> Self {
        Self { library, pool: Pool::default(), members: Vec::new(), touched: false }
    }

    /// Sets a member whose key is a string constant.
    pub(in crate::emulator) fn set<'a>(&mut self, key: &str, value: impl Into<Item<'a>>) {
        self.store(Text::Constant(key.as_bytes()), value.into());
    }

    /// Sets a member whose key is somebody else's text.
    pub(in crate::emulator) fn set_constant<'a>(&mut self, key: &[u8], value: impl Into<Item<'a>>) {
        self.store(Text::Constant(key), value.into());
    }

    /// Sets a member whose key was computed.
    pub(in crate::emulator) fn set_copied<'a>(&mut self, key: &[u8], value: impl Into<Item<'a>>) {
        self.store(Text::Copied(key), value.into());
    }

    fn store(&mut self, key: Text, value: Item) {
        self.touched = true;
        let (Text::Constant(name) | Text::Copied(name)) = key;
        let place = match self.members.iter().position(|(kept, _)| kept == name) {
            Some(place) => place,
            None => {
                if self.limited() && (self.pool.take_slot().is_none() || !self.fits(key)) {
                    return;
                }
                self.members.push((name.to_vec(), Vec::new()));
                self.members.len() - 1
            }
        };
        self.members[place].1 = match value {
            Item::Text(text) if !self.fits(text) => b"null".to_vec(),
            Item::Text(Text::Constant(text) | Text::Copied(text)) => quoted(text),
            Item::Pointer(text) => text.map_or(b"null".to_vec(), quoted),
            Item::Number(value) => number_text(value, self.library).into_bytes(),
            Item::Integer(value) => std::format!("{value}").into_bytes(),
            Item::Bool(value) => if value { "true" } else { "false" }.into(),
        };
    }

    fn limited(&self) -> bool {
        self.library == JsonLibrary::A6
    }

    /// Takes the memory that a text needs.
    fn fits(&mut self, text: Text) -> bool {
        match text {
            Text::Copied(text) if self.limited() => self.pool.keep_text(text).is_some(),
            _ => true,
        }
    }

    /// As the library prints it: `null` as long as nothing was set.
    pub(in crate::emulator) fn text(&self) -> Vec<u8> {
        if !self.touched {
            return b"null".to_vec();
        }
        let mut text = vec![b'{'];
        for (key, value) in &self.members {
            if text.len() > 1 {
                text.push(b',');
            }
            text.extend(quoted(key));
            text.push(b':');
            text.extend(value);
        }
        text.push(b'}');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_nothing_was_set_in_is_null() {
        assert_eq!(Object::new(JsonLibrary::A6).text(), b"null");
    }

    /// 16 bytes a member; copied texts count with their end mark, equal ones once, constants not at all.
    #[test]
    fn version_6_runs_out_of_memory_as_the_library_does() {
        let build = |library, length: usize| {
            let mut object = Object::new(library);
            let text = vec![b'a'; length];
            object.set("name", &text);
            object.set("same", &text);
            object.set("intro", "constant");
            object.set("other", &b"b".to_vec());
            std::string::String::from_utf8_lossy(&object.text()).replace(&"a".repeat(length), "A")
        };
        let full = r#"{"name":"A","same":"A","intro":"constant","other":"b"}"#;
        // 4 members, two texts: 64 + 190 + 2.
        assert_eq!(build(JsonLibrary::A6, 189), full);
        assert_eq!(build(JsonLibrary::A6, 190), full.replace("\"b\"", "null"));
        assert_eq!(
            build(JsonLibrary::A6, 300),
            r#"{"name":null,"same":null,"intro":"constant","other":"b"}"#
        );
        assert_eq!(build(JsonLibrary::A7, 300), full);
    }
}
