//! Free space on a disk, as `df` of POSIX tells it.

use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// Bytes that an ordinary user can still write on the disk of `folder`.
pub(super) fn free_bytes(folder: &Path) -> Result<u64, Failure> {
    let output = process::capture("df", Command::new("df").arg("-Pk").arg(folder))?;
    parse(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| Failure::new(format!("df tells no free space for {}", folder.display())))
}

/// The fourth column of the second line, in units of 1024 bytes.
fn parse(table: &str) -> Option<u64> {
    let available = table.lines().nth(1)?.split_whitespace().rev().nth(2)?;
    available.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_what_df_prints() {
        let table = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                     /dev/nvme0n1p2   263110892 52316676  42861396      55% /home\n";
        assert_eq!(parse(table), Some(42_861_396 * 1024));
        assert_eq!(parse(""), None);
        assert!(free_bytes(Path::new("/")).is_ok());
    }
}
