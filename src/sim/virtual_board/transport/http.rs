//! The board's web server: `/js` with a command as its first argument, and a plain page.
//!
//! As on the chip, one request a connection and a handful of connections at a time; the board answers when its loop comes to
//! it. What a command does, and what is answered, is the board's business.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sim::SimError;

/// Connections at a time; the chip has about as many sockets.
const CONNECTIONS: usize = 8;
/// Longest head of a request.
const HEAD_BYTES: usize = 16 * 1024;
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a waiting thread sleeps before it looks whether the server has ended.
const LOOK: Duration = Duration::from_millis(50);

const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Virtual RoArm-M3</title></head><body>\n\
    <h1>Virtual RoArm-M3</h1>\n<p>Commands: <code>/js?json={\"T\":105}</code></p>\n\
    <form action=\"/js\"><input name=\"json\" size=\"80\" value='{\"T\":105}'><button>Send</button></form>\n</body></html>\n";

/// What the board answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim::virtual_board) struct HttpAnswer {
    pub(in crate::sim::virtual_board) content_type: String,
    pub(in crate::sim::virtual_board) body: Vec<u8>,
}

/// A request that waits for the board.
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct HttpExchange {
    /// The first argument of the query, decoded.
    pub(in crate::sim::virtual_board) argument: Vec<u8>,
    answer: Sender<HttpAnswer>,
}

impl HttpExchange {
    /// Answers the client, if it is still there.
    pub(in crate::sim::virtual_board) fn answer(self, content_type: &str, body: &[u8]) {
        let _gone =
            self.answer.send(HttpAnswer { content_type: content_type.to_owned(), body: body.to_vec() });
    }
}

/// The server. Dropping it closes the port and every connection.
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct HttpDoor {
    address: SocketAddr,
    requests: Receiver<HttpExchange>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpDoor {
    /// Listens at an address; port 0 takes a free one.
    pub(in crate::sim::virtual_board) fn open(address: SocketAddr) -> Result<Self, SimError> {
        let failed = |source| SimError::Listen { what: "--http", address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (sender, requests) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let server = Server { listener, sender, stop: Arc::clone(&stop), busy: Arc::default() };
        let thread = std::thread::Builder::new()
            .name("virtual-board-http".to_owned())
            .spawn(move || server.run())
            .map_err(|source| SimError::Thread { source })?;
        Ok(Self { address, requests, stop, thread: Some(thread) })
    }

    /// Where clients connect.
    pub(in crate::sim::virtual_board) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request for the board.
    pub(in crate::sim::virtual_board) fn next_request(&self) -> Option<HttpExchange> {
        self.requests.try_recv().ok()
    }
}

impl Drop for HttpDoor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Server {
    listener: TcpListener,
    sender: Sender<HttpExchange>,
    stop: Arc<AtomicBool>,
    busy: Arc<AtomicUsize>,
}

impl Server {
    fn run(self) {
        let mut connections: Vec<JoinHandle<()>> = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let mut ready = [PollFd::new(&self.listener, PollFlags::IN)];
            let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
            // an interrupted wait is a short one
            let _ = poll(&mut ready, Some(&limit));
            connections.retain(|connection| !connection.is_finished());
            while let Ok((stream, _)) = self.listener.accept() {
                if self.busy.load(Ordering::Relaxed) >= CONNECTIONS {
                    // as the chip without a free socket: closed without a word
                    continue;
                }
                self.busy.fetch_add(1, Ordering::Relaxed);
                let connection = Connection {
                    stream,
                    sender: self.sender.clone(),
                    stop: Arc::clone(&self.stop),
                    busy: Arc::clone(&self.busy),
                };
                let thread = std::thread::Builder::new()
                    .name("virtual-board-http".to_owned())
                    .spawn(move || connection.serve());
                connections.extend(thread);
            }
        }
        for connection in connections {
            let _ = connection.join();
        }
    }
}

struct Connection {
    stream: TcpStream,
    sender: Sender<HttpExchange>,
    stop: Arc<AtomicBool>,
    busy: Arc<AtomicUsize>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Page,
    Command(Vec<u8>),
    /// A page that the board has for its own web interface, which a virtual one has not.
    Nothing,
    /// Another method than GET.
    Refused,
}

impl Connection {
    fn serve(mut self) {
        // a client that says or reads nothing must not keep the thread for ever
        let prepared = self.stream.set_nonblocking(false).is_ok()
            && self.stream.set_read_timeout(Some(LOOK)).is_ok()
            && self.stream.set_write_timeout(Some(PATIENCE)).is_ok();
        if !prepared {
            return;
        }
        let response = match self.read_request() {
            Ok(Some(Wanted::Command(argument))) => match self.ask_board(argument) {
                Some(answer) => response("200 OK", &answer.content_type, &answer.body),
                // the board is gone, and so is its connection
                None => return,
            },
            Ok(Some(Wanted::Page)) => response("200 OK", "text/html", PAGE.as_bytes()),
            Ok(Some(Wanted::Nothing)) => {
                response("404 Not Found", "text/plain", b"not found: commands go to /js?json=...\n")
            }
            Ok(Some(Wanted::Refused)) => {
                response("405 Method Not Allowed", "text/plain", b"only GET is answered: GET /js?json=...\n")
            }
            Ok(None) => return,
            Err(NotHttp) => response(
                "400 Bad Request",
                "text/plain",
                b"this is no HTTP request: try GET /js?json={\"T\":105}\n",
            ),
        };
        let _gone = self.stream.write_all(&response);
    }

    /// Reads the head of a request. `None` when the client or the server has gone.
    fn read_request(&mut self) -> Result<Option<Wanted>, NotHttp> {
        let begun = Instant::now();
        let (mut head, mut buffer) = (Vec::new(), [0; 2048]);
        while begun.elapsed() < PATIENCE && !self.stop.load(Ordering::Relaxed) {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => head.extend_from_slice(&buffer[..count]),
                Err(error) => match error.kind() {
                    std::io::ErrorKind::WouldBlock
                    | std::io::ErrorKind::TimedOut
                    | std::io::ErrorKind::Interrupted => continue,
                    _ => return Ok(None),
                },
            }
            if let Some(wanted) = parse_request(&head)? {
                return Ok(Some(wanted));
            }
            if head.len() > HEAD_BYTES {
                return Err(NotHttp);
            }
        }
        Ok(None)
    }

    /// Waits until the board's loop has come to the command; `None` when the server ends before.
    fn ask_board(&self, argument: Vec<u8>) -> Option<HttpAnswer> {
        let (answer, answered) = channel();
        self.sender.send(HttpExchange { argument, answer }).ok()?;
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(answer) => return Some(answer),
                Err(mpsc::RecvTimeoutError::Timeout) if !self.stop.load(Ordering::Relaxed) => {}
                Err(_) => return None,
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct NotHttp;

/// What the head of a request wants; `None` while it is not whole.
fn parse_request(head: &[u8]) -> Result<Option<Wanted>, NotHttp> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(NotHttp),
    }
    // A form's body is not read: taken for an empty command it would be G1's emergency stop.
    if request.method != Some("GET") {
        return Ok(Some(Wanted::Refused));
    }
    let target = request.path.ok_or(NotHttp)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Some(match path {
        "/js" => Wanted::Command(first_argument(query)),
        "/" => Wanted::Page,
        _ => Wanted::Nothing,
    }))
}

