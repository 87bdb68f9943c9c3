//! A disk that is full on purpose.

use std::io::{self, Write};

use super::{DrillClock, DrillFault};
use crate::episode::run_log::{LogFile, Syncer};

pub(super) struct FullDisk {
    file: Box<dyn LogFile>,
    faults: Vec<DrillFault>,
    clock: DrillClock,
}

impl FullDisk {
    pub(super) fn new(file: Box<dyn LogFile>, faults: Vec<DrillFault>, clock: DrillClock) -> Self {
        Self { file, faults, clock }
    }

    fn room(&self) -> io::Result<()> {
        if self.faults.iter().any(|fault| self.clock.is_active(fault)) {
            return Err(rustix::io::Errno::NOSPC.into());
        }
        Ok(())
    }
}

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl LogFile for FullDisk {
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn syncer(&self) -> io::Result<Syncer> {
        self.file.syncer()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::inject::Drill;

    #[test]
    fn writes_fail_once_the_fault_is_there() {
        let drill = Drill::parse_list("disk.full").unwrap();
        let mut file = drill.log_file(Box::new(Vec::new()));
        file.write_all(b"before").unwrap();
        drill.clock().start();
        let error = file.write_all(b"after").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        file.flush().unwrap();
        file.sync().unwrap();
    }
}
