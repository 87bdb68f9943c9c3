//! What can be injected, by name.

use std::time::Duration;

use super::DrillError;
use crate::types::TimedFault;

/// A longer step of the clock is a slip of the pen.
const LONGEST_STEP: Duration = Duration::from_secs(600);

/// Where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultPlace {
    /// Between a camera and its capture thread: harmless on a real arm.
    Camera,
    /// Between the engine and the inference thread.
    Policy,
    /// Between the link and the control thread.
    Control,
    /// In the clocks that control and its watchdog go by.
    Clock,
    /// In the thread that owns the port.
    Link,
    /// Between the recorder and the run log's file: harmless on a real arm.
    Disk,
    /// In the virtual board, on its own clock.
    Board,
}

/// A thread of a run that can be made to panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillThread {
    /// A capture thread.
    Camera,
    /// Inference.
    Inference,
    /// Control.
    Control,
    /// The thread that watches control.
    Watchdog,
    /// The thread that owns the port.
    Link,
}

/// What happens to a run. [`DrillHelp::ALL`] says what each does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "one table says it for people and readers alike: `DrillHelp::ALL`")]
pub enum DrillKind {
    CameraFreeze,
    CameraDrop {
        /// How likely each picture is lost.
        probability: f64,
    },
    CameraCorrupt,
    CameraStall,
    CameraGone,
    PolicyNan,
    PolicyInfinity,
    PolicyStall,
    PolicyError,
    PolicySlow(Duration),
    FeedbackFrozen,
    FeedbackImpossible,
    ControlStall,
    ClockStep(Duration),
    ThreadPanic(DrillThread),
    DiskFull,
    /// The virtual board's fault of this name.
    Board(&'static str),
}

/// A row of the table that `--inject help` prints.
#[derive(Clone, Copy, Debug)]
pub struct DrillHelp {
    /// The name.
    pub name: &'static str,
    /// What stands behind `=`.
    pub takes: &'static str,
    /// How it is written.
    pub example: &'static str,
    /// What it does.
    pub effect: &'static str,
}

const fn row(
    name: &'static str,
    takes: &'static str,
    example: &'static str,
    effect: &'static str,
) -> DrillHelp {
    DrillHelp { name, takes, example, effect }
}

impl DrillHelp {
    /// Every fault.
    pub const ALL: [Self; 20] = [
        row(
            "camera.freeze",
            "no value",
            "camera.freeze@3s",
            "the same picture again and again, with new times",
        ),
        row(
            "camera.drop",
            "a probability above 0, up to 1 (default 0.5)",
            "camera.drop=0.5@3s",
            "pictures get lost",
        ),
        row("camera.corrupt", "no value", "camera.corrupt@3s:2s", "every picture is noise"),
        row(
            "camera.stall",
            "no value",
            "camera.stall@3s",
            "no picture comes, and the camera reports no error",
        ),
        row("camera.gone", "no value", "camera.gone@3s", "the camera reports that it was pulled"),
        row("policy.nan", "no value", "policy.nan@3s", "every action of a chunk is NaN"),
        row("policy.inf", "no value", "policy.inf@3s", "every action of a chunk is infinite"),
        row("policy.stall", "no value", "policy.stall@3s", "a chunk is never finished"),
        row("policy.error", "no value", "policy.error@3s", "inference fails"),
        row(
            "policy.slow",
            "milliseconds up to 60000",
            "policy.slow=300@3s",
            "every chunk takes so much longer",
        ),
        row(
            "feedback.frozen",
            "no value",
            "feedback.frozen@3s",
            "feedback comes in time and shows the same pose for ever",
        ),
        row(
            "feedback.impossible",
            "no value",
            "feedback.impossible@3s",
            "feedback shows a pose that no arm has",
        ),
        row("control.stall", "no value", "control.stall@3s", "the control thread hangs inside a tick"),
        row(
            "clock.step",
            "a time up to 10 minutes, such as 2s, and no duration",
            "clock.step=2s@3s",
            "the control thread's clock jumps forward, as after a computer that stood still",
        ),
        row(
            "thread.panic",
            "camera, inference, control, watchdog or link",
            "thread.panic=control@3s",
            "that thread panics",
        ),
        row(
            "disk.full",
            "no value",
            "disk.full@3s",
            "the disk of the run log is full: writes fail (needs --log)",
        ),
        row("serial.cut", "no value", "serial.cut@5s:2s", "the port disappears and comes back"),
        row(
            "serial.garbage",
            "bursts a second (default 5)",
            "serial.garbage=5@3s:2s",
            "bursts of random bytes, both ways",
        ),
        row(
            "serial.slow",
            "bytes a second (default 2000)",
            "serial.slow=2000@3s:2s",
            "a slower wire, both ways",
        ),
        row(
            "stuck-joint",
            "base, shoulder, elbow, wrist, roll or gripper",
            "stuck-joint=elbow@3s",
            "the joint stays where it is",
        ),
    ];

