//! The rules, applied to the files of `src/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::paths::{self, NamedPath, Names};
use super::table::{self, Room};
use super::test_code;
use super::tokens::{Token, tokenize};

/// A file under `src/`: path from there (`control/gate.rs`) and content.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) content: String,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "src/{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// A file of the product: what is left of it without its tests.
struct Product<'a> {
    file: &'a SourceFile,
    module: Vec<String>,
    tokens: Vec<Token>,
}

/// All files that are no tests, without the tests in them.
fn products(files: &[SourceFile]) -> Vec<Product<'_>> {
    let mut test_modules = Vec::new();
    let mut products = Vec::new();
    for file in files {
        let module = module_of(&file.path);
        let stripped = test_code::strip(&tokenize(&file.content));
        test_modules.extend(stripped.test_modules.iter().map(|name| {
            let mut module = module.clone();
            module.push(name.clone());
            module
        }));
        products.push(Product { file, module, tokens: stripped.tokens });
    }
    products.retain(|product| !test_modules.iter().any(|test| product.module.starts_with(test)));
    products
}

/// The lines with tokens of the product, by file; files of tests are left out.
pub(super) fn product_lines(files: &[SourceFile]) -> BTreeMap<String, BTreeSet<usize>> {
    let lines = |product: Product<'_>| {
        (product.file.path.clone(), product.tokens.iter().map(|token| token.line).collect())
    };
    products(files).into_iter().map(lines).collect()
}

/// Checks all files of `src/` together.
pub(super) fn check(files: &[SourceFile]) -> BTreeSet<Violation> {
    let products: Vec<(Product<'_>, Names)> = products(files)
        .into_iter()
        .map(|product| {
            let names = paths::collect(&product.tokens, &product.module);
            (product, names)
        })
        .collect();
    let root = products.iter().find(|(product, _)| product.file.path == "lib.rs");
    let root = root.map(|(_, names)| &names.imports);
    let root = root.cloned().unwrap_or_default();
    let mut violations = BTreeSet::new();
    for (Product { file, module, .. }, names) in &products {
        let mut checker = Checker { file, names, root: &root, violations: &mut violations };
        match module.first().map(String::as_str) {
            None if file.path == "lib.rs" => {}
            None => checker.rooms("main.rs", table::MAIN_MAY_USE),
            Some(name) => match table::find(name) {
                Some(room) => checker.room(room),
                None => checker
                    .report(1, format!("`{name}` is no room that xtask/src/layers/table.rs knows: add it")),
            },
        }
    }
    violations
}

/// Module path of a file: `control/gate.rs` and `control/gate/mod.rs` are both `control::gate`; `lib.rs` and `main.rs` are the root.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    let root_file = module.len() == 1 && matches!(path, "lib" | "main");
    if root_file || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

struct Checker<'a> {
    file: &'a SourceFile,
    names: &'a Names,
    /// What lib.rs imports: a name re-exported at the root may come from any room.
    root: &'a std::collections::BTreeMap<String, BTreeSet<Vec<String>>>,
    violations: &'a mut BTreeSet<Violation>,
}

impl Checker<'_> {
    fn report(&mut self, line: usize, rule: String) {
        self.violations.insert(Violation { path: self.file.path.clone(), line, rule });
    }

    fn room(&mut self, room: &Room) {
        self.rooms(room.name, room.may_use);
        for line in self.names.path_attributes.clone() {
            self.report(line, "`#[path]` hides which room a file belongs to: use the folder".to_owned());
        }
        if room.name != table::TERMINAL_ROOM {
            self.forbid_paths(room.name, table::BELOW_CLI);
            self.forbid_printing(room.name);
        }
        if room.name == table::PURE_ROOM {
            self.forbid_paths(room.name, table::IMPURE_PATHS);
            self.forbid_names(room.name, table::IMPURE_NAMES);
        }
    }

    /// Rooms of this crate that the file names.
    fn rooms(&mut self, own: &str, may_use: &[&str]) {
        for NamedPath { line, segments } in &self.names.paths {
            for inside in self.inside_crate(segments) {
                match inside.as_deref() {
                    Some("*") => {
                        self.report(
                            *line,
                            format!("`{own}` imports all of the crate: name the rooms it uses"),
                        );
                    }
                    Some(used) if used == own || may_use.contains(&used) => {}
                    Some(used) if table::find(used).is_some() => {
                        let allowed =
                            if may_use.is_empty() { "no other room".to_owned() } else { may_use.join(", ") };
                        self.report(*line, format!("`{own}` may not use `{used}`; it may use {allowed}"));
                    }
                    Some(used) => self.report(
                        *line,
                        format!("`crate::{used}` is no room that xtask/src/layers/table.rs knows"),
                    ),
                    None => {}
                }
            }
        }
    }

    /// First segments below the crate's root that `segments` may stand for; `None` for a path that is not of this crate.
    fn inside_crate(&self, segments: &[String]) -> Vec<Option<String>> {
        let own_name = segments.len() > 1 && segments[0] == "roarm";
        if segments.first().is_none_or(|first| first != "crate" && !own_name) {
            return vec![None];
        }
        let Some(first) = segments.get(1) else { return vec![None] };
        if table::find(first).is_some() || first == "*" {
            return vec![Some(first.clone())];
        }
        // Through a re-export of lib.rs, if there is one.
        let expanded = paths::expand(&segments[1..], self.root);
        let below: Vec<_> = expanded
            .iter()
            .filter(|path| path.as_slice() != &segments[1..])
            .map(|path| match path.first().map(String::as_str) {
                Some("crate" | "self") => path.get(1).cloned(),
                _ => path.first().cloned().filter(|first| table::find(first).is_some()),
            })
            .collect();
        if below.is_empty() { vec![Some(first.clone())] } else { below }
    }

    fn forbid_paths(&mut self, room: &str, forbidden: &[(&[&str], &str)]) {
        for NamedPath { line, segments } in &self.names.paths {
            // `core` and `alloc` are the same library as `std`.
            let first = match segments.first().map(String::as_str) {
                Some("core" | "alloc") => "std",
                Some(first) => first,
                None => continue,
            };
            let same: Vec<&str> =
                [first].into_iter().chain(segments.iter().skip(1).map(String::as_str)).collect();
            for (path, reason) in forbidden {
                let whole = same.starts_with(path);
                let glob =
                    same.split_last().is_some_and(|(last, rest)| *last == "*" && path.starts_with(rest));
                if whole || glob {
                    self.report(*line, format!("`{room}` may not use `{}`: {reason}", path.join("::")));
                }
            }
        }
    }

    fn forbid_names(&mut self, room: &str, forbidden: &[(&str, &str)]) {
        for (line, word) in &self.names.words {
            if let Some((name, reason)) = forbidden.iter().find(|(name, _)| name == word) {
                self.report(*line, format!("`{room}` may not use `{name}`: {reason}"));
            }
        }
    }

    fn forbid_printing(&mut self, room: &str) {
        for (line, name) in &self.names.macros {
            if table::PRINTING_MACROS.contains(&name.as_str()) {
                self.report(
                    *line,
                    format!("`{room}` may not use `{name}!`: only `cli` speaks to the terminal"),
                );
            }
        }
        // `use std::println as say;`
        for NamedPath { line, segments } in &self.names.paths {
            if let [library, name] = segments.as_slice()
                && library == "std"
                && table::PRINTING_MACROS.contains(&name.as_str())
            {
                self.report(
                    *line,
                    format!("`{room}` may not use `{name}!`: only `cli` speaks to the terminal"),
                );
            }
        }
    }
}
