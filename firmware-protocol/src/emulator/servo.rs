//! One servo: registers, a trapezoid profile, and a shaft that follows it.

use super::options::{ServoOptions, TorqueReturn};

/// Time of one step of the servo's own loop, s.
pub(super) const TICK_S: f64 = 0.001;

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
    pub(super) dead: bool,
    /// Shaft, steps; what the encoder sees before rounding.
    pub(super) shaft: f64,
    /// Reported load, 0.1 % of duty.
    pub(super) load: i16,
    profile: f64,
    velocity: f64,
}

impl Servo {
    /// A servo at rest with the registers that the running firmware leaves.
    pub(super) fn at_rest(goal: i32) -> Self {
        let steps = f64::from(goal);
        Self {
            goal,
            speed: 0,
            acceleration: 20,
            torque: true,
            torque_limit: 1000,
            p: 16,
            i: 0,
            dead: false,
            shaft: steps,
            load: 0,
            profile: steps,
            velocity: 0.0,
        }
    }

    /// Registers of a servo that has just got its supply; the shaft stays where it is.
    pub(super) fn power_on(&mut self) {
        (self.p, self.i, self.acceleration, self.torque_limit, self.torque) = (32, 0, 0, 1000, true);
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
        // A profile that ran ahead of a blocked or limp shaft starts again from the shaft.
        if !self.torque || (self.profile - self.shaft).abs() > 60.0 {
            (self.profile, self.velocity) = (self.shaft, 0.0);
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
        (self.profile, self.velocity) = (self.shaft, 0.0);
        if on && !options.instant && options.torque_return == TorqueReturn::Hold {
            self.goal = self.measured();
        }
    }

    /// Makes the present position the middle, 2048.
    pub(super) fn calibrate_middle(&mut self) {
        if !self.dead {
            self.place(2048.0);
            (self.goal, self.torque) = (2048, true);
        }
    }

    /// Puts the shaft somewhere, at rest.
    pub(super) fn place(&mut self, steps: f64) {
        (self.shaft, self.profile, self.velocity) = (steps, steps, 0.0);
    }

    /// What the encoder says.
    pub(super) fn measured(&self) -> i32 {
        libm::round(self.shaft) as i32
    }

    /// One millisecond. `sag` is how far gravity pulls the held shaft from its profile, `fall` how fast it pulls a limp
    /// one, both in steps and signed; `stops` bounds the shaft.
    pub(super) fn tick(&mut self, options: &ServoOptions, sag: f64, fall: f64, stops: (f64, f64)) {
        if self.torque {
            self.advance_profile(options);
            let wanted = self.profile + sag;
            let play = options.dead_zone_deg / 360.0 * 4096.0;
            // Clamped like this, a play of 0 follows exactly.
            self.shaft = self.shaft.clamp(wanted - play, wanted + play).clamp(stops.0, stops.1);
            // Proportional control: duty is error times gain, about 10 per step at the firmware's P of 16.
            let error = wanted - self.shaft;
            let beyond = if error.abs() > play + 1e-9 { error } else { 0.0 };
            let duty = (sag * -4.0 + beyond * 10.0 * f64::from(self.p) / 16.0) + self.velocity * 0.03;
            let limit = f64::from(self.torque_limit.clamp(0, 1000));
            self.load = duty.clamp(-limit, limit) as i16;
        } else {
            self.shaft = (self.shaft + fall * TICK_S).clamp(stops.0, stops.1);
            self.load = 0;
        }
    }

    fn advance_profile(&mut self, options: &ServoOptions) {
        let top = options.top_speed_steps_per_s;
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
