//! `--inject`: the fault drill's flag, its table, and what a real arm may not see.

use std::fmt::Write as _;

use super::exit::CliError;
use super::terminal;
use crate::camera::FrameSource;
use crate::inject::{Drill, DrillHelp, DrillKind, FaultPlace};
use crate::sim::virtual_board::Fault;
use crate::types::TimedFault;

/// Whether the user asks what there is.
pub(super) fn is_help(list: Option<&str>) -> bool {
    list == Some("help")
}

/// One line a fault, for people.
pub(super) fn table() -> String {
    let mut text = "Faults:\n".to_owned();
    for fault in DrillHelp::ALL {
        // writing into a String cannot fail
        let _ = writeln!(text, "  {:<20} {}; such as {}", fault.name, fault.effect, fault.example);
    }
    text.push_str(
        "\nTimes count from the moment the policy takes charge; those of serial.* and stuck-joint from the start of the emulated board.",
    );
    text
}

/// The drill that was asked for, told to people.
pub(super) fn drill(list: Option<&str>) -> Result<Option<Drill>, CliError> {
    let Some(list) = list else { return Ok(None) };
    let drill = Drill::parse_list(list).map_err(|error| CliError::Arguments(format!("--inject: {error}")))?;
    terminal::say(format!("fault drill: {list} goes wrong on purpose"));
    Ok(Some(drill))
}

/// Refuses what this arm may not see.
pub(super) fn check_arm(drill: &Drill, emulated: bool) -> Result<(), CliError> {
    if let Some(fault) = drill.at(FaultPlace::Board).next() {
        let DrillKind::Board(name) = fault.kind else { return Ok(()) };
        return Err(CliError::Arguments(format!(
            "--inject {}: this happens on the board, which `roarm run` does not own: start it with `roarm sim --fault {name}…`, or use \
             `roarm demo`",
            fault.timed
        )));
    }
    match drill.first_for_emulated_arms_only() {
        Some(fault) if !emulated => Err(CliError::Arguments(format!(
            "--inject {}: on a real arm only camera.* and disk.full may be injected, since everything else spoils what protects it; run it \
             against `roarm sim`",
            fault.timed
        ))),
        _ => Ok(()),
    }
}

/// The faults that the virtual board itself has.
pub(super) fn board_faults(drill: &Drill) -> Result<Vec<Fault>, CliError> {
    let mut faults = Vec::new();
    for fault in drill.at(FaultPlace::Board) {
        let DrillKind::Board(name) = fault.kind else { continue };
        let own = TimedFault { name: name.to_owned(), ..fault.timed.clone() };
        let read = Fault::parse_list(&own.to_string(), 1);
        faults
            .extend(read.map_err(|error| CliError::Arguments(format!("--inject {}: {error}", fault.timed)))?);
    }
    Ok(faults)
}

/// The cameras, with the faults that each has.
pub(super) fn cameras(
    drill: Option<&Drill>,
    cameras: Vec<Box<dyn FrameSource>>,
) -> Vec<Box<dyn FrameSource>> {
    match drill {
        None => cameras,
        Some(drill) => {
            cameras.into_iter().enumerate().map(|(index, camera)| drill.camera(index + 1, camera)).collect()
        }
    }
}
