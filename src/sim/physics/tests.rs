//! What is said to the program, what is made of its answers, and what happens when it fails. No test here needs MuJoCo; that its arm is
//! ours is checked at each of its answers, and the whole by `cargo xtask test-full`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Instant;

use calibration::Joint;
use calibration::kinematics::Link;
use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;
use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion, Vector3};

use super::*;
use crate::sim::CellWorld;
use crate::sim::demonstration::READY_POSE;
use crate::sim::scene::ARM_SHAPES;

fn limits() -> JointLimits {
    JointLimits::of(Generation::G1)
}

fn xml(seed: u64) -> String {
    mjcf::model(&Scene::from_seed(seed), &READY_POSE, &limits())
}

/// The value of an attribute of an element, as numbers.
fn attribute(element: &str, name: &str) -> Vec<f64> {
    let begin = format!(" {name}=\"");
    let (_, rest) = element.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {element}"));
    rest.split_once('"').unwrap().0.split(' ').map(|number| number.parse().unwrap()).collect()
}

fn lines<'a>(model: &'a str, begin: &str) -> Vec<&'a str> {
    model.lines().filter(|line| line.starts_with(begin)).collect()
}

fn isometry(body: &str) -> Isometry3<f64> {
    let (at, turn) = (attribute(body, "pos"), attribute(body, "quat"));
    Isometry3::from_parts(
        Translation3::new(at[0], at[1], at[2]),
        UnitQuaternion::new_normalize(Quaternion::new(turn[0], turn[1], turn[2], turn[3])),
    )
}

/// The chain of the model's bodies, each turned by its joint about its z axis, is the arm of the joint table.
#[test]
fn the_models_bodies_and_joints_are_the_arms() {
    let model = xml(3);
    let bodies: Vec<&str> = lines(&model, "<body ").into_iter().take(7).collect();
    let joints = lines(&model, "<joint ");
    assert_eq!((bodies.len(), joints.len()), (7, 6));
    let angles = JointAngles::from_array_rad([0.3, -0.4, 1.2, 0.7, -0.9, 0.5]);
    let links = ForwardKinematics::default().link_poses(&angles);
    let mut pose = Isometry3::identity();
    for (place, body) in bodies.iter().enumerate() {
        pose *= isometry(body);
        if let Some(joint) = place.checked_sub(1).map(|joint| Joint::ALL[joint]) {
            assert_eq!(attribute(joints[joint.index()], "axis"), [0.0, 0.0, 1.0]);
            let (least, most) = limits().range_rad(joint);
            assert_eq!(attribute(joints[joint.index()], "range"), [least, most], "{joint}");
            pose *= UnitQuaternion::from_axis_angle(&Vector3::z_axis(), angles.get(joint));
        }
        let link = Link::ALL[place];
        assert!(body.contains(&format!("\"{}\"", link.name())), "{body}");
        let apart = (pose.to_homogeneous() - links.pose(link).to_homogeneous()).norm();
        assert!(apart < 1e-12, "{link}: {apart:e}");
    }
    let tool = attribute(lines(&model, "<site ")[0], "pos");
    let tool_m = links.pose(Link::Link5) * nalgebra::Point3::new(tool[0], tool[1], tool[2]);
    assert!(distance(&tool_m, &links.tool_point_m()) < 1e-12);
}

#[test]
fn every_shape_is_in_the_model_and_both_jaws_have_their_names() {
    let model = xml(3);
    assert_eq!(lines(&model, "<geom class=\"arm\"").len(), ARM_SHAPES.len());
    for name in [mjcf::FIXED_JAW_NAME, mjcf::MOVING_JAW_NAME] {
        assert_eq!(
            lines(&model, &format!("<geom class=\"arm\" name=\"{name}\" type=\"box\"")).len(),
            1,
            "{name}"
        );
    }
    // every cylinder of the arm about another axis than z is turned
    let turned = lines(&model, "<geom class=\"arm\" type=\"cylinder\"");
    assert!(turned.iter().any(|geom| geom.contains("axisangle=\"1 0 0")), "{turned:?}");
}

#[test]
fn the_model_begins_as_scene_and_arm_stand() {
    let scene = Scene::from_seed(11);
    let model = mjcf::model(&scene, &READY_POSE, &limits());
    let start = attribute(lines(&model, "<keyframe>")[0], "qpos");
    assert_eq!(start.len(), 6 + 2 * 7);
    assert_eq!(start[..6], READY_POSE.to_array_rad());
    for (colour, place) in [BoxColour::White, BoxColour::Red].into_iter().zip(start[6..].as_chunks::<7>().0) {
        assert_eq!(place[..3], scene.boxes[colour.index()].centre_m);
        let yaw_rad = 2.0 * place[6].atan2(place[3]);
        assert!((yaw_rad - scene.boxes[colour.index()].yaw_rad).abs() < 1e-12);
        let body = model.lines().find(|line| line.contains(&format!("{} box", colour.name()))).unwrap();
        assert_eq!(attribute(body, "pos"), place[..3]);
    }
}

/// A state as a program would send it: joints, tool, two boxes, two flags.
fn state_bytes(number: f64, angles: &JointAngles, change: impl FnOnce(&mut Vec<f64>)) -> Vec<u8> {
    let tool_m = ForwardKinematics::default().link_poses(angles).tool_point_m();
    let mut numbers = vec![number];
    numbers.extend(angles.to_array_rad());
    numbers.extend(tool_m.coords.iter());
    numbers.extend([0.2, 0.1, 0.08, 1.0, 0.0, 0.0, 0.0]);
    numbers.extend([0.3, -0.1, 0.015, 0.8, 0.0, 0.0, 0.6]);
    numbers.extend([1.0, 0.0]);
    change(&mut numbers);
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn decoded(number: f64, change: impl FnOnce(&mut Vec<f64>)) -> Result<State, &'static str> {
    let bytes = state_bytes(number, &READY_POSE, change);
    State::decode(bytes.as_slice().try_into().unwrap(), 7)
}

