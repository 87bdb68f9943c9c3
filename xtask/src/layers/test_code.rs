//! Taking test code out of a file: tests may reach across rooms, print and read clocks.

use super::tokens::{Kind, Token};

/// What is left of a file.
#[derive(Debug)]
pub(super) struct Stripped {
    /// Tokens that are part of the product.
    pub(super) tokens: Vec<Token>,
    /// Names of modules `#[cfg(test)] mod NAME;`, whose files are test code as a whole.
    pub(super) test_modules: Vec<String>,
}

/// Removes every item under `#[cfg(test)]` (also `all(test, …)`), and everything under `#![cfg(test)]`.
pub(super) fn strip(tokens: &[Token]) -> Stripped {
    let mut stripped = Stripped { tokens: Vec::new(), test_modules: Vec::new() };
    let mut position = 0;
    while position < tokens.len() {
        let Some(attribute) = attribute_at(tokens, position) else {
            stripped.tokens.push(tokens[position].clone());
            position += 1;
            continue;
        };
        if !is_test_only(&tokens[attribute.content.0..attribute.content.1]) {
            stripped.tokens.extend_from_slice(&tokens[position..attribute.end]);
            position = attribute.end;
        } else if attribute.inner {
            position = end_of_block(tokens, attribute.end);
        } else {
            let end = end_of_item(tokens, attribute.end);
            stripped.test_modules.extend(declared_module(&tokens[attribute.end..end]));
            position = end;
        }
    }
    stripped
}

/// `#[…]` or `#![…]`.
pub(super) struct Attribute {
    inner: bool,
    /// Range of the tokens between the brackets.
    pub(super) content: (usize, usize),
    /// The first token after it.
    pub(super) end: usize,
}

/// The attribute that starts at `position`.
pub(super) fn attribute_at(tokens: &[Token], position: usize) -> Option<Attribute> {
    if !tokens.get(position)?.is('#') {
        return None;
    }
    let inner = tokens.get(position + 1)?.is('!');
    let bracket = position + 1 + usize::from(inner);
    if !tokens.get(bracket)?.is('[') {
        return None;
    }
    let end = end_of_group(tokens, bracket);
    Some(Attribute { inner, content: (bracket + 1, end.saturating_sub(1).max(bracket + 1)), end })
}

/// `cfg(test)` or `cfg(all(…, test, …))`. `any(test, …)` and `not(test)` also hold in the product.
fn is_test_only(attribute: &[Token]) -> bool {
    let Some(predicate) = attribute.strip_prefix_name("cfg") else { return false };
    match predicate {
        [open, test, ..] if open.is('(') && test.is_name("test") => true,
        [open, all, rest @ ..] if open.is('(') && all.is_name("all") => {
            let mut depth = 0;
            rest.iter().any(|token| {
                depth += i32::from(token.is('(')) - i32::from(token.is(')'));
                depth == 1 && token.is_name("test")
            })
        }
        _ => false,
    }
}

trait StripName {
    fn strip_prefix_name(&self, name: &str) -> Option<&[Token]>;
}

impl StripName for [Token] {
    fn strip_prefix_name(&self, name: &str) -> Option<&[Token]> {
        self.split_first().filter(|(first, _)| first.is_name(name)).map(|(_, rest)| rest)
    }
}

