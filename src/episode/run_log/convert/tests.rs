//! Whatever a record holds comes back bit by bit.
#![allow(clippy::unwrap_used)]

use std::fmt::Debug;
use std::time::Duration;

use nalgebra::{Point3, Vector3};
use prop::option::of;
use prop::sample::select;
use proptest::prelude::*;
use prost::Message;

use super::super::records::{
    CameraRecord, ChunkRecord, ControlRecord, EndRecord, FORMAT, FileHash, LossRecord, ObservationRecord,
    PolicyRecord, RunRecord,
};
use super::*;
use crate::control::{
    AfterLinkLoss, AfterStop, Aggregation, ChunkSchedule, ControlParameters, EndCause, FrozenPicture,
    GateCounts, GripperIdle, JointBounds, KeepOutBox, MotionLimits, Park, Phase, Plateau, PlateauAction,
    ReachCylinder, ReachSphere, StartProposal, Table, Workspace, WorkspaceCounts,
};
use crate::policy::{ChunkReport, GuidanceReport, StageTimings, ZStatistics};
use crate::types::{
    Chunk, CommandWritten, Continuation, FeedbackSample, FrameMetadata, FrameSet, Joint, JointCommand,
    LinkStatus, MAX_CAMERAS, ObservationRequest, Playback, PrefixAttentionSchedule, RealTimeChunking,
    ServoProfile, ShortLeftOver, StatePerturbation,
};

/// Every bit pattern: also NaN with a message, infinities, both zeros, denormals.
fn float() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 4.0]),
        -7.0..7.0,
    ]
    .boxed()
}

fn float32() -> impl Strategy<Value = f32> + Clone {
    prop_oneof![
        any::<u32>().prop_map(f32::from_bits),
        select(vec![0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE / 4.0]),
    ]
    .boxed()
}

fn angles() -> impl Strategy<Value = JointAngles> + Clone {
    prop::array::uniform6(float()).prop_map(JointAngles::from_array_rad).boxed()
}

fn moment() -> impl Strategy<Value = Timestamp> + Clone {
    any::<u64>().prop_map(Timestamp::from_nanos)
}

fn span() -> impl Strategy<Value = Duration> + Clone {
    any::<u64>().prop_map(Duration::from_nanos)
}

fn joint() -> impl Strategy<Value = Joint> + Clone {
    select(Joint::ALL.to_vec())
}

/// Every cause there is; `name_every_cause` keeps the list whole.
fn cause() -> impl Strategy<Value = EndCause> + Clone {
    prop_oneof![
        select(vec![
            EndCause::Duration,
            EndCause::SourceEnded,
            EndCause::EpisodeOver,
            EndCause::Interrupted,
            EndCause::Terminated,
            EndCause::HungUp,
            EndCause::Declined,
            EndCause::NotStill,
            EndCause::TorqueOff,
            EndCause::ProgramFailed,
            EndCause::PolicyFailed,
            EndCause::CameraFailed,
            EndCause::LinkLost,
            EndCause::DeadBus,
            EndCause::WorkspaceRefused,
            EndCause::Plateau,
            EndCause::GripperIdle,
            EndCause::EmergencyStop,
            EndCause::ControlStalled,
        ]),
        joint().prop_map(|joint| EndCause::OutsideLimits { joint }),
        joint().prop_map(|joint| EndCause::NotFollowing { joint }),
        span().prop_map(|age| EndCause::FeedbackStale { age }),
        (0..MAX_CAMERAS, of(span())).prop_map(|(slot, age)| EndCause::FrameStale { slot, age }),
        (0..MAX_CAMERAS).prop_map(|slot| EndCause::PictureFrozen { slot }),
        any::<u32>().prop_map(|count| EndCause::ChunksRejected { count }),
        span().prop_map(|waited| EndCause::PolicyStalled { waited }),
    ]
    .boxed()
}

