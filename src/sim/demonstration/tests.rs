//! What a demonstration shows.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn colour(seed: u64) -> BoxColour {
    BoxColour::ALL[usize::from(seed % 2 == 1)]
}

fn all(seed: u64, disturbed: bool) -> (Demonstration, Vec<Shown>) {
    let mut demonstration = Demonstration::new(seed, colour(seed), disturbed).without_pictures();
    let shown = std::iter::from_fn(|| demonstration.next_action().unwrap()).collect();
    (demonstration, shown)
}

#[test]
fn the_expert_lifts_the_box_in_19_of_20_cells_or_more_whatever_disturbs_it() {
    for disturbed in [false, true] {
        let lifted = (0..20).filter(|seed| all(*seed, disturbed).0.has_succeeded()).count();
        assert!(lifted >= 19, "{lifted} of 20, disturbed: {disturbed}");
    }
}

#[test]
fn a_demonstration_is_its_seeds_alone_and_knocks_divide_it() {
    let (_, first) = all(5, true);
    let (_, second) = all(5, true);
    let poses = |shown: &[Shown]| shown.iter().map(|shown| (shown.state, shown.action)).collect::<Vec<_>>();
    assert_eq!(poses(&first), poses(&second));
    let knocked = (0..12).map(|seed| all(seed, true).1.last().unwrap().stretch).max();
    assert!(knocked >= Some(1), "some are knocked: {knocked:?}");
    assert_eq!(all(5, false).1.last().unwrap().stretch, 0);
}

#[test]
fn actions_keep_the_limits_and_the_hand_is_not_rolled() {
    let limits = JointLimits::of(Generation::G1);
    for seed in 0..12 {
        for shown in all(seed, true).1 {
            assert!(
                shown.action.is_finite() && limits.violations(&shown.action).next().is_none(),
                "seed {seed}"
            );
        }
        for shown in all(seed, false).1 {
            assert!(shown.action.get(Joint::Roll).abs() < 0.1, "seed {seed}: {:?}", shown.action);
        }
    }
}

#[test]
fn the_marks_are_where_things_are_in_the_picture() {
    let mut demonstration = Demonstration::new(6, BoxColour::White, false);
    let shown = demonstration.next_action().unwrap().unwrap();
    let at = |[x, y]: [f32; 2]| {
        let start = (y as usize * PICTURE_WIDTH as usize + x as usize) * 3;
        [shown.picture[start], shown.picture[start + 1], shown.picture[start + 2]]
    };
    let [red, green, blue] = at(shown.marks.target_px);
    assert!(red.abs_diff(green) < 40 && blue > 90, "the white box: {red} {green} {blue}");
    let [red, green, blue] = at(shown.marks.other_px);
    assert!(red > green + 40 && red > blue + 40, "the red box: {red} {green} {blue}");
    let mut other = Demonstration::new(6, BoxColour::Red, false);
    assert_eq!(other.next_action().unwrap().unwrap().marks.target_px, shown.marks.other_px);
}