/// The first token after the bracket group that opens at `position`.
pub(super) fn end_of_group(tokens: &[Token], position: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(position) {
        match token.kind {
            Kind::Symbol('(' | '[' | '{') => depth += 1,
            Kind::Symbol(')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The closing brace of the block that `position` lies in, or the end of the file.
fn end_of_block(tokens: &[Token], mut position: usize) -> usize {
    while let Some(token) = tokens.get(position) {
        position = match token.kind {
            Kind::Symbol('(' | '[' | '{') => end_of_group(tokens, position),
            Kind::Symbol('}') => return position,
            _ => position + 1,
        };
    }
    position
}

/// The first token after the item that starts at `position` (after its first attribute).
fn end_of_item(tokens: &[Token], mut position: usize) -> usize {
    while let Some(attribute) = attribute_at(tokens, position) {
        position = attribute.end;
    }
    let ending = Ending::of(&tokens[position.min(tokens.len())..]);
    while let Some(token) = tokens.get(position) {
        match token.kind {
            Kind::Symbol(';') => return position + 1,
            Kind::Symbol('}') => return position, // the block that holds the item ends
            Kind::Symbol('{') if ending != Ending::Semicolon => return end_of_group(tokens, position),
            Kind::Symbol(',') if ending == Ending::Comma => return position + 1,
            Kind::Symbol('(' | '[' | '{') => position = end_of_group(tokens, position),
            _ => position += 1,
        }
    }
    position
}

/// What ends an item, besides the end of the block around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// `use a::{b, c};`, `const X: T = T { … };`: braces do not end it.
    Semicolon,
    /// `fn f() { … }`, `struct S;`
    BraceOrSemicolon,
    /// A field, a variant, an arm.
    Comma,
}

impl Ending {
    fn of(item: &[Token]) -> Self {
        let mut position = 0;
        while let Some(token) = item.get(position) {
            position = match token.name() {
                Some("use" | "static" | "type" | "let") => return Self::Semicolon,
                Some("const") if item.get(position + 1).is_some_and(is_constant_name) => {
                    return Self::Semicolon;
                }
                Some("fn" | "struct" | "enum" | "union" | "impl" | "trait" | "mod" | "macro_rules") => {
                    return Self::BraceOrSemicolon;
                }
                Some("pub" | "unsafe" | "async" | "extern" | "const") => position + 1,
                None if token.is('(') && position > 0 => end_of_group(item, position), // `pub(crate)`
                None if matches!(token.kind, Kind::Text(_)) => position + 1,           // `extern "C"`
                _ => return Self::Comma,
            }
        }
        Self::Comma
    }
}

/// `const NAME`, in contrast to `const fn` and `const unsafe fn`.
fn is_constant_name(token: &Token) -> bool {
    token.name().is_some_and(|name| !matches!(name, "fn" | "unsafe" | "async" | "extern"))
}

/// `NAME` of an item `… mod NAME;`.
fn declared_module(item: &[Token]) -> Option<String> {
    match item {
        [.., keyword, name, end] if keyword.is_name("mod") && end.is(';') => name.name().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokenize;
    use super::*;

    fn left(source: &str) -> String {
        let stripped = strip(&tokenize(source));
        stripped.tokens.iter().filter_map(Token::name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn test_items_go_and_their_neighbours_stay() {
        assert_eq!(left("fn a() {} #[cfg(test)] mod tests { fn b() { { } } } fn c() {}"), "fn a fn c");
        assert_eq!(left("#[cfg(test)] use crate::{b, c}; fn a() {}"), "fn a");
        assert_eq!(left("#[cfg(test)] #[allow(x)] pub(crate) const B: T = T { x: 1 }; fn a() {}"), "fn a");
        assert_eq!(left("#[cfg(test)] const fn b() {} fn a() {}"), "fn a");
        assert_eq!(left("#[cfg(test)] pub(super) fn b<T, U>(t: T) -> U { t } fn a() {}"), "fn a");
        assert_eq!(left("#[cfg(all(unix, test))] fn b(x: [u8; 3]) {} fn a() {}"), "fn a");
        assert_eq!(left("struct S { #[cfg(test)] b: u8, a: u8 }"), "struct S a u8");
        assert_eq!(left("#![cfg(test)] use b; fn c() {}"), "");
        assert_eq!(left("mod m { #![cfg(test)] fn b() {} } fn a() {}"), "mod m fn a");
    }

    #[test]
    fn code_that_also_ships_stays() {
        let kept = "cfg any test feature fn a";
        assert_eq!(left("#[cfg(any(test, feature = \"x\"))] fn a() {}"), kept);
        assert_eq!(left("#[cfg(not(test))] fn a() {}"), "cfg not test fn a");
        assert_eq!(left("#[cfg(all(unix, any(test, x)))] fn a() {}"), "cfg all unix any test x fn a");
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_named() {
        let stripped =
            strip(&tokenize("#[cfg(test)] mod tests; #[cfg(test)] pub(crate) mod fixtures; mod a;"));
        assert_eq!(stripped.test_modules, ["tests", "fixtures"]);
    }
}