    fn named(name: &str) -> Result<&'static Self, DrillError> {
        let all = &const { Self::ALL };
        all.iter().find(|help| help.name == name).ok_or_else(|| {
            let distance = |help: &&Self| strsim::damerau_levenshtein(name, help.name);
            let nearest = all.iter().min_by_key(distance).unwrap_or(&all[0]);
            DrillError::UnknownName { name: name.to_owned(), nearest: nearest.name, example: nearest.example }
        })
    }
}

impl DrillKind {
    pub(super) fn of(fault: &TimedFault) -> Result<Self, DrillError> {
        let help = DrillHelp::named(&fault.name)?;
        let refused = || DrillError::Value {
            fault: fault.to_string(),
            name: help.name,
            takes: help.takes,
            example: help.example,
        };
        let kind = Self::read(help.name, fault.value.as_deref()).ok_or_else(refused)?;
        if matches!(kind, Self::ClockStep(_)) && fault.duration.is_some() {
            // A clock that steps back again runs backwards.
            return Err(refused());
        }
        if fault.target.is_some() && kind.place() != FaultPlace::Camera {
            return Err(DrillError::Target { fault: fault.to_string() });
        }
        Ok(kind)
    }

    /// `None` for a value that does not fit. Those of the board are read where the board's faults are.
    fn read(name: &str, value: Option<&str>) -> Option<Self> {
        let alone = |kind| value.is_none().then_some(kind);
        match name {
            "camera.freeze" => alone(Self::CameraFreeze),
            "camera.drop" => {
                let probability = value.map_or(Some(0.5), |text| text.parse().ok())?;
                (probability > 0.0 && probability <= 1.0).then_some(Self::CameraDrop { probability })
            }
            "camera.corrupt" => alone(Self::CameraCorrupt),
            "camera.stall" => alone(Self::CameraStall),
            "camera.gone" => alone(Self::CameraGone),
            "policy.nan" => alone(Self::PolicyNan),
            "policy.inf" => alone(Self::PolicyInfinity),
            "policy.stall" => alone(Self::PolicyStall),
            "policy.error" => alone(Self::PolicyError),
            "policy.slow" => {
                let millis = value?.parse().ok().filter(|millis| (1..=60_000).contains(millis))?;
                Some(Self::PolicySlow(Duration::from_millis(millis)))
            }
            "feedback.frozen" => alone(Self::FeedbackFrozen),
            "feedback.impossible" => alone(Self::FeedbackImpossible),
            "control.stall" => alone(Self::ControlStall),
            "clock.step" => {
                let step = value.and_then(TimedFault::parse_time)?;
                (!step.is_zero() && step <= LONGEST_STEP).then_some(Self::ClockStep(step))
            }
            "thread.panic" => Some(Self::ThreadPanic(match value? {
                "camera" => DrillThread::Camera,
                "inference" => DrillThread::Inference,
                "control" => DrillThread::Control,
                "watchdog" => DrillThread::Watchdog,
                "link" => DrillThread::Link,
                _ => return None,
            })),
            "disk.full" => alone(Self::DiskFull),
            "serial.cut" => alone(Self::Board("cut")),
            "serial.garbage" => Some(Self::Board("garbage")),
            "serial.slow" => Some(Self::Board("slow")),
            "stuck-joint" => value.map(|_| Self::Board("stuck-joint")),
            _ => None,
        }
    }

    /// Where it happens.
    pub const fn place(self) -> FaultPlace {
        match self {
            Self::CameraFreeze
            | Self::CameraDrop { .. }
            | Self::CameraCorrupt
            | Self::CameraStall
            | Self::CameraGone
            | Self::ThreadPanic(DrillThread::Camera) => FaultPlace::Camera,
            Self::PolicyNan
            | Self::PolicyInfinity
            | Self::PolicyStall
            | Self::PolicyError
            | Self::PolicySlow(_)
            | Self::ThreadPanic(DrillThread::Inference) => FaultPlace::Policy,
            Self::FeedbackFrozen
            | Self::FeedbackImpossible
            | Self::ControlStall
            | Self::ThreadPanic(DrillThread::Control) => FaultPlace::Control,
            Self::ClockStep(_) | Self::ThreadPanic(DrillThread::Watchdog) => FaultPlace::Clock,
            Self::ThreadPanic(DrillThread::Link) => FaultPlace::Link,
            Self::DiskFull => FaultPlace::Disk,
            Self::Board(_) => FaultPlace::Board,
        }
    }

    /// Whether a real arm may see it: the picture or the log alone is spoilt, and the arm's own protection is as it always is.
    pub const fn is_for_any_arm(self) -> bool {
        matches!(
            self,
            Self::CameraFreeze
                | Self::CameraDrop { .. }
                | Self::CameraCorrupt
                | Self::CameraStall
                | Self::CameraGone
                | Self::DiskFull
        )
    }
}
