//! How the virtual board's servos move.

use crate::steps::STEP_RAD;

/// How the servos move: everything here is a model or a choice, no value of it is in the firmware.
///
/// Three presets: [`ServoOptions::clean`] (the default: almost no sag or dead zone, so that tests of other things see clean
/// motion), [`ServoOptions::stock`] (the arm as delivered, as measured by its owners) and [`ServoOptions::instant`].
///
/// The model, one tick a millisecond: the goal is approached by a trapezoid in register units (speed steps/s, acceleration
/// 100 steps/s²); the servo pulls towards it with a duty proportional to the error and to its P gain; gravity, torques from
/// outside and Coulomb friction act against that. So sag and dead zone both scale with 16/P, a P of 0 leaves the joint limp,
/// and the load in the feedback is the duty. The I and D gains are kept and read back; they do not act.
#[derive(Clone, Debug, PartialEq)]
pub struct ServoOptions {
    /// Goals are reached at once, without sag, dead zone or limits. For comparison with traces. Default false.
    pub instant: bool,
    /// What is built in as servos 11..=17. Default ST3215 everywhere; which joints of the M3-S have the fast HS type is
    /// not documented by the vendor.
    pub kinds: [ServoKind; 7],
    /// Sag of the shoulder with the arm stretched out level and P = 16, degrees; elsewhere less in proportion to the moment
    /// on each servo. 0: no gravity. Clean 0.5, stock 3.
    pub sag_deg: f64,
    /// How far each joint may stop short of its goal at P = 16, degrees (friction), in the order of [`crate::Joint::ALL`].
    /// Clean 0.1, stock 0.9, 0.8, 1.0, 0.7, 0.7, 0.5.
    pub dead_zone_deg: [f64; 6],
    /// Whether speed falls with load. Clean no, stock yes.
    pub loaded_speed: LoadedSpeed,
    /// What a servo does when its torque comes back: not known of the real one. Default [`TorqueReturn::Hold`].
    pub torque_return: TorqueReturn,
    /// What a goal of step −1 does (base or roll commanded to +π): not known. Default [`StepMinusOne::OneBelow`].
    pub step_minus_one: StepMinusOne,
    /// Whether P and I take effect although the firmware writes them with the EEPROM locked (T:108, T:109 and at boot).
    /// Not known, probably yes. If not, servos keep the factory's P = 32. Default true.
    pub locked_gains_act: bool,
    /// Whether a servo has its torque on when it gets its supply. Not known. Default true.
    pub torque_at_power_on: bool,
    /// Speed of a limp joint falling at full leverage, rad/s. Default 1.5; not measured.
    pub fall_rad_per_s: f64,
    /// Loads that the servos (ids 11..=17) report instead of the model's. Default none.
    pub loads: Option<[i16; 7]>,
    /// Servos (ids 11..=17) that do not answer. Default none.
    pub dead: [bool; 7],
}

impl ServoOptions {
    /// Almost ideal servos: sag 0.5°, dead zone 0.1°, full speed under load. The default.
    #[must_use]
    pub fn clean() -> Self {
        Self {
            instant: false,
            kinds: [ServoKind::St3215; 7],
            sag_deg: 0.5,
            dead_zone_deg: [0.1; 6],
            loaded_speed: LoadedSpeed::Unlimited,
            torque_return: TorqueReturn::Hold,
            step_minus_one: StepMinusOne::OneBelow,
            locked_gains_act: true,
            torque_at_power_on: true,
            fall_rad_per_s: 1.5,
            loads: None,
            dead: [false; 7],
        }
    }

    /// The arm as delivered (proportional control, P = 16, I = 0), fitted to what owners measured at speed 20,
    /// acceleration 1, around home:
    ///
    /// | motion | measured | model |
    /// |---|---|---|
    /// | wrist to 0° from above | ends at +0.967° | +0.967° |
    /// | wrist to 0° from below | ends at −0.439° | −0.439° |
    /// | base, a step of 1° | moves 0.088° | 0.088° |
    /// | elbow, −5° (up) | moves −2.0° | −2.4° |
    /// | elbow, +3° (down) | moves +3.5° | +3.6° |
    /// | shoulder, arm stretched out level | sags about 3° | 3° ± dead zone |
    ///
    /// The elbow's measurements would be met by a dead zone of 1.25°; 1° is the most that was reported otherwise.
    #[must_use]
    pub fn stock() -> Self {
        Self {
            sag_deg: 3.0,
            dead_zone_deg: [0.9, 0.8, 1.0, 0.7, 0.7, 0.5],
            loaded_speed: LoadedSpeed::FallsWithLoad,
            ..Self::clean()
        }
    }

    /// Servos that stand at their goals as soon as they are written, as in the traces of the vendor's firmware.
    #[must_use]
    pub fn instant() -> Self {
        Self { instant: true, ..Self::clean() }
    }

    /// Steps of a sag or a dead zone.
    pub(super) fn steps_of_degrees(degrees: f64) -> f64 {
        degrees.to_radians() / STEP_RAD
    }
}

impl Default for ServoOptions {
    /// [`ServoOptions::clean`].
    fn default() -> Self {
        Self::clean()
    }
}

/// A type of bus servo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ServoKind {
    /// 30 kg·cm, 45 rpm at 12 V: RoArm-M3-S.
    #[default]
    St3215,
    /// The same in a metal case: RoArm-M3-Pro, all but roll and gripper.
    St3235,
    /// 20 kg·cm, 106 rpm at 12 V.
    St3215Hs,
}

impl ServoKind {
    /// Top speed without load, steps/s: 0.222 s and 0.094 s for 60° by the vendor's table.
    #[must_use]
    pub const fn top_speed_steps_per_s(self) -> f64 {
        match self {
            Self::St3215 | Self::St3235 => 3070.0,
            Self::St3215Hs => 7260.0,
        }
    }

    /// Torque at stall and full output, N·m at 12 V.
    #[must_use]
    pub const fn stall_torque_nm(self) -> f64 {
        match self {
            Self::St3215 | Self::St3235 => 2.94,
            Self::St3215Hs => 1.96,
        }
    }

    /// Current at stall and full output, mA at 12 V, by the vendor's table (2.7 A); taken for all types.
    pub(super) const STALL_MA: f64 = 2700.0;
}

/// Whether a servo's speed falls with its load. That of the real one has not been measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LoadedSpeed {
    /// Up to its torque limit a servo follows its trapezoid without lag.
    #[default]
    Unlimited,
    /// A motor's straight line from stall to top speed: the shaft lags behind the trapezoid, the more the faster (about 2.5°
    /// at 1 rad/s), and heavy loads are lifted slower than they are let down.
    FallsWithLoad,
}

/// What a servo does when its torque is switched on again without a new goal, and when its middle was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TorqueReturn {
    /// It holds where it is.
    #[default]
    Hold,
    /// It goes back to its old goal at its old speed.
    OldGoal,
}

/// What a servo makes of goal step −1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StepMinusOne {
    /// It stands one step below 0 and reads back −1.
    #[default]
    OneBelow,
    /// It keeps to its range of 0..=4095 and goes to 0.
    Clamped,
    /// It takes it modulo a turn and goes all the way round to 4095.
    FullTurn,
}

impl StepMinusOne {
    pub(super) fn goal(self, goal: i32) -> i32 {
        match self {
            Self::Clamped if goal < 0 => 0,
            Self::FullTurn if goal < 0 => 4096 + goal,
            _ => goal,
        }
    }
}
