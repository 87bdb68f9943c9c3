//! Random scripts of everything that can happen to the core.

use std::time::Duration;

use firmware_protocol::Generation;
use firmware_protocol::emulator::ServoOptions;
use proptest::prelude::*;

use crate::control::{
    AfterLinkLoss, AfterStop, Aggregation, ChunkSchedule, ControlParameters, EndCause, JointBounds, Park,
};
use crate::types::{Joint, JointAngles};

use super::rig::{Answer, FeedbackFault, Rig, degrees, home, parameters};

/// Something that happens; what it sets lasts until something else sets it.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Nothing,
    Feedback(FeedbackFault),
    Camera(bool),
    Policy(Answer),
    Plug(bool),
    Stop(EndCause),
    Reset,
    Consent(bool),
    Stuck(Joint, bool),
    LateTick(u64),
    Latency(u64),
    Pause(bool),
    Step,
}

/// What is fixed for a script.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) generation: Generation,
    pub(super) report_delay_ms: u64,
    pub(super) after_stop: AfterStop,
    pub(super) after_link_loss: AfterLinkLoss,
    pub(super) parks: bool,
    pub(super) trained: bool,
    pub(super) servos_lag: bool,
    pub(super) schedule: ChunkSchedule,
}

/// A setting, and events with the ticks (of 20 ms) that follow each.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) setting: Setting,
    pub(super) start: JointAngles,
    pub(super) events: Vec<(Event, usize)>,
}

/// Poses all over the limits, half of them near where a run begins.
fn pose() -> impl Strategy<Value = JointAngles> {
    let anywhere = prop::array::uniform6(-1.0_f64..1.0).prop_map(|part| {
        degrees([
            170.0 * part[0],
            90.0 * part[1],
            60.0 + 110.0 * part[2],
            90.0 * part[3],
            170.0 * part[4],
            60.0 * (part[5] + 1.0),
        ])
    });
    let near = prop::array::uniform6(-0.6_f64..0.6).prop_map(|change| {
        let home = home().to_array_rad();
        JointAngles::from_array_rad(std::array::from_fn(|joint| home[joint] + change[joint]))
    });
    prop_oneof![anywhere, near]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => (pose(), 1_usize..40).prop_map(|(pose, steps)| Answer::Towards(pose, steps)),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)].prop_map(Answer::Broken),
        1 => prop_oneof![Just(1e9), Just(-40.0), Just(f64::MAX)].prop_map(Answer::Broken),
        1 => prop_oneof![Just(Answer::Old), Just(Answer::Unasked), Just(Answer::Silent)],
    ]
}

