//! How a joint's shaft moves under its drives, its load and its friction.
//!
//! Torques are counted in duty, 0.1 % of a servo's full output, as the servos report their load: 1000 is the stall torque.
//! Positive torques and positive steps have the same sense.

use super::servo::TICK_S;

/// Duty of a servo at the firmware's P gain of 16 for each step of error: droop of 20-30 steps at half of the stall
/// torque and the factory gain of 32, measured by others on a STS3215, is 20 a step there.
pub(super) const DUTY_PER_STEP: f64 = 10.0;

/// A servo with torque on: a spring towards its profile, no stronger than its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drive {
    /// Where it pulls to, steps of the joint's shaft.
    pub(super) target: f64,
    /// Duty for each step of error.
    pub(super) stiffness: f64,
    /// Greatest duty.
    pub(super) limit: f64,
}

impl Drive {
    pub(super) fn duty(&self, shaft: f64) -> f64 {
        (self.stiffness * (self.target - shaft)).clamp(-self.limit, self.limit)
    }
}

/// What a joint's drives work against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Torque from outside (gravity, a held object), duty.
    pub(super) torque: f64,
    /// Torque that it takes to move the joint at all, duty.
    pub(super) friction: f64,
    /// Speed at which the joint gives way for each duty beyond drives and friction, steps/s.
    pub(super) yielding: f64,
    /// Speed without load, steps/s.
    pub(super) top_speed: f64,
    /// Whether the speed falls with the load, as a motor's does.
    pub(super) motor: bool,
}

/// The shaft after one tick, before mechanical stops.
pub(super) fn moved(shaft: f64, drives: &[Drive], load: &Load) -> f64 {
    let net = total(drives, shaft) + load.torque;
    let excess = net.abs() - load.friction;
    if excess <= 0.0 {
        return shaft;
    }
    let direction = net.signum();
    let Some(rest) = rest(drives, direction * load.friction - load.torque) else {
        // Nothing stops it: limp, or pulled by more than the drives may give.
        return shaft + direction * (load.yielding * excess).min(load.top_speed) * TICK_S;
    };
    let speed = if load.motor {
        // The line from stall to top speed; friction is in the top speed already.
        let full = 1000.0 * drives.len() as f64 - load.friction;
        load.top_speed * (excess / full.max(100.0)).min(1.0)
    } else {
        load.top_speed
    };
    let way = (rest - shaft).abs().min(speed * TICK_S);
    shaft + direction * way
}

fn total(drives: &[Drive], shaft: f64) -> f64 {
    drives.iter().map(|drive| drive.duty(shaft)).sum()
}

/// Where the drives together give a certain duty, if they can.
fn rest(drives: &[Drive], duty: f64) -> Option<f64> {
    let stiffness: f64 = drives.iter().map(|drive| drive.stiffness).sum();
    let most: f64 = drives.iter().map(|drive| if drive.stiffness > 0.0 { drive.limit } else { 0.0 }).sum();
    if stiffness <= 0.0 || duty.abs() >= most {
        return None;
    }
    let pull: f64 = drives.iter().map(|drive| drive.stiffness * drive.target).sum();
    let linear = (pull - duty) / stiffness;
    let saturated = |drive: &Drive| (drive.stiffness * (drive.target - linear)).abs() > drive.limit;
    if !drives.iter().any(saturated) {
        return Some(linear);
    }
    // Two that fight, one of them at its limit: the sum still falls steadily with the shaft.
    let reach = |drive: &Drive| drive.limit / drive.stiffness.max(1e-9);
    let mut low = drives.iter().map(|drive| drive.target - reach(drive)).fold(f64::INFINITY, f64::min);
    let mut high = drives.iter().map(|drive| drive.target + reach(drive)).fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if total(drives, middle) > duty { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PLAIN: Load = Load { torque: 0.0, friction: 70.0, yielding: 2.0, top_speed: 3070.0, motor: true };

    fn settled(mut shaft: f64, drives: &[Drive], load: &Load) -> f64 {
        for _ in 0..5000 {
            shaft = moved(shaft, drives, load);
        }
        shaft
    }

    #[test]
    fn friction_leaves_a_dead_zone_and_a_load_a_sag() {
        let drive = Drive { target: 100.0, stiffness: 10.0, limit: 1000.0 };
        assert!((settled(0.0, &[drive], &PLAIN) - 93.0).abs() < 0.01);
        assert!((settled(200.0, &[drive], &PLAIN) - 107.0).abs() < 0.01);
        assert!((settled(104.0, &[drive], &PLAIN) - 104.0).abs() < 1e-12, "inside it nothing moves");
        let pulled = Load { torque: 340.0, ..PLAIN };
        assert!((settled(0.0, &[drive], &pulled) - (100.0 + 34.0 - 7.0)).abs() < 0.01);
        let stiff = Drive { stiffness: 20.0, ..drive };
        assert!((settled(0.0, &[stiff], &pulled) - (100.0 + 17.0 - 3.5)).abs() < 0.01);
    }

    #[test]
    fn a_weak_drive_gives_way_and_a_limp_joint_falls() {
        let weak = Drive { target: 0.0, stiffness: 10.0, limit: 200.0 };
        let heavy = Load { torque: 340.0, ..PLAIN };
        assert!(settled(0.0, &[weak], &heavy) > 500.0);
        assert!(settled(0.0, &[Drive { limit: 300.0, ..weak }], &heavy) < 35.0);
        let second = (0..1000).fold(0.0, |shaft, _| moved(shaft, &[], &heavy));
        assert!((second - 2.0 * 270.0).abs() < 1e-6, "{second}");
        assert!(moved(0.0, &[], &PLAIN).abs() < 1e-12, "friction holds a joint without load");
    }

    #[test]
    fn two_that_fight_rest_between_their_goals() {
        let drives = [-30.0, 30.0].map(|target| Drive { target, stiffness: 10.0, limit: 1000.0 });
        let smooth = Load { friction: 0.0, ..PLAIN };
        assert!(settled(-30.0, &drives, &smooth).abs() < 0.01);
        let duties = drives.map(|drive| drive.duty(0.0));
        assert!((duties[0] + 300.0).abs() < 1e-9 && (duties[1] - 300.0).abs() < 1e-9);
        // One of them at its limit.
        let uneven = [Drive { limit: 100.0, ..drives[0] }, drives[1]];
        assert!((rest(&uneven, 0.0).unwrap() - 20.0).abs() < 1e-6);
    }
}
