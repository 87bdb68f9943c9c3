//! Processes that keep every core busy.

use std::process::{Child, Command, Stdio};

/// Killed when dropped.
pub(crate) struct Burners(Vec<Child>);

impl Burners {
    /// Starts so many copies of this program that only burn time.
    pub(crate) fn start(count: usize) -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut burners = Self(Vec::new());
        for _ in 0..count {
            // The pipe tells them when this program has gone in another way.
            burners.0.push(Command::new(&program).arg("--burn").stdin(Stdio::piped()).spawn()?);
        }
        Ok(burners)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Both fail once it has ended, as they should.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Hashes until standard input is closed.
pub(crate) fn burn() -> ! {
    use sha2::Digest;
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let mut hash = sha2::Sha256::new();
    loop {
        hash.update([0; 1 << 16]);
        std::hint::black_box(&hash);
    }
}
