//! The cell as MuJoCo's model format, from the tables that everything else uses: joints, limits, shapes, boxes.

use std::fmt::Write;

use calibration::kinematics::{ForwardKinematics, Link};
use calibration::{Joint, JointAngles, JointLimits};
use nalgebra::{Isometry3, UnitQuaternion};

use super::inertia::INERTIAS;
use crate::sim::scene::{ARM_SHAPES, Axis, BOX_HALF_SIZE_M, BoxColour, FIXED_JAW, MOVING_JAW, Scene, Shape};

/// MuJoCo's step.
const STEP_S: f64 = 0.002;
/// Viscous part of one servo, N·m·s/rad: how a motor's torque falls with its speed. Source: the SO-101 arm's model with the same class of
/// servo (`so101_new_calib.xml`); the vendor's stall torque over the vendor's top speed is 0.62.
const SERVO_DAMPING: f64 = 0.60;
/// Dry friction of one servo, N·m (same source).
const SERVO_FRICTION_NM: f64 = 0.052;
/// Inertia of one servo's rotor at its output, kg·m² (same source).
const SERVO_ARMATURE: f64 = 0.028;
/// A box of soft wood, kg.
const BOX_MASS_KG: f64 = 0.020;
/// Friction of boxes and jaws: sliding, about the normal (metres), rolling (metres). As in the trials before this model: rubber pads.
const FRICTION: &str = "1.2 .02 .001";

/// Stiffness of contacts: as hard as MuJoCo's step lets them be (two steps). The jaws' 13 N press 0.5 mm into a box, as into thin rubber;
/// with MuJoCo's own values, made for heavier things, it is up to 7 mm.
const CONTACT: &str = "solref=\".004 1\" solimp=\".95 .99 .001\"";

/// Name of the moving and the fixed jaw's geometry, and of the point whose place is compared.
pub(super) const FIXED_JAW_NAME: &str = "fixed jaw";
pub(super) const MOVING_JAW_NAME: &str = "moving jaw";
pub(super) const TOOL_NAME: &str = "tool";

/// The scene's cell with the arm at `angles`, as MJCF. The state at the start is its first key frame.
pub(super) fn model(scene: &Scene, angles: &JointAngles, limits: &JointLimits) -> String {
    let boxes: String = BoxColour::ALL.into_iter().map(|colour| free_box(scene, colour)).collect();
    let mut start: Vec<f64> = angles.to_array_rad().to_vec();
    for place in &scene.boxes {
        start.extend(place.centre_m);
        start.extend(quaternion(&place.in_world().rotation));
    }
    let actuators: String = Joint::ALL.into_iter().map(actuator).collect();
    format!(
        r#"<mujoco model="RoArm-M3 cell">
<compiler angle="radian" autolimits="true"/>
<option timestep="{STEP_S}" integrator="implicitfast" cone="elliptic" impratio="10"/>
<default>
<geom friction="{FRICTION}" condim="4" {CONTACT}/>
<default class="arm"><geom contype="1" conaffinity="0"/></default>
<default class="box"><geom contype="2" conaffinity="3"/></default>
<default class="table"><geom contype="0" conaffinity="3"/></default>
</default>
<worldbody>
<geom class="table" type="plane" size="1 1 .1"/>
{arm}{boxes}</worldbody>
<actuator>
{actuators}</actuator>
<keyframe><key qpos="{start}"/></keyframe>
</mujoco>
"#,
        arm = body(Link::Base, limits),
        start = numbers(start),
    )
}

