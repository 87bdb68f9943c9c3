//! One T:1051 as a value.

use core::f64::consts::{FRAC_PI_2, PI};
use core::fmt;

use super::object::{Members, Value};
use crate::{FirmwareAngles, Joint, kinematics};

/// One T:1051: the board's measurement of itself. It carries no time and no sequence number.
///
/// Keys up to `g` are in every firmware; what follows depends on the build, and what was not sent is `None`, never 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feedback {
    /// Measured joint angles, rad (keys `b s e t r g`), in steps of 0.00153. A servo that did not answer keeps its last
    /// value here without any mark.
    pub angles: FirmwareAngles,
    /// Tool edge by the firmware's own [`kinematics`], mm (keys `x y z`); origin is the shoulder axis.
    pub position_mm: [f64; 3],
    /// Tool pitch, rad (key `tit`): 0 level, positive down.
    pub pitch_rad: f64,
    /// Servo load in 0.1 % of duty, −1000..1000, signed (keys `tB tS tE tT tR tG`), by joint. The shoulder's is the
    /// difference of its two servos, of which the second is only read at boot.
    pub loads: [Option<i16>; 6],
    /// Torque switches (keys `torswitchB` …; G2 and G3), by joint.
    pub torque_switches: [Option<TorqueSwitch>; 6],
    /// Supply, volt (key `v`, sent in 0.01 V; G2 and G3).
    pub supply_volt: Option<f64>,
    /// Number of keys in the line, `T` included.
    pub key_count: u8,
}

/// A servo's torque switch as reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TorqueSwitch {
    /// 0: limp, or (G3) the servo does not answer.
    Off,
    /// 1: holding.
    On,
    /// Any other number, usually −1: the switch could not be read.
    ReadError,
}

/// Which of the known shapes a frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackShape {
    /// Ends at `tR`: G1 built with ArduinoJson 6, whose 256-byte pool ends there.
    Keys16,
    /// Ends at `tG`: G1 built with ArduinoJson 7.
    Keys17,
    /// With torque switches and supply: G2 or G3.
    Keys24,
    /// None of these: a patched build, or a frame that lost something.
    Other,
}

/// Why the servos behind a frame are not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusFault {
    /// The angles are those of servos that were never read: no 12 V since boot, or the bus cable is off.
    NeverRead,
    /// The supply is below 6 V, as on USB power alone.
    LowSupply,
    /// No torque switch is on: limp servos, or (with an angle that stays) a dead bus.
    NoTorque,
}

impl fmt::Display for BusFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NeverRead => {
                "no servo has answered since the board started: switch 12 V on, then restart the board"
            }
            Self::LowSupply => "the supply is below 6 V: the board runs on USB power alone; switch 12 V on",
            Self::NoTorque => "no servo has its torque on: torque was switched off, or the servo bus is dead",
        })
    }
}

/// A key of T:1051 that every firmware sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackKey(u8);

impl FeedbackKey {
    const NAMES: [&'static str; 10] = ["x", "y", "z", "tit", "b", "s", "e", "t", "r", "g"];

    /// The key as in the line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("T")
    }
}

impl fmt::Display for FeedbackKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Why a line with `"T":1051` is not feedback. Such a line says nothing about the arm: count it and wait for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    /// Bytes were lost or mixed on the way.
    #[error("the feedback line is not one whole JSON object; bytes were lost on the way")]
    Broken,
    /// A pose value is missing.
    #[error("the feedback line lacks \"{0}\"")]
    Missing(FeedbackKey),
    /// A pose value is null, text, or no finite number. Patched firmware sends null for servos it could not read.
    #[error("\"{0}\" in the feedback line is no finite number; the board could not read its servos")]
    NotANumber(FeedbackKey),
    /// A key is there twice: two lines were spliced.
    #[error("a key is twice in the feedback line; two lines were spliced on the way")]
    Duplicate,
    /// Patched firmware says itself that the frame is invalid.
    #[error("the board marks its feedback as invalid")]
    MarkedInvalid,
}

