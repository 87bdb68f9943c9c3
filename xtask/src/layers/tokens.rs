//! Rust source text as tokens, without comments. Total: any text gives tokens, never an error.

/// A token with the line it starts on (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Identifier or keyword; `r#type` is `type`.
    Name(String),
    /// `::`
    PathSeparator,
    /// Any other single character that is not blank.
    Symbol(char),
    /// Content of a string literal, escapes untouched.
    Text(String),
    /// Number, character or lifetime.
    Other,
}

impl Token {
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn is_name(&self, wanted: &str) -> bool {
        self.name() == Some(wanted)
    }

    pub(super) fn is(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }
}

/// All tokens of `source`.
pub(super) fn tokenize(source: &str) -> Vec<Token> {
    let mut scanner = Scanner { characters: source.chars().collect(), position: 0, line: 1 };
    let mut tokens = Vec::new();
    while scanner.skip_blanks_and_comments() {
        let line = scanner.line;
        tokens.push(Token { kind: scanner.token(), line });
    }
    tokens
}

struct Scanner {
    characters: Vec<char>,
    position: usize,
    line: usize,
}

fn starts_name(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

fn continues_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.position + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.position += 1;
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    /// False at the end of the text.
    fn skip_blanks_and_comments(&mut self) -> bool {
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return false,
                (Some('/'), Some('/')) => while self.next().is_some_and(|character| character != '\n') {},
                (Some('/'), Some('*')) => self.skip_block_comment(),
                (Some(character), _) if character.is_whitespace() => self.skip(1),
                _ => return true,
            }
        }
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.skip(2);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.skip(2);
                    if depth == 0 {
                        return;
                    }
                }
                (None, _) => return,
                _ => self.skip(1),
            }
        }
    }

    /// The token at the current position, which is neither blank nor a comment.
    fn token(&mut self) -> Kind {
        if let Some(text) = self.prefixed_text() {
            return Kind::Text(text);
        }
        match self.peek(0) {
            Some('"') => Kind::Text(self.quoted('"')),
            Some('\'') => self.character_or_lifetime(),
            Some(':') if self.peek(1) == Some(':') => {
                self.skip(2);
                Kind::PathSeparator
            }
            Some('r') if self.peek(1) == Some('#') && self.peek(2).is_some_and(starts_name) => {
                self.skip(2);
                Kind::Name(self.name())
            }
            Some(character) if starts_name(character) => Kind::Name(self.name()),
            Some(character) if character.is_ascii_digit() => {
                self.name(); // `1_000u32`; of `1.5` the rest comes as a symbol and another number
                Kind::Other
            }
            Some(character) => {
                self.skip(1);
                Kind::Symbol(character)
            }
            None => Kind::Other,
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(character) = self.peek(0).filter(|character| continues_name(*character)) {
            name.push(character);
            self.skip(1);
        }
        name
    }

    /// `b"…"`, `c"…"`, `r"…"`, `br#"…"#`, `cr#"…"#` and the byte `b'…'`.
    fn prefixed_text(&mut self) -> Option<String> {
        let mut length = usize::from(matches!(self.peek(0), Some('b' | 'c')));
        let raw = self.peek(length) == Some('r');
        length += usize::from(raw);
        if length == 0 {
            return None;
        }
        let hashes =
            if raw { (length..).take_while(|&index| self.peek(index) == Some('#')).count() } else { 0 };
        let quote = self.peek(length + hashes)?;
        match quote {
            '"' if raw => {
                self.skip(length + hashes + 1);
                Some(self.raw_text(hashes))
            }
            '"' | '\'' if !raw && (quote == '"' || self.peek(0) == Some('b')) => {
                self.skip(length);
                Some(self.quoted(quote))
            }
            _ => None,
        }
    }

    fn raw_text(&mut self, hashes: usize) -> String {
        let mut text = String::new();
        while let Some(character) = self.next() {
            if character == '"' && (0..hashes).all(|index| self.peek(index) == Some('#')) {
                self.skip(hashes);
                break;
            }
            text.push(character);
        }
        text
    }

    /// From the opening quote to the closing one.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        self.skip(1);
        while let Some(character) = self.next() {
            if character == quote {
                break;
            }
            text.push(character);
            if character == '\\' {
                text.extend(self.next());
            }
        }
        text
    }

    /// `'a'` and `'\n'` are characters, `'a` is a lifetime.
    fn character_or_lifetime(&mut self) -> Kind {
        let lifetime = self.peek(1).is_some_and(starts_name) && self.peek(2) != Some('\'');
        if lifetime {
            self.skip(1);
            self.name();
        } else {
            self.quoted('\'');
        }
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(source: &str) -> Vec<String> {
        tokenize(source).iter().filter_map(Token::name).map(str::to_owned).collect()
    }

    #[test]
    fn comments_and_texts_hold_no_names() {
        assert_eq!(names("a // b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(
            names(r##"a "b \" c" r"d\" e r#"f " g"# h b"i" c"j" b'k' 'l' '\'' m"##),
            ["a", "e", "h", "m"]
        );
        assert_eq!(names("r#type r#\"x\"# rest"), ["type", "rest"]);
    }

    #[test]
    fn lifetimes_do_not_swallow_what_follows() {
        assert_eq!(
            names("fn f<'a>(x: &'a str, y: &'static T) where 'a: 'static { z }"),
            ["fn", "f", "x", "str", "y", "T", "where", "z"]
        );
    }

    #[test]
    fn a_path_may_be_spread_over_lines_and_comments() {
        let tokens = tokenize("std\n  :: /* why */\n fs");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(tokens[1].kind, Kind::PathSeparator);
    }

    proptest! {
        #[test]
        fn any_text_gives_tokens(source in any::<String>()) {
            tokenize(&source);
        }

        #[test]
        fn any_mix_of_quotes_and_comments_gives_tokens(source in "[a-z/*\"'#\\\\:r\n ]{0,80}") {
            tokenize(&source);
        }
    }
}
