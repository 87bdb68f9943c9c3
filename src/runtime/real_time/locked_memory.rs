//! Memory that is touched and locked before the first tick, so that no tick waits for a page.
//!
//! Only what control touches is locked, never the whole process: a policy's weights are gigabytes.

use std::hint::black_box;
use std::io;
use std::mem::{MaybeUninit, size_of_val};

use super::report::{RealTimeDenial, RealTimeReport};

/// Stack that the control thread may use below its first frame. A tick needs some 40 KiB with two chunks on it.
const STACK: usize = 256 * 1024;

/// Counts what was locked.
#[derive(Debug, Default)]
pub(in crate::runtime) struct LockedMemory {
    bytes: usize,
    denied: Option<io::Error>,
}

impl LockedMemory {
    /// Locks `memory` where it lies. After the first refusal nothing more is asked for.
    pub(in crate::runtime) fn lock<T>(&mut self, memory: &[T]) {
        if self.denied.is_some() {
            return;
        }
        match lock(memory) {
            Ok(bytes) => self.bytes += bytes,
            Err(error) => self.denied = Some(error),
        }
    }

    /// Touches and locks the stack that lies below the caller's frame.
    #[inline(never)]
    pub(in crate::runtime) fn lock_stack(&mut self) {
        let mut below = [0_u8; STACK];
        // Written, so that every page exists.
        black_box(&mut below).fill(1);
        self.lock(black_box(&below));
    }

    /// Adds what was locked, or why it was not, to a report.
    pub(in crate::runtime) fn tell(self, report: &mut RealTimeReport) {
        report.locked_kib += self.bytes.div_ceil(1024);
        report.denied.extend(self.denied.map(|error| RealTimeDenial::Memory { error }));
    }
}

/// Locks the bytes of `memory` and returns how many.
fn lock<T>(memory: &[T]) -> io::Result<usize> {
    let bytes = size_of_val(memory);
    #[expect(unsafe_code, reason = "rustix has no safe mlock for a borrowed range")]
    // SAFETY: the range is borrowed, so it is mapped for the time of the call. `mlock` neither changes a byte nor a right of access;
    // it only keeps the pages of the range in memory. They stay so until they are unmapped, which costs memory and nothing else.
    unsafe { rustix::mm::mlock(memory.as_ptr().cast_mut().cast(), bytes) }?;
    Ok(bytes)
}

/// Locks all three buffers of a mailbox that nobody uses yet.
pub(in crate::runtime) fn lock_mailbox<T: Send>(
    locked: &mut LockedMemory,
    input: &mut triple_buffer::Input<T>,
    output: &mut triple_buffer::Output<T>,
) {
    // Publishing swaps the writer's buffer with the one in the middle; the reader's is its own until it looks.
    locked.lock(std::slice::from_ref(input.input_buffer_mut()));
    locked.lock(std::slice::from_ref(output.output_buffer()));
    input.publish();
    locked.lock(std::slice::from_ref(input.input_buffer_mut()));
}

/// Locks and touches the slots of a ring that is still empty.
pub(in crate::runtime) fn lock_ring<T>(locked: &mut LockedMemory, ring: &mut rtrb::Producer<T>) {
    let slots = ring.slots();
    if let Ok(mut chunk) = ring.write_chunk_uninit(slots) {
        let (front, back) = chunk.as_mut_slices();
        for slot in front.iter_mut().chain(back.iter_mut()) {
            *slot = MaybeUninit::zeroed();
        }
        locked.lock(front);
        locked.lock(back);
        // Nothing is committed: the ring stays empty.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `VmLck` of this process, KiB.
    fn locked_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmLck:")).expect("every kernel says it");
        line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).expect("a number")
    }

    #[test]
    fn the_kernel_counts_what_was_locked_and_a_refusal_is_told() {
        // The only test of this program that locks so much: 4 MiB stand out from its neighbours' small ranges.
        let before = locked_kib();
        let memory = vec![1_u8; 4 << 20];
        let mut locked = LockedMemory::default();
        locked.lock(&memory);
        let mut report = RealTimeReport::default();
        let granted = locked.denied.is_none();
        let after = locked_kib();
        locked.tell(&mut report);
        if granted {
            assert!(after >= before + 4096 && report.locked_kib == 4096, "{before} {after} {report}");
        } else {
            assert!(report.to_string().contains("ulimit -l"), "{report}");
        }
    }

    #[test]
    fn mailboxes_still_work_after_their_buffers_were_locked() {
        let mut locked = LockedMemory::default();
        let (mut input, mut output) = triple_buffer::triple_buffer(&0_u64);
        lock_mailbox(&mut locked, &mut input, &mut output);
        assert_eq!(*output.read(), 0);
        input.write(7);
        assert_eq!(*output.read(), 7);
        let (mut producer, mut consumer) = rtrb::RingBuffer::<u64>::new(3);
        lock_ring(&mut locked, &mut producer);
        assert!(consumer.pop().is_err(), "still empty");
        assert_eq!((1..=4).map_while(|value| producer.push(value).ok()).count(), 3, "all slots are free");
        assert_eq!(consumer.pop(), Ok(1));
    }
}
