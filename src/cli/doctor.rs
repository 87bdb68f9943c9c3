//! `roarm doctor`: one page of what would stop a run, each with its fix. It opens no port, so nothing moves.

mod cuda;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::plan::{self, PolicyFlags};
use super::terminal;
use crate::arm::port::{SystemFiles, check_port};
use crate::camera::{SourceSpec, V4l2Source};
use crate::config::Config;
use crate::policy::{Bundle, Device, OnnxRuntime};
use crate::runtime;
use crate::types::FramePool;

#[derive(Args, Debug)]
pub(super) struct DoctorFlags {
    /// The arm: a serial port, or a name from the configuration [default: every arm there, and every USB serial port]
    #[arg(long, value_name = "NAME|PORT")]
    arm: Option<String>,
    /// A camera source to try [default: those of the configuration, and every /dev/videoN]
    #[arg(long, value_name = "SOURCE")]
    camera: Vec<String>,
    /// A policy bundle to check and open
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// Configuration file [default: roarm.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    inference: PolicyFlags,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// Worth knowing; a run may work all the same.
    Note,
    Failed,
}

#[derive(Debug, Serialize)]
struct Finding {
    part: &'static str,
    verdict: Verdict,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    findings: Vec<Finding>,
}

/// Collects findings; an error's text carries its own fix.
#[derive(Default)]
struct Examination(Vec<Finding>);

impl Examination {
    fn add(&mut self, part: &'static str, verdict: Verdict, text: impl Into<String>, fix: Option<String>) {
        self.0.push(Finding { part, verdict, text: text.into(), fix });
    }

