//! From `--camera` and the configuration to open cameras.

use crate::camera::{DatasetSource, FrameSource, PacedSource, SourceSpec, V4l2Source};
use crate::cli::exit::CliError;
use crate::config::Config;
use crate::policy::Bundle;
use crate::runtime;

/// Assigns `--camera [SLOT=]SOURCE` flags to the policy's slots, in its order. Without flags, the cameras of the configuration:
/// those that its table of the arm names, or all.
pub(in crate::cli) fn camera_specs(
    flags: &[String],
    arm: &str,
    config: &Config,
    bundle: &Bundle,
) -> Result<Vec<SourceSpec>, CliError> {
    let slots = bundle.slots();
    let mut specs: Vec<Option<SourceSpec>> = vec![None; slots.len()];
    let own = config.arms.get(arm).map(|arm| &arm.cameras).filter(|names| !names.is_empty());
    let configured = config
        .cameras
        .iter()
        .filter(|(name, _)| flags.is_empty() && own.is_none_or(|own| own.contains(name)));
    for (name, camera) in configured {
        specs[bundle.slot_index(name)?] = Some(SourceSpec::parse(&camera.source)?);
    }
    for flag in flags {
        let (slot, source) = match flag.split_once('=').filter(|(slot, _)| !slot.contains([':', '?', '/'])) {
            Some((slot, source)) => (bundle.slot_index(slot)?, source),
            None if slots.len() == 1 => (0, flag.as_str()),
            None => {
                return Err(CliError::Arguments(format!(
                    "the policy has {} camera slots: name the one that `{flag}` is for, as in --camera {}={flag}",
                    slots.len(),
                    slots.first().map_or("SLOT", |slot| slot.short_name())
                )));
            }
        };
        if specs[slot].replace(SourceSpec::parse(source)?).is_some() {
            return Err(CliError::Arguments(format!("camera slot {} is given twice", slots[slot].name)));
        }
    }
    specs
        .into_iter()
        .zip(slots)
        .map(|(spec, slot)| {
            spec.ok_or_else(|| {
                CliError::Arguments(format!(
                    "the policy's camera slot {} has no camera: add --camera {}=v4l2:/dev/video0 (or dataset:DIR:EPISODE)",
                    slot.name,
                    slot.short_name()
                ))
            })
        })
        .collect()
}

/// Opens a camera for a live run. A simulated cell needs an emulated arm: see `roarm demo`.
pub(in crate::cli) fn open_camera(spec: &SourceSpec) -> Result<Box<dyn FrameSource>, CliError> {
    Ok(match spec {
        SourceSpec::V4l2(spec) => Box::new(V4l2Source::open(spec)?),
        SourceSpec::Dataset(spec) => Box::new(PacedSource::new(DatasetSource::open(spec)?, runtime::now)),
        SourceSpec::Cell { .. } => {
            return Err(CliError::Arguments(
                "the simulated cell shows the emulated arm, which only `roarm demo` has: use that, or another camera".to_owned(),
            ));
        }
    })
}
