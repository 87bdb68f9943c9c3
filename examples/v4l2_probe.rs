//! Proves `camera::V4l2Source` against the kernel's own test driver `vivid`: `tests/qemu/run.sh` runs it inside a virtual machine.
//!
//! It breaks the camera on purpose through vivid's controls, so it refuses any other driver. One line a check, `ALL OK` at the end.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use roarm::camera::{CameraError, FrameSource, SourceSpec, V4l2Source};
use roarm::policy::ResizeWithPad;
use roarm::policy::bundle::manifest::CameraContract;
use roarm::types::{Frame, FrameMetadata, FramePool, PixelLayout, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use v4l::control::{Control, MenuItem, Value};

const DEVICE: &str = "/dev/video0";
const FPS: u64 = 10;
const PERIOD: Duration = Duration::from_millis(1000 / FPS);
const NORMAL: &str = "width=640&height=480&fps=10&format=yuyv";
/// What a busy machine may add to a delay, below one period.
const MARGIN: Duration = Duration::from_millis(60);

type Outcome = Result<String, Box<dyn Error>>;
type Check = fn() -> Outcome;

/// In the order in which they run: the camera is unplugged last.
const CHECKS: &[(&str, Check)] = &[
    ("opens and describes itself", opens),
    ("frames: size, sequence, rate, content", frames),
    ("colours of the colour bars, YUYV", || colours(NORMAL)),
    ("colours of the colour bars, NV12", || colours("width=640&height=480&fps=10&format=nv12")),
    ("stamps: start of exposure", stamps_of_exposure),
    ("stamps: end of frame, ahead of time", stamps_ahead_of_time),
    ("newest frame wins after a pause", newest_frame_wins),
    ("refuses a size", || refused("width=641&height=480&format=yuyv", "641x480 in yuyv: it offers")),
    ("refuses a pixel format", || refused("format=mjpeg", "the pixel format mjpeg: it offers YUYV, ")),
    ("refuses a rate", || {
        refused("width=640&height=480&fps=7&format=yuyv", "7 frames a second at this size: it offers 1.00, ")
    }),
    ("a second user is told that it is busy", busy),
    ("dropped buffers are gaps, not errors", dropped_buffers),
    ("a damaged buffer is passed over", damaged_buffer),
    ("a silent camera times out, then goes on", silent_camera),
    ("goes on after buffers were refused", || {
        goes_on_after("Inject VIDIOC_REQBUFS Error", "starting its stream failed", true)
    }),
    ("goes on after a refused start", || {
        goes_on_after("Inject VIDIOC_STREAMON Error", "starting its stream failed", true)
    }),
    ("goes on after a refused buffer", || {
        goes_on_after("Inject VIDIOC_QBUF Error", "capturing failed", false)
    }),
    ("goes on after a fatal streaming error", || {
        goes_on_after("Inject Fatal Streaming Error", "capturing failed", false)
    }),
    ("no device, no camera, metadata node", wrong_nodes),
    ("unplugged and plugged in again", unplugged),
];

fn main() -> ExitCode {
    match v4l::Device::with_path(DEVICE).and_then(|device| device.query_caps()) {
        Ok(capabilities) if capabilities.driver == "vivid" => {}
        other => {
            eprintln!("{DEVICE} is not the test driver vivid, left alone: {other:?}");
            return ExitCode::FAILURE;
        }
    }
    let mut failures = 0;
    for (name, check) in CHECKS {
        match check() {
            Ok(detail) => println!("ok      {name}: {detail}"),
            Err(error) => {
                failures += 1;
                println!("FAILED  {name}: {error}");
            }
        }
    }
    if failures > 0 {
        println!("{failures} of {} checks FAILED", CHECKS.len());
        return ExitCode::FAILURE;
    }
    println!("ALL OK ({} checks)", CHECKS.len());
    ExitCode::SUCCESS
}

fn opens() -> Outcome {
    let source = open(NORMAL)?;
    ensure(source.size() == (640, 480), || format!("size {:?}", source.size()))?;
    ensure(source.fps() == Some(FPS as f64), || format!("rate {:?}", source.fps()))?;
    let description = source.description();
    ensure(description.ends_with("640x480 yuyv at 10 a second"), || description.clone())?;
    drop(source);
    let free = open("")?.description();
    Ok(format!("{description}; with nothing asked: {free}"))
}

fn frames() -> Outcome {
    set("Horizontal Movement", "Move Right")?;
    let mut camera = Camera::open()?;
    let mut last: Option<Frame> = None;
    let start = camera.next()?.metadata;
    for _ in 0..3 * FPS {
        let frame = camera.next()?;
        let picture = frame.picture();
        ensure(picture.layout == PixelLayout::Yuyv { stride: 1280 }, || format!("{:?}", picture.layout))?;
        if let Some(last) = last {
            let (before, now) = (last.metadata, frame.metadata);
            ensure((now.id, now.sequence) == (before.id + 1, before.sequence + 1), || {
                format!("{before:?} then {now:?}")
            })?;
            let step = Duration::from_secs_f64(now.captured.seconds_since(before.captured).max(0.0));
            ensure(step.abs_diff(PERIOD) < MARGIN, || format!("{step:?} between frames"))?;
            ensure(last.picture().bytes != picture.bytes, || {
                format!("frame {} is the one before", now.sequence)
            })?;
        }
        last = Some(frame);
    }
    let end = last.map_or(start, |frame| frame.metadata);
    Ok(format!(
        "sequence {} to {} without a gap in {:.3} s",
        start.sequence,
        end.sequence,
        end.captured.seconds_since(start.captured)
    ))
}

/// Vivid's bars are made in RGB and converted by the kernel: what the policy would see is judged by other people's arithmetic.
fn colours(options: &str) -> Outcome {
    const BARS: [[u8; 3]; 8] = [
        [255, 255, 255],
        [255, 255, 0],
        [0, 255, 255],
        [0, 255, 0],
        [255, 0, 255],
        [255, 0, 0],
        [0, 0, 255],
        [0, 0, 0],
    ];
    set("Test Pattern", "100% Colorbar")?;
    set("Horizontal Movement", "No Movement")?;
    set("OSD Text Mode", "None")?;
    let frame = open(options)?.next_frame(&FramePool::new(1))?.ok_or("the stream ended")?;
    let cameras = CameraContract {
        slots: Vec::new(),
        empty: 0,
        input_height: 480,
        input_width: 640,
        pad_side: "left_top".to_owned(),
        pad_value: 0.0,
        range: [0.0, 255.0],
        tokens_per_image: 1,
    };
    let mut resize = ResizeWithPad::new(640, 480, &cameras).ok_or("640x480 cannot be resized")?;
    let mut planes = vec![0.0; resize.output_len()];
    ensure(resize.picture(&frame.picture(), &mut planes), || {
        format!("{:?} refused", frame.picture().layout)
    })?;
    let mut worst: f32 = 0.0;
    for (bar, expected) in BARS.iter().enumerate() {
        for row in [10, 240, 470] {
            let at = row * 640 + bar * 80 + 40;
            let pixel = [0, 1, 2].map(|plane| planes[plane * 640 * 480 + at]);
            let off = pixel.iter().zip(expected).map(|(a, b)| (a - f32::from(*b)).abs()).fold(0.0, f32::max);
            ensure(off <= 4.0, || format!("bar {bar}, row {row}: {pixel:?}, expected {expected:?}"))?;
            worst = worst.max(off);
        }
    }
    Ok(format!("{:?}: at most {worst} of 255 off in 24 places", frame.picture().layout))
}

fn stamps_of_exposure() -> Outcome {
    set("Timestamp Source", "Start of Exposure")?;
    let mut camera = Camera::open()?;
    camera.next()?;
    let mut ages = Vec::new();
    for _ in 0..FPS {
        let frame = camera.next()?.metadata;
        let age = now().seconds_since(frame.captured);
        ensure(age > 0.0 && age < (PERIOD + MARGIN).as_secs_f64(), || format!("age {age:.4} s"))?;
        ages.push(age);
    }
    Ok(format!("age {:.1} to {:.1} ms", 1e3 * min(&ages), 1e3 * max(&ages)))
}

/// Vivid's default stamps a frame with the planned end of its exposure, most of a period after it was delivered.
fn stamps_ahead_of_time() -> Outcome {
    set("Timestamp Source", "End of Frame")?;
    let mut camera = Camera::open()?;
    let mut ages = Vec::new();
    let mut last = Timestamp::ZERO;
    for _ in 0..FPS {
        let captured = camera.next()?.metadata.captured;
        let age = now().seconds_since(captured);
        ensure(captured > last, || format!("{captured} after {last}"))?;
        ensure((0.0..MARGIN.as_secs_f64()).contains(&age), || format!("age {age:.4} s"))?;
        ages.push(age);
        last = captured;
    }
    Ok(format!("age {:.1} to {:.1} ms, never ahead", 1e3 * min(&ages), 1e3 * max(&ages)))
}

fn newest_frame_wins() -> Outcome {
    set("Timestamp Source", "Start of Exposure")?;
    let mut camera = Camera::open()?;
    let mut told = Vec::new();
    // Shorter and longer than the driver's buffers last, and many times as long.
    for pause in [PERIOD * 5 / 2, PERIOD * 5, PERIOD * 20] {
        let before = camera.next()?.metadata;
        sleep(pause);
        let after = camera.next()?.metadata;
        let (gap, age) = (after.sequence - before.sequence, now().since(after.captured));
        ensure(age < PERIOD * 2 + MARGIN, || format!("after {pause:?} the frame is {age:?} old"))?;
        let missed = u64::try_from(pause.as_millis() / PERIOD.as_millis())?;
        ensure((missed..=missed + 2).contains(&gap), || format!("after {pause:?} a step of {gap}"))?;
        let next = camera.next()?.metadata;
        ensure(next.sequence == after.sequence + 1, || format!("{after:?} then {next:?}"))?;
        told.push(format!("{pause:?}: +{gap}, {} ms old", age.as_millis()));
    }
    Ok(told.join("; "))
}

fn refused(options: &str, part: &str) -> Outcome {
    let error = open(options).err().ok_or("it was accepted")?;
    ensure(matches!(error, CameraError::UnsupportedFormat { .. }), || format!("{error:?}"))?;
    let text = error.to_string();
    ensure(text.contains(part), || text.clone())?;
    Camera::open()?.next()?;
    Ok(text)
}

fn busy() -> Outcome {
    let mut first = Camera::open()?;
    first.next()?;
    let second = Camera::open().err().ok_or("two at once")?;
    ensure(matches!(second, CameraError::Busy { .. }), || format!("{second:?}"))?;
    let before = first.next()?.metadata;
    let after = first.next()?.metadata;
    ensure(after.sequence == before.sequence + 1, || format!("the first lost frames: {after:?}"))?;
    drop(first);
    Camera::open()?.next()?;
    Ok(second.to_string())
}

fn dropped_buffers() -> Outcome {
    let mut camera = Camera::open()?;
    let first = camera.next()?.metadata;
    set_value("Percentage of Dropped Buffers", 30)?;
    let frames = (0..3 * FPS).map(|_| camera.next()).collect::<Result<Vec<_>, _>>()?;
    set_value("Percentage of Dropped Buffers", 0)?;
    let last = frames.last().ok_or("no frame")?.metadata;
    let missing = (last.sequence - first.sequence) - (last.id - first.id);
    ensure(missing >= 2, || format!("{missing} gaps among {} frames", frames.len()))?;
    Ok(format!("{} frames, {missing} missing", frames.len()))
}

fn damaged_buffer() -> Outcome {
    let mut camera = Camera::open()?;
    let before = camera.next()?.metadata;
    set_value("Inject V4L2_BUF_FLAG_ERROR", 1)?;
    let after = [camera.next()?.metadata, camera.next()?.metadata];
    ensure(camera.source.damaged_frames() == 1, || format!("{} counted", camera.source.damaged_frames()))?;
    let step = after[1].sequence - before.sequence;
    ensure(step == 3, || format!("{before:?} then {after:?}"))?;
    Ok("one counted, its number is missing".to_owned())
}

fn silent_camera() -> Outcome {
    let mut camera = Camera::open()?;
    let before = camera.next()?.metadata;
    set_value("Percentage of Dropped Buffers", 100)?;
    // Frames that were under way may still come.
    let mut start = Instant::now();
    let error = loop {
        match camera.next() {
            Ok(_) => start = Instant::now(),
            Err(error) => break error,
        }
    };
    let waited = start.elapsed();
    set_value("Percentage of Dropped Buffers", 0)?;
    ensure(matches!(error, CameraError::Timeout { .. }), || format!("{error:?}"))?;
    ensure(waited.abs_diff(Duration::from_secs(2)) < MARGIN, || format!("after {waited:?}"))?;
    camera.goes_on_after(before)?;
    Ok(format!("{error} (after {waited:?})"))
}

/// Vivid is told to refuse something once; `from_start`: before the stream starts.
fn goes_on_after(fault: &str, part: &str, from_start: bool) -> Outcome {
    let mut camera = Camera::open()?;
    let before = if from_start { None } else { Some(camera.next()?.metadata) };
    set_value(fault, 1)?;
    let error = (0..3).find_map(|_| camera.next().err()).ok_or("no error came")?;
    ensure(matches!(error, CameraError::Device { .. }), || format!("{error:?}"))?;
    match before {
        Some(before) => camera.goes_on_after(before)?,
        None => drop(camera.next()?),
    }
    let text = error.to_string();
    ensure(text.contains(part), || text.clone())?;
    Ok(text)
}

fn wrong_nodes() -> Outcome {
    let mut told = Vec::new();
    for node in ["/dev/video9", "/dev/null", "/dev/video1"] {
        let SourceSpec::V4l2(spec) = SourceSpec::parse(&format!("v4l2:{node}"))? else {
            return Err("not understood as a V4L2 camera".into());
        };
        let error = V4l2Source::open(&spec).err().ok_or_else(|| format!("{node} opened"))?;
        let right = match node {
            "/dev/video9" => matches!(error, CameraError::NoDevice { .. }),
            _ => matches!(error, CameraError::NotACamera { .. }),
        };
        ensure(right, || format!("{node}: {error:?}"))?;
        told.push(error.to_string());
    }
    Ok(told.join(" | "))
}

fn unplugged() -> Outcome {
    let mut camera = Camera::open()?;
    camera.next()?;
    set_value("Disconnect", 1)?;
    let start = Instant::now();
    // Frames that were ready may still come, but not for long.
    let error = (0..5).find_map(|_| camera.next().err()).ok_or("frames still come")?;
    ensure(matches!(error, CameraError::Disconnected { .. }), || format!("{error:?}"))?;
    let text = error.to_string();
    ensure(text.contains("was disconnected: check the cable"), || text.clone())?;
    ensure(start.elapsed() < Duration::from_secs(1), || format!("after {:?}", start.elapsed()))?;
    let again = camera.next().err().ok_or("it came back by itself")?;
    ensure(matches!(again, CameraError::Disconnected { .. }), || format!("then {again:?}"))?;
    let closed = Camera::open().err().ok_or("it opens while unplugged")?;
    // Vivid comes back when its last user has closed it.
    drop(camera);
    Camera::open()?.next()?;
    Ok(format!("{text}; opened meanwhile: {closed}"))
}

/// A source with the pool that its frames come from.
struct Camera {
    source: V4l2Source,
    pool: FramePool,
}

impl Camera {
    fn open() -> Result<Self, CameraError> {
        Ok(Self { source: open(NORMAL)?, pool: FramePool::new(2) })
    }

    fn next(&mut self) -> Result<Frame, CameraError> {
        let frame = self.source.next_frame(&self.pool)?;
        frame.ok_or(CameraError::NoDevice { device: "a camera never ends".into() })
    }

    /// After a fault frames come again, and their numbers go on upwards.
    fn goes_on_after(&mut self, before: FrameMetadata) -> Result<(), Box<dyn Error>> {
        let (first, second) = (self.next()?.metadata, self.next()?.metadata);
        ensure(first.sequence > before.sequence && second.sequence > first.sequence, || {
            format!("{before:?} then {first:?}, {second:?}")
        })?;
        ensure(now().since(second.captured) < PERIOD * 2, || format!("an old frame: {second:?}"))
    }
}

fn open(options: &str) -> Result<V4l2Source, CameraError> {
    match SourceSpec::parse(&format!("v4l2:{DEVICE}?{options}"))? {
        SourceSpec::V4l2(spec) => V4l2Source::open(&spec),
        other => Err(CameraError::UnknownSource { text: format!("{other:?}") }),
    }
}

/// Sets a menu of the driver to the item with this name.
fn set(control: &str, item: &str) -> Result<(), Box<dyn Error>> {
    control_named(control, |items| {
        let mut items = items.iter();
        items.find_map(|(index, name)| {
            matches!(name, MenuItem::Name(name) if name == item).then_some(i64::from(*index))
        })
    })
}

fn set_value(control: &str, value: i64) -> Result<(), Box<dyn Error>> {
    control_named(control, |_| Some(value))
}

/// Opens the device for itself each time: an open one would keep vivid from coming back after it was unplugged.
fn control_named(
    name: &str,
    value: impl Fn(&[(u32, MenuItem)]) -> Option<i64>,
) -> Result<(), Box<dyn Error>> {
    let device = v4l::Device::with_path(DEVICE)?;
    let controls = device.query_controls()?;
    let control = controls.iter().find(|control| control.name == name);
    let control = control.ok_or_else(|| format!("vivid has no control `{name}`"))?;
    let items = control.items.as_deref().unwrap_or_default();
    let value = value(items).ok_or_else(|| format!("`{name}` has only {items:?}"))?;
    device.set_control(Control { id: control.id, value: Value::Integer(value) })?;
    Ok(())
}

fn now() -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    Timestamp::from_nanos(now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
