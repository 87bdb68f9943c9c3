//! Reading one table: each key is named once, with its default and what is allowed.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};

/// A key as the reader knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDescription {
    /// `motion`, `arm.NAME`; empty at the top level.
    pub table: String,
    /// The key.
    pub key: &'static str,
    /// Its default as TOML, or a dash without one.
    pub default: String,
    /// What is allowed.
    pub allowed: String,
}

/// The file being read.
pub(super) struct Source<'a> {
    text: &'a str,
    file_name: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, file_name: &'a str) -> Self {
        Self { text, file_name }
    }

    pub(super) fn file_name(&self) -> &str {
        self.file_name
    }

    /// The place of byte `offset`.
    pub(super) fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().iter().take(offset);
        Place { file: self.file_name.to_owned(), line: 1 + before.filter(|byte| **byte == b'\n').count() }
    }
}

/// A table whose keys are asked for one by one; [`Section::finish`] refuses the rest.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    /// `None` when the file leaves the table out.
    table: Option<&'a DeTable<'a>>,
    /// Name for people, and its offset in the file.
    title: String,
    offset: usize,
    /// Name in descriptions.
    described: String,
    known: Vec<KeyDescription>,
    subtables: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn top(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self::new(source, Some(table), "the top level".to_owned(), 0, String::new())
    }

    fn new(
        source: &'a Source<'a>,
        table: Option<&'a DeTable<'a>>,
        title: String,
        offset: usize,
        described: String,
    ) -> Self {
        Self { source, table, title, offset, described, known: Vec::new(), subtables: Vec::new() }
    }

    pub(super) fn file_name(&self) -> &str {
        self.source.file_name()
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table?.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Whether the file sets `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The line of `key`, or of the table where the file leaves it out.
    pub(super) fn place(&self, key: &str) -> Place {
        self.source.place(self.value(key).map_or(self.offset, |value| value.span().start))
    }

    /// The table `[key]`, empty when the file leaves it out.
    pub(super) fn table(&mut self, key: &'static str) -> Result<Section<'a>, ConfigError> {
        self.subtables.push(key);
        let title = format!("[{key}]");
        let Some(value) = self.value(key) else {
            return Ok(Section::new(self.source, None, title, 0, key.to_owned()));
        };
        let table = self.as_table(key, value)?;
        Ok(Section::new(self.source, Some(table), title, value.span().start, key.to_owned()))
    }

    /// The tables `[key.NAME]`, whatever the names.
    pub(super) fn named_tables(
        &mut self,
        key: &'static str,
        placeholder: &str,
    ) -> Result<Vec<(String, Section<'a>)>, ConfigError> {
        self.subtables.push(key);
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let mut sections = Vec::new();
        for (name, value) in self.as_table(key, value)? {
            let name = name.get_ref().to_string();
            let table = self.as_table(&format!("{key}.{name}"), value)?;
            let title = format!("[{key}.{name}]");
            let described = format!("{key}.{placeholder}");
            sections
                .push((name, Section::new(self.source, Some(table), title, value.span().start, described)));
        }
        Ok(sections)
    }

    fn as_table(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Result<&'a DeTable<'a>, ConfigError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            other => Err(ConfigError::WrongType {
                place: self.source.place(value.span().start),
                key: key.to_owned(),
                expected: "a table".to_owned(),
                found: kind(other),
            }),
        }
    }

    fn describe(&mut self, key: &'static str, default: &str, allowed: &str) {
        let (table, default, allowed) = (self.described.clone(), default.to_owned(), allowed.to_owned());
        self.known.push(KeyDescription { table, key, default, allowed });
    }

    pub(super) fn wrong_type(&self, key: &str, expected: &str, found: &DeValue<'_>) -> ConfigError {
        let (key, expected) = (key.to_owned(), expected.to_owned());
        ConfigError::WrongType { place: self.place(&key), key, expected, found: kind(found) }
    }

    pub(super) fn out_of_range(&self, key: &str, value: &str, allowed: &str) -> ConfigError {
        let (value, allowed) = (value.to_owned(), allowed.to_owned());
        ConfigError::OutOfRange { place: self.place(key), key: key.to_owned(), value, allowed }
    }

    /// A number; whole numbers are taken too.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ConfigError> {
        let allowed = format!("{} to {}", range.start(), range.end());
        self.describe(key, &default.to_string(), &allowed);
        Ok(self.optional_number_in(key, &range, &allowed)?.unwrap_or(default))
    }

    /// A number that may be left out.
    pub(super) fn optional_number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f64>, ConfigError> {
        let allowed = format!("{} to {}", range.start(), range.end());
        self.describe(key, "—", &allowed);
        self.optional_number_in(key, &range, &allowed)
    }

    fn optional_number_in(
        &self,
        key: &str,
        range: &RangeInclusive<f64>,
        allowed: &str,
    ) -> Result<Option<f64>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number =
            as_number(value.get_ref()).ok_or_else(|| self.wrong_type(key, "a number", value.get_ref()))?;
        // `contains` is false for NaN.
        if range.contains(&number) {
            Ok(Some(number))
        } else {
            Err(self.out_of_range(key, &number.to_string(), allowed))
        }
    }

    /// A whole number.
    pub(super) fn whole(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<u64, ConfigError> {
        let allowed = whole_range(&range);
        self.describe(key, &default.to_string(), &allowed);
        Ok(self.optional_whole_in(key, &range, &allowed)?.unwrap_or(default))
    }

    /// A whole number that may be left out.
    pub(super) fn optional_whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ConfigError> {
        let allowed = whole_range(&range);
        self.describe(key, "—", &allowed);
        self.optional_whole_in(key, &range, &allowed)
    }

    fn optional_whole_in(
        &self,
        key: &str,
        range: &RangeInclusive<u64>,
        allowed: &str,
    ) -> Result<Option<u64>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let DeValue::Integer(integer) = value.get_ref() else {
            return Err(self.wrong_type(key, "a whole number", value.get_ref()));
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(self.out_of_range(key, &integer.to_string(), allowed)), // also negative, and beyond 64 bits
        }
    }

    /// A text that may be left out, but not be empty.
    pub(super) fn optional_text(
        &mut self,
        key: &'static str,
        allowed: &str,
    ) -> Result<Option<String>, ConfigError> {
        self.describe(key, "—", allowed);
        let Some(value) = self.value(key) else { return Ok(None) };
        let DeValue::String(text) = value.get_ref() else {
            return Err(self.wrong_type(key, "a text in quotes", value.get_ref()));
        };
        if text.trim().is_empty() {
            return Err(self.out_of_range(key, "\"\"", allowed));
        }
        Ok(Some(text.to_string()))
    }

    /// A text that must be there.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        allowed: &str,
        example: &str,
    ) -> Result<String, ConfigError> {
        self.optional_text(key, allowed)?.ok_or_else(|| ConfigError::MissingKey {
            place: self.source.place(self.offset),
            table: self.title.clone(),
            key: key.to_owned(),
            example: format!("{key} = {example:?}"),
        })
    }

    /// A list of texts, empty when left out.
    pub(super) fn texts(&mut self, key: &'static str, allowed: &str) -> Result<Vec<String>, ConfigError> {
        self.describe(key, "[]", allowed);
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let wrong = || self.wrong_type(key, "a list of texts in quotes", value.get_ref());
        let DeValue::Array(items) = value.get_ref() else { return Err(wrong()) };
        let text = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        };
        items.iter().map(text).collect::<Option<Vec<_>>>().ok_or_else(wrong)
    }

    /// One of some words, the first of which is the default.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        let allowed = words.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        let (default, first) = words[0];
        self.describe(key, &format!("{default:?}"), &allowed);
        let Some(value) = self.value(key) else { return Ok(first) };
        let DeValue::String(text) = value.get_ref() else {
            return Err(self.wrong_type(key, &format!("one of {allowed}"), value.get_ref()));
        };
        let found = words.iter().find(|(word, _)| word == text).map(|(_, value)| *value);
        found.ok_or_else(|| self.out_of_range(key, &format!("{text:?}"), &allowed))
    }

    /// The value itself, for a key with a form of its own.
    pub(super) fn any(&mut self, key: &'static str, default: &str, allowed: &str) -> Option<&'a DeValue<'a>> {
        self.describe(key, default, allowed);
        self.value(key).map(Spanned::get_ref)
    }

    /// Refuses every key that was not asked for. Returns what was.
    pub(super) fn finish(self) -> Result<Vec<KeyDescription>, ConfigError> {
        let known: Vec<&str> =
            self.known.iter().map(|key| key.key).chain(self.subtables.iter().copied()).collect();
        for (name, _) in self.table.into_iter().flatten() {
            let key: &str = name.get_ref();
            if known.contains(&key) {
                continue;
            }
            let distance = |other: &&&str| strsim::damerau_levenshtein(key, other);
            let nearest = known.iter().min_by_key(distance).copied().unwrap_or_default();
            return Err(ConfigError::UnknownKey {
                place: self.source.place(name.span().start),
                table: self.title,
                key: key.to_owned(),
                nearest: nearest.to_owned(),
            });
        }
        Ok(self.known)
    }
}

fn whole_range(range: &RangeInclusive<u64>) -> String {
    match *range.end() {
        u64::MAX => format!("{} or more", range.start()),
        end => format!("{} to {end}", range.start()),
    }
}

/// A TOML integer or float.
pub(super) fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        // A whole number of the file fits f64 exactly wherever a range allows it.
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