fn frame_metadata() -> impl Strategy<Value = FrameMetadata> + Clone {
    (any::<[u64; 2]>(), moment(), any::<[u32; 2]>(), of(any::<u64>())).prop_map(
        |([id, sequence], captured, [width, height], digest)| FrameMetadata {
            id,
            sequence,
            captured,
            width,
            height,
            digest,
        },
    )
}

fn frame_set() -> impl Strategy<Value = FrameSet> + Clone {
    prop::array::uniform4(of(frame_metadata())).boxed()
}

fn command() -> impl Strategy<Value = JointCommand> + Clone {
    (any::<[u64; 2]>(), angles(), float(), float()).prop_map(
        |([sequence, tick], goal, speed_rad_s, acceleration_rad_s2)| JointCommand {
            sequence,
            tick,
            goal,
            profile: ServoProfile { speed_rad_s, acceleration_rad_s2 },
        },
    )
}

fn request() -> impl Strategy<Value = ObservationRequest> + Clone {
    let continuation = (any::<u64>(), any::<[u32; 2]>()).prop_map(|(chunk_id, [consumed, delay])| {
        Continuation { chunk_id, consumed: consumed as usize, inference_delay: delay as usize }
    });
    let perturbation =
        (float(), any::<u64>()).prop_map(|(amplitude_rad, seed)| StatePerturbation { amplitude_rad, seed });
    (any::<[u64; 3]>(), frame_set(), moment(), angles(), of(continuation), of(perturbation))
        .prop_map(|([chunk_id, tick, timestep], frames, observed, state, continues, perturbation)| {
            ObservationRequest { chunk_id, tick, timestep, frames, observed, state, continues, perturbation }
        })
        .boxed()
}

fn phase() -> impl Strategy<Value = Phase> + Clone {
    let proposal = (any::<u32>(), angles(), angles(), angles(), span(), any::<bool>()).prop_map(
        |(number, measured, from, to, duration, resumes)| StartProposal {
            number,
            measured,
            from,
            to,
            duration,
            resumes,
        },
    );
    prop_oneof![
        select(vec![Phase::Settling, Phase::Ramping, Phase::Running, Phase::Disconnected]),
        proposal.prop_map(Phase::AwaitingGo),
        cause().prop_map(Phase::Easing),
        cause().prop_map(Phase::Holding),
        cause().prop_map(Phase::Parking),
        cause().prop_map(Phase::Stopped),
        cause().prop_map(Phase::Ended),
    ]
    .boxed()
}

fn gate() -> impl Strategy<Value = GateCounts> + Clone {
    any::<[u64; 17]>().prop_map(|counts| {
        let [
            finite,
            trained_range,
            z_score,
            joint_limits,
            itself,
            table,
            reach,
            keep_out,
            not_finite,
            rest @ ..,
        ] = counts;
        let [step, velocity, acceleration, lead, observation_age, frame_age, feedback_age, tracking] = rest;
        let workspace = WorkspaceCounts { itself, table, reach, keep_out, not_finite };
        GateCounts {
            finite,
            trained_range,
            z_score,
            joint_limits,
            workspace,
            step,
            velocity,
            acceleration,
            lead,
            observation_age,
            frame_age,
            feedback_age,
            tracking,
        }
    })
}

/// Any tick.
pub(in crate::episode::run_log) fn control_record() -> impl Strategy<Value = ControlRecord> {
    let feedback = (any::<u64>(), angles(), moment(), any::<bool>()).prop_map(
        |(sequence, angles, measured, torque_off)| FeedbackSample { sequence, angles, measured, torque_off },
    );
    let written =
        (command(), moment()).prop_map(|(command, written)| CommandWritten { command, written }).boxed();
    let link = (any::<u32>(), any::<bool>(), any::<bool>())
        .prop_map(|(connection, connected, ready)| LinkStatus { connection, connected, ready });
    let input =
        (of(feedback), frame_set(), of(any::<u64>()), of(written), link, of(any::<u32>()), of(cause()));
    let output = (of(command()), of(request()), any::<([bool; 3], u32)>(), phase(), gate());
    (any::<[u64; 2]>(), moment(), input, output).prop_map(
        |([tick, missed_ticks], now, (feedback, frames, chunk, written, link, go, stop), output)| {
            let (command, observation, ([reset, torque_released, paused], steps), phase, gate) = output;
            ControlRecord {
                tick,
                now,
                missed_ticks,
                feedback,
                frames,
                chunk,
                written,
                link,
                go,
                stop,
                reset,
                playback: Playback { paused, steps },
                command,
                observation,
                torque_released,
                phase,
                gate,
            }
        },
    )
}

