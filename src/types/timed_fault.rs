//! Lists of faults as users write them: `cut@5s:2s,2:dead-servo=14`. What a name means is the reader's business.

use std::fmt;
use std::time::Duration;

/// One fault of a list: `[N:]NAME[=VALUE][@START][:DURATION]`.
///
/// `N:` addresses one of several devices. Names may have parts (`camera.freeze`). Times are numbers with `ms`, `s` or `min`;
/// a bare number is seconds. Without a start the fault is there from the beginning, without a duration it stays.
///
/// ```
/// use std::time::Duration;
/// use roarm::types::TimedFault;
///
/// let faults = TimedFault::parse_list("camera.freeze@3s,serial.cut@5s:2s,2:dead-servo=14").unwrap();
/// assert_eq!(faults[1].name, "serial.cut");
/// assert_eq!((faults[1].start, faults[1].duration), (Duration::from_secs(5), Some(Duration::from_secs(2))));
/// assert_eq!((faults[2].target, faults[2].value.as_deref()), (Some(2), Some("14")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedFault {
    /// The device that it happens to, counted from 1; `None` is all.
    pub target: Option<usize>,
    /// Which fault.
    pub name: String,
    /// How much of it, or where.
    pub value: Option<String>,
    /// When it begins, on the clock of the run.
    pub start: Duration,
    /// How long it lasts.
    pub duration: Option<Duration>,
}

/// Why a list was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimedFaultError {
    /// Two commas, or nothing at all.
    #[error(
        "a fault is missing in `{list}`: write faults with one comma between them, such as cut@5s:2s,drop=0.01"
    )]
    Empty {
        /// The whole list.
        list: String,
    },
    /// No name where one belongs.
    #[error(
        "`{fault}` has no fault's name: write [BOARD:]NAME[=VALUE][@START][:DURATION], such as cut@5s:2s or 2:dead-servo=14"
    )]
    Name {
        /// The fault as written.
        fault: String,
    },
    /// A number that is no time.
    #[error(
        "`{text}` in `{fault}` is no {what}: write a number with s, ms or min, such as {fault_name}@5s:500ms"
    )]
    Time {
        /// The fault as written.
        fault: String,
        /// Its name.
        fault_name: String,
        /// What stands where a time belongs.
        text: String,
        /// `start` or `duration`.
        what: &'static str,
    },
    /// A device 0.
    #[error("`{fault}`: boards are counted from 1, such as 1:{name}")]
    Target {
        /// The fault as written.
        fault: String,
        /// Its name.
        name: String,
    },
}

impl TimedFault {
    /// Reads a list with commas.
    ///
    /// # Errors
    /// What is wrong with the first fault that cannot be read, with an example.
    pub fn parse_list(list: &str) -> Result<Vec<Self>, TimedFaultError> {
        list.split(',')
            .map(|fault| match fault.trim() {
                "" => Err(TimedFaultError::Empty { list: list.to_owned() }),
                fault => Self::parse(fault),
            })
            .collect()
    }

    /// A time as it stands in a fault: a number with `s`, `ms` or `min`; a bare number is seconds. `None` for anything else.
    pub fn parse_time(text: &str) -> Option<Duration> {
        parse_time(text)
    }

    fn parse(fault: &str) -> Result<Self, TimedFaultError> {
        let (target, rest) = match fault.split_once(':') {
            Some((number, rest))
                if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                (Some(number), rest)
            }
            _ => (None, fault),
        };
        // from the back: a value may hold anything but these marks
        let (rest, duration) = split_last(rest, ':');
        let (rest, start) = split_last(rest, '@');
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (rest, None),
        };
        let in_name = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !name.chars().all(in_name) {
            return Err(TimedFaultError::Name { fault: fault.to_owned() });
        }
        let time = |text: &str, what| {
            parse_time(text).ok_or_else(|| TimedFaultError::Time {
                fault: fault.to_owned(),
                fault_name: name.to_owned(),
                text: text.to_owned(),
                what,
            })
        };
        let duration = duration.map(|text| time(text, "duration")).transpose()?;
        if duration == Some(Duration::ZERO) {
            return Err(TimedFaultError::Time {
                fault: fault.to_owned(),
                fault_name: name.to_owned(),
                text: "0".to_owned(),
                what: "duration above 0",
            });
        }
        let target = target
            .map(|number| match number.parse() {
                Ok(number @ 1..) => Ok(number),
                _ => Err(TimedFaultError::Target { fault: fault.to_owned(), name: name.to_owned() }),
            })
            .transpose()?;
        let start = start.map_or(Ok(Duration::ZERO), |text| time(text, "start"))?;
        Ok(Self { target, name: name.to_owned(), value, start, duration })
    }
}

