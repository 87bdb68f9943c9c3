//! Joint frame <-> the firmware's own angles.
//!
//! Five joints are the same number in both; the gripper is counted from its closed end here (0 closed, positive open) and
//! from the servo's zero there (π closed, smaller open): gripper = π − hand (`roarm-sdk` 0.1.1 `common.py`; `roarm_driver.py`
//! of `waveshareteam/roarm_ws`).

use std::f64::consts::PI;

use firmware_protocol::FirmwareAngles;

use crate::JointAngles;

impl From<JointAngles> for FirmwareAngles {
    fn from(angles: JointAngles) -> Self {
        let [base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, gripper_rad] = angles.to_array_rad();
        Self { base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, hand_rad: PI - gripper_rad }
    }
}

impl From<FirmwareAngles> for JointAngles {
    fn from(angles: FirmwareAngles) -> Self {
        let FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, hand_rad } = angles;
        Self::from_array_rad([base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, PI - hand_rad])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{DatasetAngles, Joint};

    /// What LeRobot's plugin and the vendor's SDK call (degrees) against what the board reports (radians) for the same pose.
    #[test]
    fn home_is_the_same_pose_in_all_three_frames() {
        let home = JointAngles::from(DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]));
        let firmware = FirmwareAngles::from(home);
        assert_eq!(firmware, FirmwareAngles::HOME);
        assert!(JointAngles::from(FirmwareAngles::HOME).max_difference(&home) < 1e-15);
    }

    /// Six different values: a swap of two joints, or a wrong sign of one, cannot pass.
    #[test]
    fn every_joint_keeps_its_place_and_sign() {
        let angles = JointAngles::from_array_rad([0.1, -0.2, 0.3, -0.4, 0.5, 0.6]);
        let firmware = FirmwareAngles::from(angles);
        assert_eq!(firmware.base_rad, 0.1);
        assert_eq!(firmware.shoulder_rad, -0.2);
        assert_eq!(firmware.elbow_rad, 0.3);
        assert_eq!(firmware.wrist_rad, -0.4);
        assert_eq!(firmware.roll_rad, 0.5);
        assert!((firmware.hand_rad - 2.541_592_653_589_793).abs() < 1e-15);
    }

    /// A wider opening is a smaller hand angle; the firmware's widest, 1.074 rad, is 2.068 rad (118.5°) open.
    #[test]
    fn opening_lowers_the_hand_angle() {
        let open = JointAngles::from(FirmwareAngles { hand_rad: 1.073_787, ..FirmwareAngles::HOME });
        assert!((open.get(Joint::Gripper) - 2.067_806).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same_pose(angles in proptest::array::uniform6(-4.0..4.0_f64)) {
            let angles = JointAngles::from_array_rad(angles);
            prop_assert!(JointAngles::from(FirmwareAngles::from(angles)).max_difference(&angles) < 1e-15 * 8.0);
        }
    }
}
