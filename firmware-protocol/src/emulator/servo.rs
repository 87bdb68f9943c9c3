//! One servo: its registers, its trapezoid, its protection.

use super::drive::{DUTY_PER_STEP, Drive};
use super::servo_options::{ServoKind, ServoOptions, TorqueReturn};

/// Time of one step of the servo's own loop, s.
pub(super) const TICK_S: f64 = 0.001;

/// Overload (registers 34 to 36 as the factory sets them): more than 80 % of duty for 2 s cuts the output to 20 %.
const OVERLOAD_DUTY: f64 = 800.0;
const OVERLOAD_TICKS: u32 = 2000;
const PROTECTED_DUTY: f64 = 200.0;

/// P gain of a servo as delivered.
const FACTORY_P: u8 = 32;

/// Where something stands in the way of a joint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contact {
    /// The angle cannot go above this, rad: a closing hand on an object, an arm on the table.
    Above(f64),
    /// The angle cannot go below this, rad.
    Below(f64),
}

/// What stands in a servo's control registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServoRegisters {
    /// Goal, steps (register 42).
    pub goal: i32,
    /// Speed, steps/s; 0 is the top speed (register 46).
    pub speed: u16,
    /// Acceleration, 100 steps/s²; 0 is no ramp (register 41).
    pub acceleration: u8,
    /// Torque switch (register 40).
    pub torque: bool,
    /// Torque limit, 0.1 % of duty (register 48).
    pub torque_limit: i32,
    /// Proportional gain (register 21).
    pub p_gain: u8,
    /// Integral gain (register 23).
    pub i_gain: u8,
}

#[derive(Clone, Debug)]
pub(super) struct Servo {
    /// Goal register, steps.
    pub(super) goal: i32,
    /// Speed register, steps/s; 0 is the top speed.
    pub(super) speed: u16,
    /// Acceleration register, 100 steps/s²; 0 is no ramp.
    pub(super) acceleration: u8,
    pub(super) torque: bool,
    pub(super) torque_limit: i32,
    pub(super) p: u8,
    pub(super) i: u8,
    /// The EEPROM is open (register 55).
    pub(super) unlocked: bool,
    /// P gain in the EEPROM, which a loss of supply brings back.
    stored_p: u8,
    /// It does not answer: broken, cut off, or without supply.
    pub(super) dead: bool,
    /// Shaft, steps; what the encoder sees before rounding.
    pub(super) shaft: f64,
    /// Reported load, 0.1 % of duty, positive towards larger steps.
    pub(super) load: i16,
    /// Current drawn, mA.
    pub(super) current_ma: f64,
    kind: ServoKind,
    profile: f64,
    velocity: f64,
    /// The shaft does not come after its profile.
    blocked: bool,
    overload_ticks: u32,
    /// Sense in which the servo pushed when its protection cut in.
    protecting: Option<f64>,
}

impl Servo {
    /// A servo at rest with the registers that the running firmware leaves.
    pub(super) fn at_rest(goal: i32, kind: ServoKind, options: &ServoOptions) -> Self {
        let steps = f64::from(goal);
        Self {
            goal,
            speed: 0,
            acceleration: 20,
            torque: true,
            torque_limit: 1000,
            p: if options.locked_gains_act { 16 } else { FACTORY_P },
            i: 0,
            unlocked: false,
            stored_p: FACTORY_P,
            dead: false,
            shaft: steps,
            load: 0,
            current_ma: 0.0,
            kind,
            profile: steps,
            velocity: 0.0,
            blocked: false,
            overload_ticks: 0,
            protecting: None,
        }
    }

    /// The supply comes on: the factory's registers; the shaft stays where it is.
    pub(super) fn power_on(&mut self, options: &ServoOptions) {
        (self.p, self.i, self.acceleration, self.torque_limit) = (self.stored_p, 0, 0, 1000);
        (self.torque, self.unlocked) = (options.torque_at_power_on, false);
        if !options.instant {
            self.goal = self.measured();
        }
        self.start_from_the_shaft();
        (self.overload_ticks, self.protecting) = (0, None);
    }

    /// The supply goes off: no torque, no answer.
    pub(super) fn power_off(&mut self) {
        self.torque = false;
        (self.load, self.current_ma) = (0, 0.0);
    }

    pub(super) fn registers(&self) -> ServoRegisters {
        ServoRegisters {
            goal: self.goal,
            speed: self.speed,
            acceleration: self.acceleration,
            torque: self.torque,
            torque_limit: self.torque_limit,
            p_gain: self.p,
            i_gain: self.i,
        }
    }

    pub(super) fn write_goal(&mut self, goal: i32, speed: u16, acceleration: u8, options: &ServoOptions) {
        if self.dead {
            return;
        }
        let goal = options.step_minus_one.goal(goal);
        if !self.torque || self.blocked {
            self.start_from_the_shaft();
        }
        let away = f64::from(goal) - self.shaft;
        if self.protecting.is_some_and(|sense| sense * away < 0.0) {
            (self.protecting, self.overload_ticks) = (None, 0);
        }
        (self.goal, self.speed, self.acceleration, self.torque) = (goal, speed, acceleration, true);
        if options.instant {
            self.place(f64::from(goal));
        }
    }