fn split_last(text: &str, mark: char) -> (&str, Option<&str>) {
    text.rsplit_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// A year; more is a slip of the pen.
const LONGEST_S: f64 = 365.0 * 86_400.0;

fn parse_time(text: &str) -> Option<Duration> {
    let (number, unit_s) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1e-3)
    } else if let Some(number) = text.strip_suffix("min") {
        (number, 60.0)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1.0)
    };
    // `parse` would also take a sign, an exponent, `inf` and `nan`
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let seconds = number.parse::<f64>().ok()? * unit_s;
    (seconds <= LONGEST_S).then(|| Duration::from_secs_f64(seconds))
}

/// A time as it would be written in a list.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() != 0 && self.0.as_secs() == 0 {
            write!(formatter, "{}ms", self.0.as_secs_f64() * 1e3)
        } else {
            write!(formatter, "{}s", self.0.as_secs_f64())
        }
    }
}

impl fmt::Display for TimedFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(target) = self.target {
            write!(formatter, "{target}:")?;
        }
        formatter.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(formatter, "={value}")?;
        }
        if self.start > Duration::ZERO {
            write!(formatter, "@{}", Time(self.start))?;
        }
        self.duration.map_or(Ok(()), |duration| write!(formatter, ":{}", Time(duration)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> TimedFault {
        let mut faults = TimedFault::parse_list(text).unwrap();
        assert_eq!(faults.len(), 1, "{text}");
        faults.remove(0)
    }

    #[test]
    fn each_part_may_be_left_out() {
        let bare = TimedFault {
            target: None,
            name: "cut".to_owned(),
            value: None,
            start: Duration::ZERO,
            duration: None,
        };
        assert_eq!(one("cut"), bare);
        assert_eq!(one(" cut "), bare);
        assert_eq!(one("cut@5s"), TimedFault { start: Duration::from_secs(5), ..bare.clone() });
        assert_eq!(one("cut:2s"), TimedFault { duration: Some(Duration::from_secs(2)), ..bare.clone() });
        assert_eq!(one("12:cut:250ms").duration, Some(Duration::from_millis(250)));
        assert_eq!(one("12:cut:250ms").target, Some(12));
        let full = one("2:drop=0.01@1.5min:0.5");
        assert_eq!((full.target, full.name.as_str(), full.value.as_deref()), (Some(2), "drop", Some("0.01")));
        assert_eq!((full.start.as_secs(), full.duration), (90, Some(Duration::from_millis(500))));
    }

    #[test]
    fn the_list_of_the_fault_drill_reads_alike() {
        let faults = TimedFault::parse_list("camera.freeze@3s,serial.cut@5s:2s").unwrap();
        assert_eq!((faults[0].name.as_str(), faults[0].start.as_secs()), ("camera.freeze", 3));
        assert_eq!(
            (faults[1].name.as_str(), faults[1].duration),
            ("serial.cut", Some(Duration::from_secs(2)))
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_an_example() {
        for (list, parts) in [
            ("", ["missing", "cut@5s:2s"]),
            ("cut,,drop=1", ["`cut,,drop=1`", "one comma"]),
            ("=5", ["`=5`", "NAME"]),
            ("5", ["`5`", "2:dead-servo=14"]),
            ("2:", ["`2:`", "NAME"]),
            ("cut it@5s", ["`cut it@5s`", "NAME"]),
            ("cut@", ["`` in `cut@`", "no start"]),
            ("cut@soon", ["`soon`", "cut@5s:500ms"]),
            ("cut@-1s", ["`-1s`", "no start"]),
            ("cut@5s:", ["no duration", "cut@5s"]),
            ("cut@5s:0s", ["duration above 0", "cut@5s"]),
            ("cut@1e9s", ["`1e9s`", "no start"]),
            ("cut@99999999999s", ["`99999999999s`", "no start"]),
            ("cut@1..5s", ["`1..5s`", "no start"]),
            ("cut@5h", ["`5h`", "min"]),
            ("0:cut", ["counted from 1", "1:cut"]),
            ("99999999999999999999999:cut", ["counted from 1", "1:cut"]),
        ] {
            let message = TimedFault::parse_list(list).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{list}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(list in ".{0,60}") {
            let _ = TimedFault::parse_list(&list);
        }

        #[test]
        fn what_is_written_reads_back(
            target in prop::option::of(1_usize..99),
            name in "[a-z][a-z0-9.-]{0,12}",
            value in prop::option::of("[a-z0-9.-]{1,8}"),
            start_ms in 0_u64..10_000_000,
            duration_ms in prop::option::of(1_u64..10_000_000),
        ) {
            let fault = TimedFault {
                target, name, value,
                start: Duration::from_millis(start_ms),
                duration: duration_ms.map(Duration::from_millis),
            };
            prop_assert_eq!(TimedFault::parse_list(&fault.to_string()).unwrap(), vec![fault]);
        }
    }
}
