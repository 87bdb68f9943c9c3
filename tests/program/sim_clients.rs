//! Clients of a virtual board: a serial port, a TCP connection, a web request.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use firmware_protocol::{Feedback, Line, parse_line};
use rustix::fs::OFlags;

/// Long enough for the slowest machine; a test that works ends early.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for one frame.
pub(crate) const ASK: &[u8] = b"{\"T\":105}\n";

/// A client that reads lines.
pub(crate) struct LineClient<S> {
    stream: S,
    unread: Vec<u8>,
}

/// What the other end did instead of sending a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoLine {
    Silence,
    Gone,
}

/// Opens the device behind a link, which must be there soon.
pub(crate) fn open(link: &Path) -> LineClient<File> {
    let begun = Instant::now();
    loop {
        let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits() as i32;
        match File::options().read(true).write(true).custom_flags(flags).open(link) {
            Ok(stream) => return LineClient { stream, unread: Vec::new() },
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{}: {error}", link.display()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn connect(address: SocketAddr) -> LineClient<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    LineClient { stream, unread: Vec::new() }
}

impl<S: Read + Write> LineClient<S> {
    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) fn send(&mut self, mut bytes: &[u8]) {
        let begun = Instant::now();
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(begun.elapsed() < PATIENCE, "the board takes nothing");
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => panic!("cannot send: {error}"),
            }
        }
    }

    /// The next line, without its LF.
    pub(crate) fn line(&mut self, patience: Duration) -> Result<Vec<u8>, NoLine> {
        let begun = Instant::now();
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=end).collect();
                line.pop();
                return Ok(line);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(count @ 1..) => self.unread.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if begun.elapsed() >= patience {
                        return Err(NoLine::Silence);
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
                // a terminal whose other end is closed: EIO
                Ok(0) | Err(_) => return Err(NoLine::Gone),
            }
        }
    }

    /// Reads lines until `wanted` says so.
    #[track_caller]
    pub(crate) fn line_that(&mut self, what: &str, mut wanted: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
        let begun = Instant::now();
        loop {
            match self.line(PATIENCE) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => assert!(begun.elapsed() < PATIENCE, "{what} never came"),
                Err(error) => panic!("{what} never came: {error:?}"),
            }
        }
    }

    /// The next feedback frame.
    #[track_caller]
    pub(crate) fn feedback(&mut self) -> Feedback {
        let mut found = None;
        self.line_that("feedback", |line| {
            if let Line::Feedback(feedback) = parse_line(line.trim_ascii_end()) {
                found = Some(feedback);
            }
            found.is_some()
        });
        found.unwrap()
    }
}

/// Sends a request and gives status line, headers and body.
pub(crate) fn http(address: SocketAddr, request: &str) -> (String, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}"));
    let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    (status.to_owned(), headers.to_owned(), body.to_owned())
}

pub(crate) fn get(address: SocketAddr, target: &str) -> (String, String, String) {
    http(address, &format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}
