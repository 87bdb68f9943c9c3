//! The serial port of the board: bytes take their time on the wire, and buffers are as small as on the chip.

use std::collections::VecDeque;
use std::vec::Vec;

/// Both directions of the port. Times are nanoseconds of the board's clock.
pub(super) struct Uart {
    byte_ns: u64,
    /// Bytes of the host that are still on the wire, and when the next one is in.
    arriving: VecDeque<u8>,
    next_arrival_ns: u64,
    /// Bytes that are in and not yet read by the firmware.
    ring: VecDeque<u8>,
    ring_bytes: usize,
    lost: u64,
    /// Bytes that the firmware printed, and when the next one is out.
    fifo: VecDeque<u8>,
    fifo_bytes: usize,
    next_departure_ns: u64,
    /// Bytes that are out and not yet fetched by the host.
    departed: Vec<u8>,
}

impl Uart {
    pub(super) fn new(baud: u32, ring_bytes: usize, fifo_bytes: usize) -> Self {
        let baud = u64::from(baud.max(1));
        Self {
            byte_ns: ((10_000_000_000 + baud / 2) / baud).max(1),
            arriving: VecDeque::new(),
            next_arrival_ns: 0,
            ring: VecDeque::new(),
            ring_bytes,
            lost: 0,
            fifo: VecDeque::new(),
            fifo_bytes: fifo_bytes.max(1),
            next_departure_ns: 0,
            departed: Vec::new(),
        }
    }

    pub(super) fn receive(&mut self, now_ns: u64, bytes: &[u8]) {
        if self.arriving.is_empty() {
            self.next_arrival_ns = now_ns + self.byte_ns;
        }
        self.arriving.extend(bytes);
    }

    pub(super) fn fetch(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.departed);
    }

    /// When something happens next, if anything is under way.
    pub(super) fn next_event_ns(&self) -> Option<u64> {
        let arrival = (!self.arriving.is_empty()).then_some(self.next_arrival_ns);
        let departure = (!self.fifo.is_empty()).then_some(self.next_departure_ns);
        arrival.into_iter().chain(departure).min()
    }

    /// Moves the bytes that are due.
    pub(super) fn step(&mut self, now_ns: u64) {
        while self.next_arrival_ns <= now_ns {
            let Some(byte) = self.arriving.pop_front() else { break };
            self.next_arrival_ns += self.byte_ns;
            if self.ring.len() < self.ring_bytes {
                self.ring.push_back(byte);
            } else {
                self.lost += 1;
            }
        }
        while self.next_departure_ns <= now_ns {
            let Some(byte) = self.fifo.pop_front() else { break };
            self.next_departure_ns += self.byte_ns;
            self.departed.push(byte);
        }
    }

    /// The firmware reads a byte.
    pub(super) fn read(&mut self) -> Option<u8> {
        self.ring.pop_front()
    }

    /// Whether something is there to read.
    pub(super) fn has_input(&self) -> bool {
        !self.ring.is_empty()
    }

    /// The firmware prints; returns how many bytes went into the FIFO.
    pub(super) fn print(&mut self, now_ns: u64, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.fifo_bytes - self.fifo.len().min(self.fifo_bytes));
        if self.fifo.is_empty() && taken > 0 {
            self.next_departure_ns = self.next_departure_ns.max(now_ns + self.byte_ns);
        }
        self.fifo.extend(&bytes[..taken]);
        taken
    }

    /// Bytes of the host that were lost because the ring was full.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}
