//! Options of `test` and `test-full`.

use super::parts::Part;
use crate::failure::Failure;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) without: Vec<String>,
    pub(super) list: bool,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => options.list = true,
                "--without" => match arguments.next() {
                    Some(name) => options.without.push(name.clone()),
                    None => {
                        return Err(Failure::usage("--without wants the name of a part; --list shows them"));
                    }
                },
                other => return Err(Failure::usage(format!("no option `{other}`; see `cargo xtask help`"))),
            }
        }
        Ok(options)
    }

    /// A misspelt part would silently run, so it is an error.
    pub(super) fn check_against(&self, parts: &[&Part]) -> Result<(), Failure> {
        for name in &self.without {
            if !parts.iter().any(|part| part.name == name) {
                let known: Vec<_> = parts.iter().map(|part| part.name).collect();
                return Err(Failure::usage(format!(
                    "no part `{name}` in this tier; it has {}",
                    known.join(", ")
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::parts::PARTS;
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options = parse("--without rust --without python --list").unwrap();
        assert_eq!(options, Options { without: vec!["rust".into(), "python".into()], list: true });
        assert!(parse("--without").is_err());
        assert!(parse("--wihtout rust").is_err());
    }

    #[test]
    fn an_unknown_part_is_refused_with_the_known_ones() {
        let parts: Vec<_> = PARTS.iter().collect();
        assert!(parse("--without rust").unwrap().check_against(&parts).is_ok());
        let failure = parse("--without rsut").unwrap().check_against(&parts).unwrap_err();
        assert!(failure.message().contains("no part `rsut`") && failure.message().contains("rust"));
    }
}
