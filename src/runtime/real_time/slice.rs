//! A short slice under normal scheduling, so that a tick need not wait until a busy thread's slice is over.
//!
//! Since Linux 6.12 a normal thread may ask for its own slice (`sched_setattr(2)`, `sched_runtime`). One that is shorter than
//! the running thread's is meant to let it in when it wakes, as long as it has used less than its share; not always, as measured
//! (`docs/real-time.md`). Older kernels ignore it.

use std::io;
use std::time::Duration;

/// The shortest that the kernel takes (`__setparam_fair`), about the work of two ticks.
pub(super) const SHORT_SLICE: Duration = Duration::from_micros(100);

/// `struct sched_attr` in its first version, which every kernel since 3.14 takes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct SchedulingAttributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

const SIZE: u32 = size_of::<SchedulingAttributes>() as u32;

/// Asks for the short slice for the calling thread and returns the slice that it now has: `None` where it is not under normal
/// scheduling or the kernel knows no slices. Policy and niceness stay as they are.
pub(super) fn shorten() -> io::Result<Option<Duration>> {
    let attributes = attributes()?;
    if attributes.policy != libc::SCHED_OTHER as u32 {
        return Ok(None);
    }
    let wanted = SchedulingAttributes {
        size: SIZE,
        runtime_ns: u64::try_from(SHORT_SLICE.as_nanos()).unwrap_or(u64::MAX),
        ..attributes
    };
    #[expect(unsafe_code, reason = "neither rustix nor thread-priority sets a slice")]
    // SAFETY: the kernel reads `size` bytes at the pointer, which is the whole borrowed, initialised value, and writes nothing.
    // Thread 0 is the calling one; its share of time is all that changes.
    let set = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, std::ptr::from_ref(&wanted), 0) };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    slice()
}

/// The calling thread's slice, `None` where the kernel tells none.
fn slice() -> io::Result<Option<Duration>> {
    let nanos = attributes()?.runtime_ns;
    Ok((nanos > 0).then(|| Duration::from_nanos(nanos)))
}

fn attributes() -> io::Result<SchedulingAttributes> {
    let mut attributes = SchedulingAttributes::default();
    #[expect(unsafe_code, reason = "neither rustix nor thread-priority tells a slice")]
    // SAFETY: the kernel writes at most SIZE bytes at the pointer, which is the whole exclusively borrowed value, and every pattern of
    // bits is a value of its fields.
    let got =
        unsafe { libc::syscall(libc::SYS_sched_getattr, 0, std::ptr::from_mut(&mut attributes), SIZE, 0) };
    if got == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_thread_gets_the_short_slice_and_keeps_its_niceness() {
        let (before, granted, after) = std::thread::spawn(|| {
            let before = attributes().expect("every thread has them");
            (before, shorten().expect("it is no privilege"), attributes().expect("as before"))
        })
        .join()
        .expect("it does not panic");
        assert_eq!((before.policy, before.nice), (after.policy, after.nice));
        if before.runtime_ns > 0 {
            assert_eq!(granted, Some(SHORT_SLICE));
            assert!(before.runtime_ns > after.runtime_ns, "{} ns before", before.runtime_ns);
        } else {
            assert_eq!(granted, None, "a kernel before 6.12");
        }
    }
}
