//! The paths that a file names, after its own renames: `use std::{fs as disk}; disk::read(…)` names `std::fs` and
//! `std::fs::read`.

use std::collections::{BTreeMap, BTreeSet};

use super::test_code::{attribute_at, end_of_group};
use super::tokens::{Kind, Token, tokenize};

/// A path in the code. Paths inside this crate start with `crate`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedPath {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

/// What [`collect`] found in one file.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Every path, resolved; also single names that an import renamed.
    pub(super) paths: BTreeSet<NamedPath>,
    /// What each imported name stands for. One name may be imported differently in two inline modules.
    pub(super) imports: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// Names followed by `!`.
    pub(super) macros: BTreeSet<(usize, String)>,
    /// Every single name.
    pub(super) words: BTreeSet<(usize, String)>,
    /// Lines of `#[path = …]`, which would hide which room a file belongs to.
    pub(super) path_attributes: Vec<usize>,
}

/// Reads the tokens of the file that is module `module` (`["control", "gate"]` for src/control/gate.rs).
pub(super) fn collect(tokens: &[Token], module: &[String]) -> Names {
    let mut collector = Collector { names: Names::default(), raw: Vec::new(), modules: Vec::new(), depth: 0 };
    collector.walk(tokens, module);
    collector.resolve()
}

struct Collector {
    names: Names,
    /// Paths as written, `self` and `super` already replaced.
    raw: Vec<NamedPath>,
    /// Inline modules around the current token: name and brace depth.
    modules: Vec<(String, usize)>,
    depth: usize,
}

impl Collector {
    fn walk(&mut self, tokens: &[Token], module: &[String]) {
        let mut position = 0;
        while let Some(token) = tokens.get(position) {
            if let Some(attribute) = attribute_at(tokens, position) {
                self.attribute(&tokens[attribute.content.0..attribute.content.1], module);
            }
            match &token.kind {
                Kind::Symbol('{') => self.depth += 1,
                Kind::Symbol('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.modules.retain(|(_, depth)| *depth < self.depth + 1);
                }
                Kind::Name(name) if name == "use" && starts_import(tokens, position) => {
                    position = self.import(tokens, position + 1, &[], module);
                    continue;
                }
                Kind::Name(name) if name == "extern" => self.extern_crate(&tokens[position..]),
                Kind::Name(name) if name == "mod" => {
                    if let [module, brace, ..] = &tokens[position + 1..]
                        && let Some(module) = module.name()
                        && brace.is('{')
                    {
                        self.modules.push((module.to_owned(), self.depth));
                    }
                }
                _ => {}
            }
            position = self.path(tokens, position, module);
        }
    }

    /// Strings in attributes may be paths: `#[serde(with = "crate::cli::…")]`.
    fn attribute(&mut self, content: &[Token], module: &[String]) {
        let Some(first) = content.first().filter(|first| !first.is_name("doc")) else { return };
        if first.is_name("path") {
            self.names.path_attributes.push(first.line);
        }
        for token in content {
            if let Kind::Text(text) = &token.kind {
                let mut inner = tokenize(text);
                inner.iter_mut().for_each(|inner| inner.line = token.line);
                let mut position = 0;
                while position < inner.len() {
                    position = self.path(&inner, position, module);
                }
            }
        }
    }

    /// Takes the path or single token at `position`; returns where to go on.
    fn path(&mut self, tokens: &[Token], position: usize, module: &[String]) -> usize {
        let Some(first) = tokens.get(position).and_then(Token::name) else { return position + 1 };
        let before = position.checked_sub(1).map(|index| &tokens[index]);
        let line = tokens[position].line;
        self.names.words.insert((line, first.to_owned()));

        let mut segments = vec![first.to_owned()];
        let mut end = position + 1;
        while tokens.get(end).is_some_and(|token| token.kind == Kind::PathSeparator)
            && let Some(name) = tokens.get(end + 1).and_then(Token::name)
        {
            segments.push(name.to_owned());
            self.names.words.insert((tokens[end + 1].line, name.to_owned()));
            end += 2;
        }
        if tokens.get(end).is_some_and(|token| token.is('!'))
            && !tokens.get(end + 1).is_some_and(|next| next.is('='))
        {
            self.names.macros.insert((line, segments[segments.len() - 1].clone()));
        }
        // `value.field` and `<T as Trait>::name` do not start a path; `::std::fs` does, from the outside.
        let field = before.is_some_and(|token| token.is('.'));
        if !field {
            let segments = self.absolute(segments, module);
            self.raw.push(NamedPath { line, segments });
        }
        end
    }

