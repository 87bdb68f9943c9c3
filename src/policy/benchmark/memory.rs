//! How much memory this process takes.

use serde::Serialize;

/// Memory of this process, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ResidentMemory {
    /// Now in physical memory.
    pub resident_bytes: u64,
    /// The most so far.
    pub peak_bytes: u64,
}

/// What the kernel says; `None` where it has no `/proc`.
pub fn resident_memory() -> Option<ResidentMemory> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<ResidentMemory> {
    let kibibytes = |field: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(ResidentMemory {
        resident_bytes: kibibytes("VmRSS")? * 1024,
        peak_bytes: kibibytes("VmHWM")? * 1024,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_the_kernels_page() {
        let page = "Name:\troarm\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let expected = ResidentMemory { resident_bytes: 1 << 20, peak_bytes: 2 << 20 };
        assert_eq!(parse(page), Some(expected));
        assert_eq!(parse("VmRSS: many"), None);
    }

    #[test]
    fn memory_that_is_written_to_is_seen() {
        let before = resident_memory().unwrap();
        let written = vec![1_u8; 64 << 20];
        let after = resident_memory().unwrap();
        assert!(after.resident_bytes >= before.resident_bytes + (32 << 20), "{before:?} {after:?}");
        assert!(after.peak_bytes >= after.resident_bytes);
        drop(written);
    }
}