/// Anything that the policy was shown.
pub(in crate::episode::run_log) fn observation_record() -> impl Strategy<Value = ObservationRecord> {
    (request(), moment(), frame_set(), any::<u64>()).prop_map(|(request, started, frames, noise_seed)| {
        ObservationRecord { request, started, frames, noise_seed }
    })
}

/// Anything that the policy said.
pub(in crate::episode::run_log) fn chunk_record() -> impl Strategy<Value = ChunkRecord> {
    let actions = prop::collection::vec(angles(), 0..60);
    let chunk = (any::<[u64; 2]>(), moment(), moment(), actions, any::<bool>()).prop_map(
        |([id, tick], observed, finished, actions, ends)| {
            let mut chunk = Chunk::new(id, observed, tick, finished, &actions).unwrap();
            chunk.ends = ends;
            Box::new(chunk)
        },
    );
    let guidance = (any::<u32>(), float32(), float32()).prop_map(|(kept, largest_deviation, bound)| {
        GuidanceReport { kept_actions: kept as usize, largest_deviation, bound }
    });
    let z = prop::array::uniform5(float32());
    let rows = prop::collection::vec(prop::array::uniform6(float32()), 0..60);
    let noise = prop::collection::vec(float32(), 0..100);
    let numbers = (any::<u64>(), prop::array::uniform8(span()), float32(), of(guidance), z);
    (chunk, rows, noise, numbers).prop_map(|(chunk, z_scores, noise, numbers)| {
        let (noise_seed, spans, action_scale, guidance, [min, max, mean, max_abs, beyond]) = numbers;
        let [preprocess, vision, prefix, flow, denormalise, total, start, end] = spans;
        let report = ChunkReport {
            chunk_id: chunk.id,
            noise_seed,
            timings: StageTimings { preprocess, vision, prefix, flow, denormalise, total },
            observation_age_start: start,
            observation_age_end: end,
            z: ZStatistics { min, max, mean, max_abs, beyond_trained_range: beyond },
            action_scale,
            guidance,
        };
        ChunkRecord { chunk, z_scores, noise, report }
    })
}

fn bounds() -> impl Strategy<Value = JointBounds> + Clone {
    (angles(), angles()).prop_map(|(lower, upper)| JointBounds { lower, upper })
}

fn workspace() -> impl Strategy<Value = Workspace> {
    let three = || prop::array::uniform3(float());
    let table = (float(), float()).prop_map(|(height_m, clearance_m)| Table { height_m, clearance_m });
    let cylinder = (float(), float()).prop_map(|(radius_m, top_m)| ReachCylinder { radius_m, top_m });
    let sphere = (three(), float())
        .prop_map(|(centre, radius_m)| ReachSphere { centre_m: Point3::from(centre), radius_m });
    let keep_out = (three(), three(), float(), float()).prop_map(|(centre, half, yaw_rad, clearance_m)| {
        KeepOutBox { centre_m: Point3::from(centre), half_size_m: Vector3::from(half), yaw_rad, clearance_m }
    });
    (float(), of(table), of(cylinder), of(sphere), prop::collection::vec(keep_out, 0..3)).prop_map(
        |(self_margin_m, table, reach_cylinder, reach_sphere, keep_out)| Workspace {
            self_margin_m,
            table,
            reach_cylinder,
            reach_sphere,
            keep_out,
        },
    )
}