/// Everything that one object may say, a place for each number.
struct Collected {
    /// NaN where the value is no finite number.
    numbers: [f64; Self::PLACES],
    /// A bit for each place whose key was there.
    seen: u32,
    marked_invalid: bool,
    duplicate: bool,
    keys: u8,
}

/// The joint of the last letter of a key such as `tB`.
fn joint_of_letter(letter: u8) -> Option<usize> {
    match letter {
        b'B' => Some(0),
        b'S' => Some(1),
        b'E' => Some(2),
        b'T' => Some(3),
        b'R' => Some(4),
        b'G' => Some(5),
        _ => None,
    }
}

impl Collected {
    /// The ten pose values come first, in the order of [`FeedbackKey`].
    const LOADS: usize = 10;
    const SWITCHES: usize = 16;
    const SUPPLY: usize = 22;
    const CODE: usize = 23;
    const PLACES: usize = 24;

    const fn new() -> Self {
        Self { numbers: [f64::NAN; Self::PLACES], seen: 0, marked_invalid: false, duplicate: false, keys: 0 }
    }

    /// Patterns of single bytes become one decision tree; there are up to 24 keys a line, 56 lines a second.
    fn place(key: &[u8]) -> Option<usize> {
        Some(match key {
            [b'T'] => Self::CODE,
            [b'x'] => 0,
            [b'y'] => 1,
            [b'z'] => 2,
            [b't', b'i', b't'] => 3,
            [b'b'] => 4,
            [b's'] => 5,
            [b'e'] => 6,
            [b't'] => 7,
            [b'r'] => 8,
            [b'g'] => 9,
            [b'v'] => Self::SUPPLY,
            [b't', joint] => Self::LOADS + joint_of_letter(*joint)?,
            [b't', b'o', b'r', b's', b'w', b'i', b't', b'c', b'h', joint] => {
                Self::SWITCHES + joint_of_letter(*joint)?
            }
            _ => return None,
        })
    }

    fn take(&mut self, key: &[u8], value: Value<'_>) {
        self.keys = self.keys.saturating_add(1);
        if let Some(place) = Self::place(key) {
            self.duplicate |= self.seen & (1 << place) != 0;
            self.seen |= 1 << place;
            self.numbers[place] = value.number().unwrap_or(f64::NAN);
        } else if key == b"feedback_valid" {
            self.marked_invalid |= value == Value::Bool(false);
        }
    }

    /// The number at a place, where the line has one.
    fn number(&self, place: usize) -> Option<f64> {
        let number = self.numbers[place];
        number.is_finite().then_some(number)
    }

    fn feedback(&self) -> Result<Feedback, FeedbackError> {
        if self.duplicate {
            return Err(FeedbackError::Duplicate);
        }
        if self.marked_invalid {
            return Err(FeedbackError::MarkedInvalid);
        }
        let mut pose = [0.0; Self::LOADS];
        for (key, number) in (0_u8..).zip(&mut pose) {
            let place = usize::from(key);
            if self.seen & (1 << place) == 0 {
                return Err(FeedbackError::Missing(FeedbackKey(key)));
            }
            *number = self.number(place).ok_or(FeedbackError::NotANumber(FeedbackKey(key)))?;
        }
        let [x, y, z, pitch_rad, angles @ ..] = pose;
        Ok(Feedback {
            angles: FirmwareAngles::from_array(angles),
            position_mm: [x, y, z],
            pitch_rad,
            loads: core::array::from_fn(|joint| self.number(Self::LOADS + joint).map(|load| load as i16)),
            torque_switches: core::array::from_fn(|joint| {
                Some(match self.number(Self::SWITCHES + joint)? {
                    0.0 => TorqueSwitch::Off,
                    1.0 => TorqueSwitch::On,
                    _ => TorqueSwitch::ReadError,
                })
            }),
            supply_volt: self.number(Self::SUPPLY).map(|hundredths| hundredths / 100.0),
            key_count: self.keys,
        })
    }
}

