//! Which box an instruction means.

use crate::cli::exit::CliError;
use crate::sim::demonstration;
use crate::sim::scene::BoxColour;

/// The box that the instruction names; an error that names the two instructions where it names none or both.
pub(super) fn target(instruction: &str) -> Result<BoxColour, CliError> {
    let lower = instruction.to_lowercase();
    let words: Vec<&str> = lower.split(|letter: char| !letter.is_alphanumeric()).collect();
    let named: Vec<BoxColour> =
        BoxColour::ALL.into_iter().filter(|colour| words.contains(&colour.name())).collect();
    match named[..] {
        [colour] => Ok(colour),
        _ => Err(CliError::Arguments(format!(
            "the instruction {instruction:?} does not say which box: the shipped policy knows {:?} and {:?}",
            demonstration::instruction(BoxColour::White),
            demonstration::instruction(BoxColour::Red)
        ))),
    }
}

/// The instruction of one of many episodes: the given one, or both in turn.
pub(super) fn of_episode(given: Option<&str>, seed: u64) -> String {
    let turn = BoxColour::ALL[usize::from(seed % 2 == 1)];
    given.map_or_else(|| demonstration::instruction(turn), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_names_one_box() {
        assert_eq!(target("Pick up the white box").unwrap(), BoxColour::White);
        assert_eq!(target("take the RED one, please").unwrap(), BoxColour::Red);
        for vague in ["Pick up a box", "the red or the white box", "tired", ""] {
            assert!(target(vague).unwrap_err().to_string().contains("Pick up the red box"), "{vague}");
        }
    }
}