fn schedule() -> impl Strategy<Value = ChunkSchedule> {
    prop_oneof![
        Just(ChunkSchedule::Sync),
        select(Aggregation::ALL.to_vec()).prop_map(|aggregation| ChunkSchedule::Async { aggregation }),
        any::<u32>().prop_map(|horizon| ChunkSchedule::RealTime { execution_horizon: horizon as usize }),
    ]
}

fn plateau() -> impl Strategy<Value = Plateau> {
    let action = prop_oneof![
        Just(PlateauAction::Warn),
        Just(PlateauAction::Stop),
        (float(), any::<u64>())
            .prop_map(|(amplitude_rad, seed)| PlateauAction::Noise { amplitude_rad, seed }),
    ];
    (float(), span(), action).prop_map(|(threshold_rad, window, action)| Plateau {
        threshold_rad,
        window,
        action,
    })
}

/// Any settings.
pub(in crate::episode::run_log) fn parameters() -> impl Strategy<Value = ControlParameters> {
    let gripper = (float(), float(), span(), any::<bool>()).prop_map(
        |(closed_below_rad, threshold_rad, time, ends)| GripperIdle {
            closed_below_rad,
            threshold_rad,
            time,
            ends,
        },
    );
    let park =
        (angles(), any::<bool>()).prop_map(|(pose, release_torque)| Park { pose, release_torque }).boxed();
    let frozen = (span(), any::<[bool; 2]>())
        .prop_map(|(time, [every_source, ends])| FrozenPicture { time, every_source, ends })
        .boxed();
    let poses = (bounds(), of(bounds()), of(bounds()), of(angles()), prop::array::uniform6(float()));
    let floats = prop::array::uniform10(float());
    let limits = prop::array::uniform3(of(float()));
    let spans = (prop::array::uniform7(span()), of(span()));
    let watches = (of(plateau()), of(gripper), of(frozen));
    let parts = (schedule(), workspace(), watches, of(park), any::<[bool; 2]>());
    (poses, floats, limits, spans, any::<[u32; 3]>(), parts).prop_map(
        |(poses, floats, limits, (spans, duration), [actions, cameras, rejections], parts)| {
            let (joint_limits, trained_range, z_score_range, start_pose, lead_limit_rad) = poses;
            let [velocity, acceleration, deceleration, ramp, servo @ .., threshold, jerk, first, error] =
                floats;
            let [seam_ratio, jerk_rad_s3, waiting_share] = limits;
            let [period, feedback, frame, observation, inference, tracking_time, patience] = spans;
            let (schedule, workspace, watches, park, [wait, resume]) = parts;
            let (plateau, gripper_idle, frozen_picture) = watches;
            ControlParameters {
                joint_limits,
                trained_range,
                z_score_range,
                max_velocity_rad_s: velocity,
                max_acceleration_rad_s2: acceleration,
                stop_deceleration_rad_s2: deceleration,
                ramp_speed_rad_s: ramp,
                servo_profile: ServoProfile { speed_rad_s: servo[0], acceleration_rad_s2: servo[1] },
                start_pose,
                action_period: period,
                actions_per_chunk: actions as usize,
                schedule,
                queue_threshold: threshold,
                max_jerk_rad_s3: jerk,
                motion_limits: MotionLimits { seam_ratio, jerk_rad_s3, waiting_share },
                first_chunk_speed: first,
                cameras: cameras as usize,
                duration,
                max_feedback_age: feedback,
                max_frame_age: frame,
                max_observation_age: observation,
                inference_timeout: inference,
                rejections_before_stop: rejections,
                lead_limit_rad,
                workspace,
                tracking_error_rad: error,
                tracking_time,
                workspace_patience: patience,
                plateau,
                gripper_idle,
                frozen_picture,
                after_stop: if wait { AfterStop::Wait } else { AfterStop::End },
                after_link_loss: if resume { AfterLinkLoss::Resume } else { AfterLinkLoss::End },
                park,
            }
        },
    )
}

