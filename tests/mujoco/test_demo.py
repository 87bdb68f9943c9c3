"""The demo's policy and its teacher where nobody wrote a rule of grasping: boxes are carried by friction, or they fall.

That MuJoCo's arm is ours is no test of its own: the program compares the tool's place with its own kinematics at every step, and stops
beyond 1e-9 m.
"""


def told(what: str, tally: dict) -> None:
    low, high = (100 * end for end in tally["interval_95"])
    print(
        f"\n{what}: {tally['successes']} of {tally['episodes']} in MuJoCo, 95 % interval {low:.1f} to {high:.1f} %, "
        f"the other box {tally['took_the_other']}, stops {tally['stopped']}, failed seeds {tally['failed_seeds']}"
    )


def test_the_expert_lifts_the_box(expert):
    lifted = expert("0..20")
    print(f"\nexpert: {lifted} of 20 in MuJoCo")
    assert lifted >= 19


def test_the_policy_over_the_serial_port_in_real_time(demo):
    """The seeds of the table in docs/demo-policy.md. A rough trial before this program reached 66 %."""
    tally = demo("--episodes", "100", "--seed", "70000", "--realtime")
    told("policy", tally)
    assert tally["episodes"] == 100
    assert tally["success_rate"] > 0.66
    assert tally["took_the_other"] <= 2


def test_slippery_boxes_stay_where_they_are(demo):
    """Nothing but friction carries a box: with next to none the same hand on the same seeds lifts none."""
    tally = demo("--episodes", "10", "--seed", "70000", friction=0.1)
    told("policy, friction 0.1", tally)
    assert tally["successes"] <= 1


def test_the_other_word_takes_the_other_box(demo):
    tally = demo("--episodes", "10", "--seed", "70000", "--ablate", "wrong-instruction")
    told("policy, told the other box", tally)
    assert tally["successes"] == 0
    assert tally["took_the_other"] >= 6