/// A link with everything beyond it. What moves it stands in the place of its joint before it in [`Link::ALL`].
fn body(link: Link, limits: &JointLimits) -> String {
    let at_zero = ForwardKinematics::default().link_poses(&JointAngles::ZERO);
    let place = link as usize;
    let origin = match place.checked_sub(1).map(|parent| Link::ALL[parent]) {
        Some(parent) => at_zero.pose(parent).inv_mul(at_zero.pose(link)),
        None => *at_zero.pose(link),
    };
    let mut text = format!("<body name=\"{}\" {}>\n", link.name(), frame(&origin));
    if let Some(joint) = place.checked_sub(1).map(|joint| Joint::ALL[joint]) {
        text += &hinge(joint, limits);
    }
    for inertia in INERTIAS.iter().filter(|inertia| inertia.link == link) {
        text += &format!(
            "<inertial pos=\"{}\" mass=\"{}\" diaginertia=\"{}\"/>\n",
            numbers(inertia.centre_m),
            inertia.mass_kg,
            numbers(inertia.moments_kg_m2)
        );
    }
    for shape in ARM_SHAPES.iter().filter(|shape| shape.link == link) {
        let name = if *shape == FIXED_JAW {
            FIXED_JAW_NAME
        } else if *shape == MOVING_JAW {
            MOVING_JAW_NAME
        } else {
            ""
        };
        text += &geometry(name, &shape.shape, shape.centre_m);
    }
    if link == Link::Link5 {
        let tool_m = at_zero.pose(link).inverse_transform_point(&at_zero.tool_point_m());
        text += &format!("<site name=\"{TOOL_NAME}\" pos=\"{}\"/>\n", numbers(tool_m.coords.iter().copied()));
    }
    if let Some(next) = Link::ALL.get(place + 1) {
        text += &body(*next, limits);
    }
    text + "</body>\n"
}

/// Two servos move the shoulder, one each of the others.
fn servos(joint: Joint) -> f64 {
    if joint == Joint::Shoulder { 2.0 } else { 1.0 }
}

fn hinge(joint: Joint, limits: &JointLimits) -> String {
    let (least, most) = limits.range_rad(joint);
    let count = servos(joint);
    format!(
        "<joint name=\"{joint}\" axis=\"0 0 1\" range=\"{least} {most}\" damping=\"{}\" frictionloss=\"{}\" armature=\"{}\"/>\n",
        SERVO_DAMPING * count,
        SERVO_FRICTION_NM * count,
        SERVO_ARMATURE * count
    )
}

/// Gain and limit are the virtual board's and come with every step; until then it is limp.
fn actuator(joint: Joint) -> String {
    format!(
        "<general name=\"{joint}\" joint=\"{joint}\" gainprm=\"0\" biastype=\"affine\" biasprm=\"0 0 0\" forcerange=\"-1 1\"/>\n"
    )
}

/// Parts of the arm do not touch each other: the runtime's gate keeps them apart, and neighbours overlap by design.
fn geometry(name: &str, shape: &Shape, centre_m: [f64; 3]) -> String {
    let name = if name.is_empty() { String::new() } else { format!("name=\"{name}\" ") };
    let centre = numbers(centre_m);
    match *shape {
        Shape::Cuboid { half_size_m, .. } => format!(
            "<geom class=\"arm\" {name}type=\"box\" pos=\"{centre}\" size=\"{}\"/>\n",
            numbers(half_size_m)
        ),
        Shape::Cylinder { axis, radius_m, half_length_m, .. } => {
            // MuJoCo's cylinders stand along z
            let upright = match axis {
                Axis::X => "0 1 0",
                Axis::Y => "1 0 0",
                Axis::Z => "0 0 1",
            };
            let turned = if axis == Axis::Z {
                String::new()
            } else {
                format!(" axisangle=\"{upright} {}\"", std::f64::consts::FRAC_PI_2)
            };
            format!(
                "<geom class=\"arm\" {name}type=\"cylinder\" pos=\"{centre}\"{turned} size=\"{radius_m} {half_length_m}\"/>\n"
            )
        }
    }
}

fn free_box(scene: &Scene, colour: BoxColour) -> String {
    let half = BOX_HALF_SIZE_M;
    format!(
        "<body name=\"{} box\" {}><freejoint/><geom class=\"box\" type=\"box\" size=\"{half} {half} {half}\" mass=\"{BOX_MASS_KG}\"/></body>\n",
        colour.name(),
        frame(&scene.boxes[colour.index()].in_world())
    )
}

fn frame(pose: &Isometry3<f64>) -> String {
    format!(
        "pos=\"{}\" quat=\"{}\"",
        numbers(pose.translation.vector.iter().copied()),
        numbers(quaternion(&pose.rotation))
    )
}

/// In MuJoCo's order: w, x, y, z.
fn quaternion(rotation: &UnitQuaternion<f64>) -> [f64; 4] {
    [rotation.w, rotation.i, rotation.j, rotation.k]
}

/// Every number as short as it can be read back to the last bit.
fn numbers(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().fold(String::new(), |mut text, value| {
        let space = if text.is_empty() { "" } else { " " };
        // writing to a string cannot fail
        let _ = write!(text, "{space}{value}");
        text
    })
}