/// Any first record.
pub(in crate::episode::run_log) fn run_record() -> impl Strategy<Value = RunRecord> {
    let texts = prop::array::uniform9(".{0,12}");
    let camera = ("[a-z]{1,8}", ".{0,12}").prop_map(|(name, source)| CameraRecord { name, source }).boxed();
    let hash = prop::array::uniform3(".{0,12}").prop_map(|[of, path, sha256]| FileHash { of, path, sha256 });
    let chunking = (
        select(PrefixAttentionSchedule::ALL.to_vec()),
        any::<[u32; 2]>(),
        prop::array::uniform2(float32()),
        any::<bool>(),
    );
    let lists = (prop::collection::vec(camera, 0..3), prop::collection::vec(hash, 0..3));
    (texts, any::<[u64; 2]>(), moment(), span(), lists, chunking, parameters()).prop_map(
        |(
            texts,
            [wall_start_ns, noise_seed],
            start,
            tick_period,
            (cameras, hashes),
            chunking,
            parameters,
        )| {
            let [program, verb, task, configuration_file, configuration, arm, firmware, folder, device] =
                texts;
            let (schedule, [horizon, threads], [max_guidance_weight, action_scale], hold) = chunking;
            let short_left_over = if hold { ShortLeftOver::HoldLast } else { ShortLeftOver::ShortenHorizon };
            let execution_horizon = horizon as usize;
            let chunking =
                RealTimeChunking { schedule, execution_horizon, max_guidance_weight, short_left_over };
            RunRecord {
                format: FORMAT,
                program,
                verb,
                wall_start_ns,
                start,
                task,
                configuration_file,
                configuration,
                arm,
                firmware,
                tick_period,
                cameras,
                policy: PolicyRecord {
                    folder,
                    device,
                    noise_seed,
                    chunking,
                    threads: threads as usize,
                    action_scale,
                },
                hashes,
                parameters,
            }
        },
    )
}

fn lost_record() -> impl Strategy<Value = LossRecord> {
    any::<[u64; 3]>().prop_map(|[control_records, policy_frames, other_frames]| LossRecord {
        control_records,
        policy_frames,
        other_frames,
    })
}

fn end_record() -> impl Strategy<Value = EndRecord> {
    (of(cause()), prop::array::uniform3(".{0,12}"), lost_record())
        .prop_map(|(cause, [text, summary, cut], lost)| EndRecord { cause, text, summary, lost, cut })
}

/// Through the bytes of the message and back: the same in words (which tell every field and the sign of a zero), and the same bytes
/// again (which tell every bit of a NaN).
fn comes_back<T: Convert + Debug>(value: &T) -> Result<(), TestCaseError>
where
    T::Wire: Message + Default,
{
    let bytes = value.to_wire().encode_to_vec();
    let read = T::from_wire(T::Wire::decode(bytes.as_slice()).unwrap()).unwrap();
    prop_assert_eq!(format!("{value:?}"), format!("{read:?}"));
    prop_assert_eq!(bytes, read.to_wire().encode_to_vec());
    Ok(())
}

proptest! {
    #[test]
    fn ticks(record in control_record()) {
        comes_back(&record)?;
    }

    #[test]
    fn observations(record in observation_record()) {
        comes_back(&record)?;
    }

    #[test]
    fn chunks(record in chunk_record()) {
        comes_back(&record)?;
    }

    #[test]
    fn runs(record in run_record()) {
        comes_back(&record)?;
    }

    #[test]
    fn losses_and_ends(lost in lost_record(), end in end_record()) {
        comes_back(&lost)?;
        comes_back(&end)?;
    }

    /// A message that is no record is an error, whatever it is.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = bytes.as_slice();
        let _ = super::super::wire::Control::decode(bytes).map(ControlRecord::from_wire);
        let _ = super::super::wire::Run::decode(bytes).map(RunRecord::from_wire);
        let _ = super::super::wire::Chunk::decode(bytes).map(ChunkRecord::from_wire);
        let _ = super::super::wire::Observation::decode(bytes).map(ObservationRecord::from_wire);
        let _ = super::super::wire::End::decode(bytes).map(EndRecord::from_wire);
    }
}