    /// Replaces `self` and `super`, which depend on where the path stands.
    fn absolute(&self, segments: Vec<String>, file_module: &[String]) -> Vec<String> {
        if !matches!(segments[0].as_str(), "self" | "super") || segments.len() == 1 {
            return segments;
        }
        let mut place: Vec<String> = vec!["crate".to_owned()];
        place.extend(file_module.iter().cloned());
        place.extend(self.modules.iter().map(|(name, _)| name.clone()));
        let ups = segments.iter().take_while(|segment| matches!(segment.as_str(), "self" | "super"));
        let taken = ups.clone().count();
        let ups = ups.filter(|segment| *segment == "super").count();
        place.truncate(place.len().saturating_sub(ups).max(1));
        place.extend(segments.into_iter().skip(taken));
        place
    }

    /// One tree of a `use` declaration; returns the position after it.
    fn import(
        &mut self,
        tokens: &[Token],
        mut position: usize,
        prefix: &[String],
        module: &[String],
    ) -> usize {
        let mut segments = prefix.to_vec();
        let mut line = tokens.get(position).map_or(0, |token| token.line);
        while let Some(token) = tokens.get(position) {
            match &token.kind {
                Kind::PathSeparator => position += 1,
                Kind::Name(name) if name == "as" => {
                    let alias = tokens.get(position + 1).and_then(Token::name).unwrap_or("_").to_owned();
                    self.imported(line, segments, Some(alias), module);
                    return position + 2;
                }
                Kind::Name(name) => {
                    if name != "self" || segments.is_empty() {
                        segments.push(name.clone());
                    }
                    line = token.line;
                    position += 1;
                }
                Kind::Symbol('*') => {
                    segments.push("*".to_owned());
                    position += 1;
                }
                Kind::Symbol('{') => {
                    let end = end_of_group(tokens, position);
                    position += 1;
                    while position + 1 < end {
                        position = self.import(tokens, position, &segments, module);
                        position += usize::from(tokens.get(position).is_some_and(ends_tree));
                    }
                    return end;
                }
                _ => break,
            }
        }
        self.imported(line, segments, None, module);
        // A symbol that belongs in no import (`$`) is passed over, so that reading always ends.
        position + usize::from(tokens.get(position).is_some_and(|token| !ends_tree(token)))
    }

    fn imported(&mut self, line: usize, segments: Vec<String>, alias: Option<String>, module: &[String]) {
        if segments.is_empty() {
            return; // not Rust: `use ;`
        }
        let segments = self.absolute(segments, module);
        let name = alias.or_else(|| segments.last().cloned()).unwrap_or_default();
        self.names.words.extend(segments.iter().map(|segment| (line, segment.clone())));
        if segments != [name.clone()] {
            self.names.imports.entry(name).or_default().insert(segments.clone());
        }
        self.raw.push(NamedPath { line, segments });
    }

    /// `extern crate std as s;`, `extern crate self as roarm;`
    fn extern_crate(&mut self, tokens: &[Token]) {
        if let [_, keyword, name, rest @ ..] = tokens
            && keyword.is_name("crate")
            && let Some(name) = name.name()
        {
            let target = if name == "self" { "crate" } else { name };
            let alias = match rest {
                [word, alias, ..] if word.is_name("as") => alias.name().unwrap_or(name),
                _ => name,
            };
            self.names.imports.entry(alias.to_owned()).or_default().insert(vec![target.to_owned()]);
        }
    }

    /// Replaces imported first segments until nothing changes.
    fn resolve(mut self) -> Names {
        for path in &self.raw {
            for segments in expand(&path.segments, &self.names.imports) {
                self.names.paths.insert(NamedPath { line: path.line, segments });
            }
        }
        self.names
    }
}

/// Whether one tree of a `use` declaration ends before `token`.
fn ends_tree(token: &Token) -> bool {
    token.is(',') || token.is('}') || token.is(';')
}

/// `use<'a>` in a return type is no import.
fn starts_import(tokens: &[Token], position: usize) -> bool {
    !tokens.get(position + 1).is_some_and(|token| token.is('<'))
}

/// All that `segments` may stand for, given what was imported.
pub(super) fn expand(
    segments: &[String],
    imports: &BTreeMap<String, BTreeSet<Vec<String>>>,
) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::from([segments.to_vec()]);
    // Each import is followed once along a chain: `use a::b as a;` would otherwise grow for ever.
    let mut fresh = vec![(segments.to_vec(), Vec::new())];
    while let Some((path, followed)) = fresh.pop() {
        let Some(first) = path.first().filter(|first| !followed.contains(*first)) else { continue };
        let followed: Vec<String> = followed.iter().chain([first]).cloned().collect();
        for target in imports.get(first).into_iter().flatten() {
            let expanded: Vec<String> = target.iter().chain(&path[1..]).cloned().collect();
            if found.insert(expanded.clone()) {
                fresh.push((expanded, followed.clone()));
            }
        }
    }
    found
}