/// What a line is when read as an object.
pub(super) enum Object {
    Feedback(Result<Feedback, FeedbackError>),
    Other,
    /// Not one whole object.
    Broken,
}

pub(super) fn read(line: &[u8]) -> Object {
    let mut collected = Collected::new();
    let mut members = Members::new(line);
    for (key, value) in members.by_ref() {
        collected.take(key, value);
    }
    let is_feedback = collected.number(Collected::CODE) == Some(1051.0);
    match (members.complete(), is_feedback) {
        (true, true) => Object::Feedback(collected.feedback()),
        (true, false) => Object::Other,
        (false, true) => Object::Feedback(Err(FeedbackError::Broken)),
        (false, false) => Object::Broken,
    }
}

impl Feedback {
    /// Which known shape the frame has.
    #[must_use]
    pub fn shape(&self) -> FeedbackShape {
        let loads = self.loads.map(|load| load.is_some());
        let switches = self.torque_switches.iter().all(Option::is_some);
        match (self.key_count, loads) {
            (16, [true, true, true, true, true, false]) => FeedbackShape::Keys16,
            (17, [true, true, true, true, true, true]) => FeedbackShape::Keys17,
            (24, _) if switches && self.supply_volt.is_some() => FeedbackShape::Keys24,
            _ => FeedbackShape::Other,
        }
    }

    /// Whether the frame carries keys that only firmware of 2026 (G2, G3) sends. Without them: G1 or G1b.
    #[must_use]
    pub fn has_g3_keys(&self) -> bool {
        self.supply_volt.is_some() || self.torque_switches.iter().any(Option::is_some)
    }

    /// Whether all six angles are those of servos that were never read (step 0): the dead-bus signature. A bus that dies
    /// later shows frozen values instead.
    #[must_use]
    pub fn is_never_read_signature(&self) -> bool {
        let signature = [PI, -PI, -FRAC_PI_2, -PI, PI, 0.0];
        self.angles.to_array().into_iter().zip(signature).all(|(angle, zero)| (angle - zero).abs() < 1e-6)
    }

    /// Joints whose single angle is that of a servo never read. One alone may be a joint that really stands there.
    #[must_use]
    pub fn never_read_joints(&self) -> [bool; 6] {
        let (angles, zero) = (self.angles.to_array(), crate::steps::feedback_angles([0; 6]).to_array());
        Joint::ALL.map(|joint| (angles[joint.index()] - zero[joint.index()]).abs() < 1e-6)
    }

    /// What one frame alone tells against its own angles, worst first. `None` is no proof of health: G1 sends neither
    /// torque switches nor supply.
    #[must_use]
    pub fn bus_fault(&self) -> Option<BusFault> {
        if self.is_never_read_signature() {
            return Some(BusFault::NeverRead);
        }
        if self.supply_volt.is_some_and(|volt| volt < 6.0) {
            return Some(BusFault::LowSupply);
        }
        let mut known = self.torque_switches.iter().flatten().peekable();
        if known.peek().is_some() && known.all(|switch| *switch != TorqueSwitch::On) {
            return Some(BusFault::NoTorque);
        }
        None
    }

    /// Whether x, y, z and pitch follow from the angles within `tolerance_mm` (and a thousandth of it in rad). Lines have
    /// no checksum: a splice can be valid JSON with a wrong number, and this finds it for base, shoulder, elbow and wrist.
    /// An unspliced frame agrees within 1e-5 mm.
    #[must_use]
    pub fn agrees_with_kinematics(&self, tolerance_mm: f64) -> bool {
        let pose = kinematics::forward(self.angles);
        let near = |(computed, sent): (f64, f64)| (computed - sent).abs() <= tolerance_mm;
        pose.position_mm.into_iter().zip(self.position_mm).all(near)
            && (pose.pitch_rad - self.pitch_rad).abs() <= tolerance_mm * 1e-3
    }
}