#[test]
fn a_state_is_read_and_nonsense_is_named() {
    let state = decoded(7.0, |_| ()).unwrap();
    assert_eq!(state.angles, READY_POSE);
    assert_eq!(state.held, [true, false]);
    assert_eq!(state.boxes[0].centre_m, [0.2, 0.1, 0.08]);
    assert!((state.boxes[1].yaw_rad - 2.0 * 0.6_f64.atan2(0.8)).abs() < 1e-12);
    assert!(decoded(6.0, |_| ()).unwrap_err().contains("no answer to the step"));
    assert!(decoded(7.0, |numbers| numbers[12] = f64::NAN).unwrap_err().contains("finite"));
    assert!(decoded(7.0, |numbers| numbers[13] = 0.0).unwrap_err().contains("quaternion"));
}

#[test]
fn a_request_is_numbers_in_their_order() {
    let drives = std::array::from_fn(|joint| [joint as f64, 10.0 + joint as f64, 20.0 + joint as f64]);
    let bytes = Request { number: 9, time_s: 0.002, drives }.encode();
    let numbers: Vec<f64> =
        bytes.as_chunks::<8>().0.iter().map(|number| f64::from_le_bytes(*number)).collect();
    assert_eq!(numbers[..5], [9.0, 0.002, 0.0, 10.0, 20.0]);
    assert_eq!(numbers[17..], [5.0, 15.0, 25.0]);
}

fn board() -> Board {
    let initial = FirmwareAngles::from(READY_POSE);
    Board::new(BoardOptions { initial, ..BoardOptions::new(Generation::G1) })
}

/// Starts a shell script as the physics of seed 3, with a patience of `patience_ms`, and goes on for 10 ms.
fn with_script(script: &str, patience_ms: u64) -> Result<(CellWorld, Board), SimError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("physics.sh");
    std::fs::write(&path, script).unwrap();
    let program = PhysicsProgram::parse(&format!("sh {}", path.display()))
        .unwrap()
        .with_patience(Duration::from_millis(patience_ms));
    let mut board = board();
    let mut world = CellWorld::around(&Scene::from_seed(3), Some(BoxColour::White), Some(&program), &board)?;
    world.advance(&mut board, Duration::from_millis(10))?;
    Ok((world, board))
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let program = PhysicsProgram::parse("/no/such/program with arguments").unwrap();
    let error = CellWorld::around(&Scene::from_seed(3), None, Some(&program), &board()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("/no/such/program with arguments") && text.contains("--physics"), "{text}");
    assert!(PhysicsProgram::parse("  ").is_none());
}

#[test]
fn a_program_that_ends_is_an_error_with_its_exit_code() {
    let text = with_script("exit 3", 30_000).err().unwrap().to_string();
    assert!(text.contains("exit status: 3") && text.contains("pip install"), "{text}");
}

#[test]
fn a_program_that_answers_something_else_is_an_error() {
    let text = with_script("yes 'I know nothing of boxes'", 30_000).err().unwrap().to_string();
    assert!(text.contains("no answer to the step") && text.contains("physics.py"), "{text}");
}

#[test]
fn a_program_that_hangs_is_an_error_in_time_and_is_ended() {
    let began = Instant::now();
    let text = with_script("exec sleep 600", 200).err().unwrap().to_string();
    assert!(text.contains("has not answered"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(60), "it was waited for: {:?}", began.elapsed());
}

/// A program that answers from files what was written there before.
fn answering(states: &[Vec<u8>]) -> Result<(CellWorld, Board), SimError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers");
    std::fs::write(&path, states.concat()).unwrap();
    with_script(&format!("cat {}; cat > /dev/null", path.display()), 30_000)
}

#[test]
fn the_boards_joints_and_the_boxes_are_where_the_program_says() {
    let start = JointAngles::from(board().angles());
    let mut moved = start;
    moved.set(Joint::Base, 0.25);
    moved.set(Joint::Gripper, 0.6);
    let states: Vec<Vec<u8>> = (0..=5)
        .map(|number| state_bytes(f64::from(number), if number < 5 { &start } else { &moved }, |_| ()))
        .collect();
    let (world, board) = answering(&states).unwrap();
    assert!(JointAngles::from(board.angles()).max_difference(&moved) < 1e-9, "{:?}", board.angles());
    assert_eq!(world.boxes()[0].centre_m, [0.2, 0.1, 0.08]);
    assert_eq!((world.held(), world.is_held(BoxColour::Red)), (Some(BoxColour::White), false));
    assert!((world.height_m(BoxColour::White) - 0.065).abs() < 1e-12);
}

#[test]
fn an_arm_that_is_not_ours_is_refused() {
    let start = JointAngles::from(board().angles());
    let text =
        answering(&[state_bytes(0.0, &start, |numbers| numbers[7] += 1e-8)]).err().unwrap().to_string();
    assert!(text.contains("1.0e-8 m away"), "{text}");
}

#[test]
fn a_program_that_dies_on_the_way_is_an_error() {
    let start = JointAngles::from(board().angles());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers");
    let states: Vec<Vec<u8>> = (0..3).map(|number| state_bytes(f64::from(number), &start, |_| ())).collect();
    std::fs::write(&path, states.concat()).unwrap();
    let text = with_script(&format!("cat {}; exit 7", path.display()), 30_000).err().unwrap().to_string();
    assert!(text.contains("ended (exit status: 7)"), "{text}");
}