fn cause() -> impl Strategy<Value = EndCause> {
    prop_oneof![
        1 => Just(EndCause::Interrupted),
        1 => Just(EndCause::Terminated),
        1 => Just(EndCause::HungUp),
        1 => Just(EndCause::SourceEnded),
        1 => Just(EndCause::Declined),
        1 => Just(EndCause::PolicyFailed),
        1 => Just(EndCause::CameraFailed),
        1 => Just(EndCause::LinkLost),
        1 => Just(EndCause::DeadBus),
        1 => Just(EndCause::Plateau),
        4 => Just(EndCause::EmergencyStop),
        4 => Just(EndCause::WorkspaceRefused),
        2 => prop::sample::select(&Joint::ALL[..5]).prop_map(|joint| EndCause::NotFollowing { joint }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Nothing),
        2 => Just(Event::Feedback(FeedbackFault::Sound)),
        2 => prop_oneof![
            Just(FeedbackFault::Missing),
            Just(FeedbackFault::NotANumber),
            Just(FeedbackFault::Frozen),
            (-0.6_f64..0.6).prop_map(FeedbackFault::Jumped),
        ].prop_map(Event::Feedback),
        1 => any::<bool>().prop_map(Event::Camera),
        6 => answer().prop_map(Event::Policy),
        1 => any::<bool>().prop_map(Event::Plug),
        1 => Just(Event::Plug(true)),
        2 => cause().prop_map(Event::Stop),
        3 => Just(Event::Reset),
        1 => prop::bool::weighted(0.8).prop_map(Event::Consent),
        1 => (prop::sample::select(&Joint::ALL[..]), any::<bool>()).prop_map(|(joint, stuck)| Event::Stuck(joint, stuck)),
        1 => (20_u64..300).prop_map(Event::LateTick),
        1 => (0_u64..400).prop_map(Event::Latency),
        1 => any::<bool>().prop_map(Event::Pause),
        1 => Just(Event::Step),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    let generation = prop_oneof![Just(Generation::G1), Just(Generation::G3)];
    let flags = (prop::bool::weighted(0.7), any::<bool>(), prop::bool::weighted(0.2), any::<bool>());
    let schedule = prop::sample::select(
        &[
            ChunkSchedule::Sync,
            ChunkSchedule::Async { aggregation: Aggregation::Weighted },
            ChunkSchedule::RealTime { execution_horizon: 10 },
        ][..],
    );
    (generation, prop_oneof![3 => Just(0_u64), 1 => 0_u64..60], flags, prop::bool::weighted(0.3), schedule)
        .prop_map(|(generation, report_delay_ms, (waits, resumes, parks, trained), servos_lag, schedule)| {
            Setting {
                schedule,
                generation,
                report_delay_ms,
                after_stop: if waits { AfterStop::Wait } else { AfterStop::End },
                after_link_loss: if resumes { AfterLinkLoss::Resume } else { AfterLinkLoss::End },
                parks,
                trained,
                servos_lag,
            }
        })
}

/// Any script. Each begins with an arm that stands for the second before the first motion.
pub(super) fn script() -> impl Strategy<Value = Script> {
    let start = prop::array::uniform6(-0.08_f64..0.08).prop_map(|change| {
        let home = home().to_array_rad();
        JointAngles::from_array_rad(std::array::from_fn(|joint| home[joint] + change[joint]))
    });
    let events = prop::collection::vec((event(), prop_oneof![4 => 1_usize..30, 1 => 30_usize..90]), 1..14);
    (setting(), start, events).prop_map(|(setting, start, events)| Script { setting, start, events })
}

impl Script {
    pub(super) fn parameters(&self) -> ControlParameters {
        let around = |margin: f64| {
            let home = home().to_array_rad();
            let at = |sign: f64| JointAngles::from_array_rad(home.map(|angle| angle + sign * margin));
            JointBounds { lower: at(-1.0), upper: at(1.0) }
        };
        ControlParameters {
            start_pose: Some(self.start),
            trained_range: self.setting.trained.then(|| around(0.5)),
            z_score_range: Some(around(0.9)),
            after_stop: self.setting.after_stop,
            after_link_loss: self.setting.after_link_loss,
            park: self.setting.parks.then_some(Park { pose: home(), release_torque: false }),
            ramp_speed_rad_s: 0.5,
            schedule: self.setting.schedule,
            ..parameters(self.setting.generation)
        }
    }

    /// Plays it to its end.
    pub(super) fn play(&self) -> (Rig, ControlParameters) {
        let parameters = self.parameters();
        let servos = if self.setting.servos_lag { ServoOptions::stock() } else { ServoOptions::instant() };
        let mut rig = Rig::new(parameters.clone(), servos, self.setting.generation);
        rig.report_delay = Duration::from_millis(self.setting.report_delay_ms);
        rig.run(60);
        for (event, ticks) in &self.events {
            match event {
                Event::Nothing => {}
                Event::Feedback(fault) => rig.feedback = *fault,
                Event::Camera(works) => rig.camera_works = *works,
                Event::Policy(answer) => rig.answer = *answer,
                Event::Plug(connected) => rig.plug(*connected),
                Event::Stop(cause) => rig.stop = Some(*cause),
                Event::Reset => rig.reset = true,
                Event::Consent(consent) => rig.consent = *consent,
                Event::Stuck(joint, stuck) => rig.board.set_stuck(firmware_joint(*joint), *stuck),
                Event::LateTick(millis) => rig.tick(Duration::from_millis(*millis)),
                Event::Pause(paused) => rig.playback.paused = *paused,
                Event::Step => rig.playback.steps += 1,
                Event::Latency(millis) => rig.latency = Duration::from_millis(*millis),
            }
            rig.run(*ticks);
        }
        (rig, parameters)
    }
}

pub(super) fn firmware_joint(joint: Joint) -> firmware_protocol::Joint {
    firmware_protocol::Joint::ALL[joint.index()]
}