    pub(super) fn write_torque(&mut self, on: bool, options: &ServoOptions) {
        if self.dead || on == self.torque {
            return;
        }
        self.torque = on;
        self.start_from_the_shaft();
        (self.protecting, self.overload_ticks) = (None, 0);
        if on && !options.instant && options.torque_return == TorqueReturn::Hold {
            self.goal = self.measured();
        }
    }

    pub(super) fn write_gain(&mut self, address: u8, value: u8, options: &ServoOptions) {
        if self.dead || !(self.unlocked || options.locked_gains_act) {
            return;
        }
        if address == 21 {
            self.p = value;
            if self.unlocked {
                self.stored_p = value;
            }
        } else {
            self.i = value;
        }
    }

    /// Makes the present position the middle, 2048. Returns by how many steps the encoder's zero moved.
    pub(super) fn calibrate_middle(&mut self, options: &ServoOptions) -> f64 {
        if self.dead {
            return 0.0;
        }
        let moved = 2048.0 - self.shaft;
        self.place(2048.0);
        self.torque = true;
        if options.instant || options.torque_return == TorqueReturn::Hold {
            self.goal = 2048;
        }
        moved
    }

    /// Puts the shaft somewhere, at rest.
    pub(super) fn place(&mut self, steps: f64) {
        self.shaft = steps;
        self.start_from_the_shaft();
    }

    fn start_from_the_shaft(&mut self) {
        (self.profile, self.velocity, self.blocked) = (self.shaft, 0.0, false);
    }

    /// What the encoder says.
    pub(super) fn measured(&self) -> i32 {
        libm::round(self.shaft) as i32
    }

    pub(super) fn top_speed(&self) -> f64 {
        self.kind.top_speed_steps_per_s()
    }

    /// Duty of a torque.
    pub(super) fn duty_of(&self, torque_nm: f64) -> f64 {
        torque_nm / self.kind.stall_torque_nm() * 1000.0
    }

    /// Torque of a duty, N·m.
    pub(super) fn torque_nm_of(&self, duty: f64) -> f64 {
        duty / 1000.0 * self.kind.stall_torque_nm()
    }

    /// One tick of the trapezoid, if torque is on.
    pub(super) fn tick(&mut self) {
        if self.torque {
            self.advance_profile();
        }
    }

    /// What the servo pulls with, in its own steps, if torque is on.
    pub(super) fn drive(&self) -> Option<Drive> {
        if !self.torque {
            return None;
        }
        let stiffness = DUTY_PER_STEP * f64::from(self.p) / 16.0;
        let limit = f64::from(self.torque_limit.clamp(0, 1000));
        let limit = if self.protecting.is_some() { limit.min(PROTECTED_DUTY) } else { limit };
        Some(Drive { target: self.profile, stiffness, limit })
    }

    /// The shaft has moved to where it is after so many ticks (at least 1): what the servo reports, and whether it protects itself.
    pub(super) fn settle(&mut self, shaft: f64, drive: Option<Drive>, ticks: u32) {
        let moved = shaft - self.shaft;
        self.shaft = shaft;
        let Some(drive) = drive else {
            (self.load, self.current_ma) = (0, 0.0);
            return;
        };
        let duty = drive.duty(shaft);
        self.load = libm::round(duty) as i16;
        // A motor that turns with its duty draws less: back-EMF.
        let turning = moved / (TICK_S * f64::from(ticks)) / self.top_speed() * 1000.0;
        self.current_ma = ((duty - turning).abs() / 1000.0 * ServoKind::STALL_MA).min(ServoKind::STALL_MA);
        self.blocked = moved.abs() < 0.01 * f64::from(ticks) && (self.profile - shaft).abs() > 60.0;
        if duty.abs() <= OVERLOAD_DUTY {
            self.overload_ticks = 0;
        } else {
            self.overload_ticks += ticks;
            if self.overload_ticks >= OVERLOAD_TICKS {
                self.protecting = Some(duty.signum());
            }
        }
    }

    fn advance_profile(&mut self) {
        let top = self.top_speed();
        let limit = if self.speed == 0 { top } else { top.min(f64::from(self.speed)) };
        let left = f64::from(self.goal) - self.profile;
        let velocity = if self.acceleration == 0 {
            left.signum() * limit.min(left.abs() / TICK_S)
        } else {
            let change = f64::from(self.acceleration) * 100.0 * TICK_S;
            if left.abs() <= change * TICK_S && self.velocity.abs() <= 2.0 * change {
                left / TICK_S
            } else {
                // The speed from which it can still stop in time, counted in whole ticks.
                let stopping =
                    (change * change / 4.0 + 2.0 * change / TICK_S * left.abs()).sqrt() - change / 2.0;
                let wanted = left.signum() * limit.min(stopping);
                self.velocity + (wanted - self.velocity).clamp(-change, change)
            }
        };
        self.velocity = velocity;
        self.profile += velocity * TICK_S;
        if (f64::from(self.goal) - self.profile).abs() < 1e-9 {
            (self.profile, self.velocity) = (f64::from(self.goal), 0.0);
        }
    }
}
