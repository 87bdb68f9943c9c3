//! Real-time priority of the link's thread.

/// Puts the calling thread under SCHED_FIFO.
///
/// # Errors
/// The system's error number: EPERM without the right to, EINVAL for a priority outside 1..=99.
pub(super) fn set_fifo(priority: u8) -> Result<(), i32> {
    let parameters = libc::sched_param { sched_priority: libc::c_int::from(priority) };
    #[expect(unsafe_code, reason = "no safe binding of pthread_setschedparam in the crates that are here")]
    // SAFETY: `pthread_self` is always valid in its own thread, and `parameters` outlives the call, which only reads it.
    let errno =
        unsafe { libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_FIFO, &raw const parameters) };
    if errno == 0 { Ok(()) } else { Err(errno) }
}