/// The value of the first argument, whatever its name; of a lone word, the word is the name and the value is empty.
fn first_argument(query: &str) -> Vec<u8> {
    let first = query.split('&').next().unwrap_or("").as_bytes();
    form_urlencoded::parse(first).next().map(|(_, value)| value.into_owned().into_bytes()).unwrap_or_default()
}

/// A whole response.
fn response(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(body);
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn wanted(target: &str) -> Wanted {
        parse_request(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn the_command_is_the_first_argument_whatever_its_name() {
        let command = Wanted::Command(b"{\"T\":105}".to_vec());
        assert_eq!(wanted("/js?json=%7B%22T%22%3A105%7D"), command);
        assert_eq!(wanted("/js?anything=%7B%22T%22%3A105%7D&json=2"), command);
        // as `curl -g` and browsers send it
        assert_eq!(wanted("/js?json={\"T\":105}"), command);
        assert_eq!(wanted("/js?json={%22T%22:105}"), command);
        assert_eq!(wanted("/js?json={+%22T%22:+105}"), Wanted::Command(b"{ \"T\": 105}".to_vec()));
        assert_eq!(wanted("/js"), Wanted::Command(Vec::new()));
        assert_eq!(wanted("/js?json"), Wanted::Command(Vec::new()));
    }

    #[test]
    fn other_pages() {
        assert_eq!(wanted("/"), Wanted::Page);
        assert_eq!(wanted("/?x=1"), Wanted::Page);
        assert_eq!(wanted("/ws"), Wanted::Nothing);
    }

    #[test]
    fn a_form_that_is_posted_is_no_empty_command() {
        let head = b"POST /js HTTP/1.1\r\nContent-Length: 14\r\n\r\n";
        assert_eq!(parse_request(head), Ok(Some(Wanted::Refused)));
    }

    #[test]
    fn half_a_request_is_waited_for_and_nonsense_is_refused() {
        assert_eq!(parse_request(b"GET /js?json=1 HTTP/1.1\r\nHost:"), Ok(None));
        assert_eq!(parse_request(b"{\"T\":105}\n"), Err(NotHttp));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), query in ".{0,80}") {
            let _ = parse_request(&bytes);
            let _ = first_argument(&query);
        }
    }
}
