//! Texts of single flags.

use std::time::Duration;

use firmware_protocol::Generation;

use crate::cli::exit::CliError;
use crate::config::{Firmware, ScheduleChoice};

/// `--duration` as a length of time.
pub(in crate::cli) fn duration(seconds: f64) -> Result<Duration, CliError> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero()).ok_or_else(|| {
        CliError::Arguments(format!("--duration {seconds} is no length of time: give seconds above 0"))
    })
}

/// A flag's text as a number of threads, as `roarm.toml` allows it.
pub(in crate::cli) fn parse_threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|threads| (1..=256).contains(threads))
        .ok_or_else(|| "give a number from 1 to 256".to_owned())
}

/// A flag's text as a schedule.
pub(in crate::cli) fn parse_schedule(text: &str) -> Result<ScheduleChoice, String> {
    match text {
        "sync" => Ok(ScheduleChoice::Sync),
        "async" => Ok(ScheduleChoice::Async),
        "rtc" => Ok(ScheduleChoice::RealTime),
        _ => Err("use sync, async or rtc".to_owned()),
    }
}

/// A flag's text as a firmware generation.
pub(in crate::cli) fn parse_firmware(text: &str) -> Result<Firmware, String> {
    match text {
        "auto" => Ok(Firmware::Auto),
        "g1" => Ok(Firmware::G1),
        "g1b" => Ok(Firmware::G1b),
        "g3" => Ok(Firmware::G3),
        _ => Err("use auto, g1, g1b or g3".to_owned()),
    }
}

/// The generation that was named; `None` to detect it.
pub(in crate::cli) const fn generation(firmware: Firmware) -> Option<Generation> {
    match firmware {
        Firmware::Auto => None,
        Firmware::G1 => Some(Generation::G1),
        Firmware::G1b => Some(Generation::G1b),
        Firmware::G3 => Some(Generation::G3),
    }
}
