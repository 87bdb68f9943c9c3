//! The first and the last record, and what was lost.

use super::super::error::Unreadable;
use super::super::records::{
    CameraRecord, EndRecord, FORMAT, FileHash, FormatVersion, LossRecord, PolicyRecord, RunRecord,
};
use super::super::wire;
use super::{Convert, duration, index, nanos, number, optional, required, time};
use crate::types::{RealTimeChunking, ShortLeftOver};

impl Convert for RunRecord {
    type Wire = wire::Run;

    fn to_wire(&self) -> wire::Run {
        wire::Run {
            format_major: FORMAT.major,
            format_minor: FORMAT.minor,
            program: self.program.clone(),
            verb: self.verb.clone(),
            wall_start_ns: self.wall_start_ns,
            start_ns: self.start.as_nanos(),
            task: self.task.clone(),
            configuration_file: self.configuration_file.clone(),
            configuration: self.configuration.clone(),
            arm: self.arm.clone(),
            firmware: self.firmware.clone(),
            tick_period_ns: nanos(self.tick_period),
            cameras: self.cameras.iter().map(|camera| camera.name.clone()).collect(),
            camera_sources: self.cameras.iter().map(|camera| camera.source.clone()).collect(),
            policy: Some(self.policy.to_wire()),
            hashes: self.hashes.iter().map(Convert::to_wire).collect(),
            parameters: Some(self.parameters.to_wire()),
        }
    }

    fn from_wire(wire: wire::Run) -> Result<Self, Unreadable> {
        let sources = wire.camera_sources.into_iter().chain(std::iter::repeat(String::new()));
        let cameras = wire.cameras.into_iter().zip(sources);
        Ok(Self {
            format: FormatVersion { major: wire.format_major, minor: wire.format_minor },
            program: wire.program,
            verb: wire.verb,
            wall_start_ns: wire.wall_start_ns,
            start: time(wire.start_ns),
            task: wire.task,
            configuration_file: wire.configuration_file,
            configuration: wire.configuration,
            arm: wire.arm,
            firmware: wire.firmware,
            tick_period: duration(wire.tick_period_ns),
            cameras: cameras.map(|(name, source)| CameraRecord { name, source }).collect(),
            policy: required(wire.policy, "policy")?,
            hashes: wire.hashes.into_iter().map(FileHash::from_wire).collect::<Result<_, _>>()?,
            parameters: required(wire.parameters, "parameters")?,
        })
    }
}

impl Convert for PolicyRecord {
    type Wire = wire::Policy;

    fn to_wire(&self) -> wire::Policy {
        let RealTimeChunking { schedule, execution_horizon, max_guidance_weight, short_left_over } =
            self.chunking;
        wire::Policy {
            folder: self.folder.clone(),
            device: self.device.clone(),
            noise_seed: self.noise_seed,
            prefix_attention_schedule: schedule.name().to_owned(),
            execution_horizon: execution_horizon as u64,
            max_guidance_weight: Some(max_guidance_weight),
            hold_last: short_left_over == ShortLeftOver::HoldLast,
            threads: self.threads as u64,
            action_scale: Some(self.action_scale),
        }
    }

    fn from_wire(wire: wire::Policy) -> Result<Self, Unreadable> {
        let schedule = wire.prefix_attention_schedule.parse();
        Ok(Self {
            folder: wire.folder,
            device: wire.device,
            noise_seed: wire.noise_seed,
            chunking: RealTimeChunking {
                schedule: schedule.map_err(|error| Unreadable(format!("{error}")))?,
                execution_horizon: index(wire.execution_horizon, "a horizon")?,
                max_guidance_weight: number(wire.max_guidance_weight, "guidance weight")?,
                short_left_over: if wire.hold_last {
                    ShortLeftOver::HoldLast
                } else {
                    ShortLeftOver::ShortenHorizon
                },
            },
            threads: index(wire.threads, "a number of threads")?,
            action_scale: number(wire.action_scale, "action scale")?,
        })
    }
}

impl Convert for FileHash {
    type Wire = wire::FileHash;

    fn to_wire(&self) -> wire::FileHash {
        wire::FileHash { of: self.of.clone(), path: self.path.clone(), sha256: self.sha256.clone() }
    }

    fn from_wire(wire: wire::FileHash) -> Result<Self, Unreadable> {
        Ok(Self { of: wire.of, path: wire.path, sha256: wire.sha256 })
    }
}

impl Convert for LossRecord {
    type Wire = wire::Lost;

    fn to_wire(&self) -> wire::Lost {
        let Self { control_records, policy_frames, other_frames } = *self;
        wire::Lost { control_records, policy_frames, other_frames }
    }

    fn from_wire(wire: wire::Lost) -> Result<Self, Unreadable> {
        let wire::Lost { control_records, policy_frames, other_frames } = wire;
        Ok(Self { control_records, policy_frames, other_frames })
    }
}

impl Convert for EndRecord {
    type Wire = wire::End;

    fn to_wire(&self) -> wire::End {
        wire::End {
            cause: self.cause.as_ref().map(Convert::to_wire),
            text: self.text.clone(),
            summary: self.summary.clone(),
            lost: Some(self.lost.to_wire()),
            cut: self.cut.clone(),
        }
    }

    fn from_wire(wire: wire::End) -> Result<Self, Unreadable> {
        Ok(Self {
            cause: optional(wire.cause)?,
            text: wire.text,
            summary: wire.summary,
            lost: optional(wire.lost)?.unwrap_or_default(),
            cut: wire.cut,
        })
    }
}
