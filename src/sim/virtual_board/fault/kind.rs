//! What can happen, by name.

use firmware_protocol::Joint;

use super::FaultError;
use crate::types::TimedFault;

/// What happens to a board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// The cable is pulled: the device and its link, the TCP and the HTTP port go away and come back at the end.
    Cut,
    /// As `Cut`, and the device comes back under another name, as a USB adapter does that the kernel numbers anew.
    Replug,
    /// Bursts of 1 to 16 random bytes on the wire, both ways.
    Garbage {
        /// Mean number of bursts a second.
        bursts_per_s: f64,
    },
    /// The wire is slower, both ways; the firmware waits for it.
    Slow {
        /// Its speed. The real wire carries 11,520.
        bytes_per_s: u32,
    },
    /// Bytes get lost, both ways.
    Drop {
        /// How likely each byte is lost.
        probability: f64,
    },
    /// Nothing that the board sends arrives.
    Mute,
    /// Nothing that is sent to the board arrives.
    Deaf,
    /// The reset line: the board boots, with its homing motion.
    Reset,
    /// Servos that do not answer.
    DeadServo {
        /// Which of 11..=17.
        servos: [bool; 7],
    },
    /// A joint that cannot move.
    StuckJoint(Joint),
    /// A weak supply of the servos; below 6 V they let go.
    LowSupply {
        /// Its voltage.
        volt: f64,
    },
    /// The board runs on USB alone: the servos let go and answer no more.
    No12V,
}

/// A row of the table that `--fault help` prints.
#[derive(Clone, Copy, Debug)]
pub struct FaultHelp {
    /// The name.
    pub name: &'static str,
    /// What stands behind `=`.
    pub takes: &'static str,
    /// How it is written.
    pub example: &'static str,
    /// What it does.
    pub effect: &'static str,
}

impl FaultHelp {
    /// Every fault.
    pub const ALL: [Self; 12] = [
        Self {
            name: "cut",
            takes: "no value",
            example: "cut@5s:2s",
            effect: "the port disappears, with its link, and comes back; TCP and HTTP too",
        },
        Self {
            name: "replug",
            takes: "no value",
            example: "replug@5s:2s",
            effect: "as cut, but the port comes back as another device; its link names that one",
        },
        Self {
            name: "garbage",
            takes: "bursts a second (default 5)",
            example: "garbage=5@3s:10s",
            effect: "bursts of random bytes between and inside lines, both ways",
        },
        Self {
            name: "slow",
            takes: "bytes a second (default 2000)",
            example: "slow=2000@3s:10s",
            effect: "a slower wire, both ways; a healthy one carries 11520",
        },
        Self {
            name: "drop",
            takes: "a probability between 0 and 1",
            example: "drop=0.01",
            effect: "each byte is lost with this probability, both ways",
        },
        Self {
            name: "mute",
            takes: "no value",
            example: "mute@5s:1s",
            effect: "nothing that the board says arrives; the port stays",
        },
        Self {
            name: "deaf",
            takes: "no value",
            example: "deaf@5s:1s",
            effect: "nothing that is sent to the board arrives; the port stays",
        },
        Self {
            name: "reset",
            takes: "no value",
            example: "reset@5s",
            effect: "the board boots: text, homing motion, deaf meanwhile",
        },
        Self {
            name: "dead-servo",
            takes: "a servo's id, 11 to 17, or all",
            example: "dead-servo=14@5s",
            effect: "the servo does not answer: 101 ms lost a scan, its angle is frozen",
        },
        Self {
            name: "stuck-joint",
            takes: "base, shoulder, elbow, wrist, roll or gripper",
            example: "stuck-joint=elbow@5s:3s",
            effect: "the joint stays where it is, whatever it is told; its load rises",
        },
        Self {
            name: "low-supply",
            takes: "volts from 0 to 30 (default 5.2)",
            example: "low-supply=5.2@5s",
            effect: "a weak supply: below 6 V the servos let go, and G3 complains in every pass",
        },
        Self {
            name: "no-12v",
            takes: "no value",
            example: "no-12v@5s:10s",
            effect: "the board runs on USB alone: the arm falls, no servo answers",
        },
    ];

    fn named(name: &str) -> Result<&'static Self, FaultError> {
        let all = &const { Self::ALL };
        all.iter().find(|help| help.name == name).ok_or_else(|| {
            let distance = |help: &&Self| strsim::damerau_levenshtein(name, help.name);
            let nearest = all.iter().min_by_key(distance).unwrap_or(&all[0]);
            FaultError::UnknownName { name: name.to_owned(), nearest: nearest.name, example: nearest.example }
        })
    }
}

impl FaultKind {
    pub(super) fn of(fault: &TimedFault) -> Result<Self, FaultError> {
        let help = FaultHelp::named(&fault.name)?;
        Self::read(help.name, fault.value.as_deref()).ok_or_else(|| FaultError::Value {
            fault: fault.to_string(),
            name: help.name,
            takes: help.takes,
            example: help.example,
        })
    }

    /// `None` for a value that does not fit.
    fn read(name: &str, value: Option<&str>) -> Option<Self> {
        let number = |least: f64, most: f64, default: Option<f64>| match value {
            None => default,
            Some(text) => text.parse().ok().filter(|number| (least..=most).contains(number)),
        };
        let alone = |kind| value.is_none().then_some(kind);
        match name {
            "cut" => alone(Self::Cut),
            "replug" => alone(Self::Replug),
            "mute" => alone(Self::Mute),
            "deaf" => alone(Self::Deaf),
            "reset" => alone(Self::Reset),
            "no-12v" => alone(Self::No12V),
            "garbage" => Some(Self::Garbage { bursts_per_s: number(0.001, 1000.0, Some(5.0))? }),
            "slow" => {
                let bytes_per_s = number(1.0, 1_000_000.0, Some(2000.0))?;
                Some(Self::Slow { bytes_per_s: bytes_per_s as u32 })
            }
            "drop" => Some(Self::Drop { probability: number(0.0, 1.0, None)? }),
            "low-supply" => Some(Self::LowSupply { volt: number(0.0, 30.0, Some(5.2))? }),
            "dead-servo" => {
                if value? == "all" {
                    return Some(Self::DeadServo { servos: [true; 7] });
                }
                let id: usize = value?.parse().ok().filter(|id| (11..=17).contains(id))?;
                let mut servos = [false; 7];
                servos[id - 11] = true;
                Some(Self::DeadServo { servos })
            }
            "stuck-joint" => {
                let names = ["base", "shoulder", "elbow", "wrist", "roll", "gripper"];
                let place = names.iter().position(|name| Some(*name) == value)?;
                Joint::ALL.get(place).copied().map(Self::StuckJoint)
            }
            _ => None,
        }
    }

    /// Whether it is over as soon as it began.
    pub const fn is_momentary(self) -> bool {
        matches!(self, Self::Reset)
    }
}