    fn result<T>(
        &mut self,
        part: &'static str,
        result: Result<T, CliError>,
        good: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.add(part, Verdict::Ok, good(&value), None);
                Some(value)
            }
            Err(error) => {
                self.add(part, Verdict::Failed, error.to_string(), None);
                None
            }
        }
    }

    fn library(&mut self, flags: &DoctorFlags, config: &Config) -> Option<OnnxRuntime> {
        let library =
            plan::onnxruntime(&flags.inference, config).and_then(|path| Ok(OnnxRuntime::load(&path)?));
        self.result("library", library, |runtime| {
            format!("ONNX Runtime {} ({})", runtime.version(), runtime.path().display())
        })
    }

    fn policy(&mut self, flags: &DoctorFlags, config: &Config, runtime: Option<&OnnxRuntime>) {
        let device = plan::device(&flags.inference, config);
        let Some(folder) = flags.policy.clone().or_else(|| config.policy.path.clone()) else {
            self.add(
                "policy",
                Verdict::Note,
                format!("none named, so none was tried on {device}"),
                Some("name one with --policy DIR".to_owned()),
            );
            if device != Device::Cpu {
                self.provider(runtime, device);
            }
            return;
        };
        let bundle = Bundle::load(&folder).map_err(CliError::from);
        let bundle = self.result("policy", bundle, |bundle| {
            let slots: Vec<&str> = bundle.slots().iter().map(|slot| slot.short_name()).collect();
            format!("{} is whole; cameras: {}", folder.display(), slots.join(", "))
        });
        if let Some(bundle) = bundle {
            let engine = plan::engine(&bundle, &flags.inference, config);
            self.result("provider", engine, |engine| {
                let count = engine.threads();
                format!(
                    "{} opens all graphs, {count} thread{}",
                    engine.device(),
                    if count == 1 { "" } else { "s" }
                )
            });
        }
    }

    fn cameras(&mut self, flags: &DoctorFlags, config: &Config) {
        let mut sources = flags.camera.clone();
        if sources.is_empty() {
            sources.extend(config.cameras.values().map(|camera| camera.source.clone()));
        }
        if sources.is_empty() {
            sources.extend(
                (0..10)
                    .map(|n| format!("/dev/video{n}"))
                    .filter(|path| std::path::Path::new(path).exists())
                    .map(|path| format!("v4l2:{path}")),
            );
        }
        if sources.is_empty() {
            self.add(
                "camera",
                Verdict::Note,
                "no camera named, and no /dev/videoN here",
                Some("plug one in; `roarm run --camera dataset:DIR:EPISODE` works without".to_owned()),
            );
        }
        for source in sources {
            let frame = SourceSpec::parse(&source).map_err(CliError::from).and_then(|spec| {
                let pool = FramePool::new(1);
                let mut camera = match spec {
                    SourceSpec::V4l2(spec) => Box::new(V4l2Source::open(&spec)?),
                    other => plan::open_camera(&other)?,
                };
                let frame = camera.next_frame(&pool)?;
                match frame {
                    Some(_) => Ok(format!("{source}: {}, delivers frames", camera.description())),
                    None => {
                        Err(CliError::Refused(format!("{source}: {}, has no frame", camera.description())))
                    }
                }
            });
            self.result("camera", frame, Clone::clone);
        }
    }

    /// Asks for what a run's control thread would ask for, on a thread of its own.
    fn real_time(&mut self, config: &Config) {
        let settings = plan::real_time(config, None);
        // A thread that cannot be had is a failure of its own.
        let asked = std::thread::Builder::new().spawn(move || runtime::make_real_time(&settings));
        let Some(report) = asked.ok().and_then(|thread| thread.join().ok()) else {
            let fix = "close other programs, or raise the limit (ulimit -u)".to_owned();
            return self.add("real time", Verdict::Failed, "the system gives no more threads", Some(fix));
        };
        let verdict = if report.denied.is_empty() { Verdict::Ok } else { Verdict::Note };
        self.add("real time", verdict, report.to_string().replace('\n', "; "), None);
    }

    fn ports(&mut self, flags: &DoctorFlags, config: &Config) {
        let system = SystemFiles::default();
        let mut ports: Vec<PathBuf> = match &flags.arm {
            Some(name) => {
                vec![config.arms.get(name).map_or_else(|| PathBuf::from(name), |arm| arm.port.clone())]
            }
            None => config.arms.values().map(|arm| arm.port.clone()).collect(),
        };
        if ports.is_empty() {
            ports = system.usb_serial_ports();
        }
        if ports.is_empty() {
            self.add(
                "port",
                Verdict::Note,
                "no arm named, and no USB serial port here",
                Some("plug the arm in (socket marked USB, not LADAR), or try `roarm sim`".to_owned()),
            );
        }
        for port in ports {
            let report = check_port(&port, &system);
            let kind = if report.is_pty { "pseudo-terminal" } else { "serial port" };
            if report.findings.is_empty() {
                self.add("port", Verdict::Ok, format!("{} is a free {kind}", port.display()), None);
            }
            for finding in &report.findings {
                let verdict = if finding.blocks() { Verdict::Failed } else { Verdict::Note };
                self.add("port", verdict, format!("{}: {finding}", port.display()), Some(finding.fix()));
            }
            if let (Some(stable), false) = (report.stable_names.first(), report.stable_names.contains(&port))
            {
                self.add(
                    "port",
                    Verdict::Note,
                    format!(
                        "{} is also {}, which stays the same when replugged",
                        port.display(),
                        stable.display()
                    ),
                    None,
                );
            }
        }
    }
}

pub(super) fn doctor(flags: &DoctorFlags) -> Result<Exit, CliError> {
    let (config, _) = plan::load_config(flags.config.as_deref())?;
    let mut examination = Examination::default();
    let runtime = examination.library(flags, &config);
    if matches!(plan::device(&flags.inference, &config), Device::Cuda { .. } | Device::TensorRt { .. }) {
        examination.cuda(runtime.as_ref());
    }
    examination.policy(flags, &config, runtime.as_ref());
    examination.cameras(flags, &config);
    examination.ports(flags, &config);
    examination.real_time(&config);
    let findings = examination.0;
    let page: Vec<String> = findings
        .iter()
        .map(|finding| {
            let mark = match finding.verdict {
                Verdict::Ok => "ok    ",
                Verdict::Note => "note  ",
                Verdict::Failed => "FAILED",
            };
            let fix =
                finding.fix.as_ref().map(|fix| format!("\n                 fix: {fix}")).unwrap_or_default();
            format!("{mark} {:<9} {}{fix}", finding.part, finding.text)
        })
        .collect();
    let report = Report { ok: findings.iter().all(|finding| finding.verdict != Verdict::Failed), findings };
    if flags.json {
        terminal::say(page.join("\n"));
        terminal::print_json(&report);
    } else {
        terminal::print(page.join("\n"));
    }
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}
