//! All ways to a board together: open, cut off, open again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::transport::{Client, ClientChange, HttpDoor, HttpExchange, StableLink, TcpBridge, Terminal};
use crate::sim::SimError;

/// Where a board is offered. Ports that the system chose are kept over a cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    pub(super) link: Option<PathBuf>,
    pub(super) tcp: Option<SocketAddr>,
    pub(super) http: Option<SocketAddr>,
}

#[derive(Debug)]
struct OpenPorts {
    // the link goes before the device that it names
    link: Option<StableLink>,
    terminal: Terminal,
    client: Client,
    tcp: Option<TcpBridge>,
    http: Option<HttpDoor>,
}

/// The ports, while they are open.
#[derive(Debug)]
pub(super) struct Ports {
    addresses: Addresses,
    open: Option<OpenPorts>,
    /// The device of before, if the next one must have another name.
    avoid: Option<PathBuf>,
}

/// What happened at the ports since the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PortChange {
    /// A client has opened the serial port, by either way.
    Opened(String),
    /// A client is gone, or was turned away.
    Closed(String),
    /// The device had to be made anew.
    Moved(PathBuf),
}

impl Ports {
    pub(super) fn open(addresses: Addresses) -> Result<Self, SimError> {
        let mut ports = Self { addresses, open: None, avoid: None };
        ports.reopen()?;
        Ok(ports)
    }

    /// Opens everything that is not open.
    pub(super) fn reopen(&mut self) -> Result<(), SimError> {
        if self.open.is_some() {
            return Ok(());
        }
        let mut terminal = Terminal::open()?;
        if self.avoid.take().is_some_and(|before| before == terminal.path()) {
            // The system gives out the lowest free number: as long as the first is held, the second has another.
            let second = Terminal::open()?;
            terminal = second;
        }
        let tcp = self.addresses.tcp.map(TcpBridge::open).transpose()?;
        let http = self.addresses.http.map(HttpDoor::open).transpose()?;
        let link = self.addresses.link.clone().map(|link| StableLink::create(link, terminal.path()));
        let link = link.transpose()?;
        self.addresses.tcp = tcp.as_ref().map(TcpBridge::address);
        self.addresses.http = http.as_ref().map(HttpDoor::address);
        self.open = Some(OpenPorts { link, terminal, client: Client::Absent, tcp, http });
        Ok(())
    }

    /// Closes everything, as a pulled cable does; with `another_next` the device comes back under another name.
    pub(super) fn close(&mut self, another_next: bool) {
        if let Some(open) = self.open.take()
            && another_next
        {
            self.avoid = Some(open.terminal.path().to_owned());
        }
    }

    pub(super) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The device, while there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|open| open.terminal.path())
    }

    /// Waits until there is something to read, at most `timeout`; the whole of it while nothing can be taken.
    pub(super) fn wait(&self, timeout: Duration, takes: bool) {
        let Some(open) = self.open.as_ref().filter(|_| takes) else {
            return std::thread::sleep(timeout);
        };
        let terminal = (open.client == Client::Present).then(|| open.terminal.descriptor());
        let descriptors = terminal.into_iter().chain(open.tcp.iter().flat_map(TcpBridge::descriptors));
        let mut ready: Vec<_> =
            descriptors.map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN)).collect();
        if ready.is_empty() {
            return std::thread::sleep(timeout);
        }
        let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(timeout.subsec_nanos()) };
        // an interrupted wait is a short one
        let _ = poll(&mut ready, Some(&limit));
    }

    /// Looks for clients that came or went.
    ///
    /// # Errors
    /// When a device had to be made anew and could not.
    pub(super) fn changes(&mut self) -> Result<Vec<PortChange>, SimError> {
        let mut changes = Vec::new();
        let Some(open) = &mut self.open else { return Ok(changes) };
        let before = std::mem::replace(&mut open.client, open.terminal.client());
        match (before, open.client) {
            (Client::Absent, Client::Present) => {
                changes.push(PortChange::Opened("the port was opened".to_owned()));
            }
            (Client::Present, Client::Absent) => {
                changes.push(PortChange::Closed("the port was closed".to_owned()));
                if !open.terminal.forget_unread() {
                    // the old one is given back first, so that the new one gets its name
                    self.renew_terminal()?;
                    changes.extend(self.path().map(|path| PortChange::Moved(path.to_owned())));
                }
            }
            _ => {}
        }
        let change = self.open.as_mut().and_then(|open| open.tcp.as_mut()).and_then(TcpBridge::accept);
        changes.extend(change.map(describe));
        Ok(changes)
    }

    fn renew_terminal(&mut self) -> Result<(), SimError> {
        let Some(OpenPorts { link, terminal, tcp, http, .. }) = self.open.take() else { return Ok(()) };
        drop((link, terminal));
        let terminal = Terminal::open()?;
        let link = self.addresses.link.clone().map(|link| StableLink::create(link, terminal.path()));
        self.open = Some(OpenPorts { link: link.transpose()?, terminal, client: Client::Absent, tcp, http });
        Ok(())
    }

    /// Reads what clients have sent, at most `room` bytes, and appends it to `bytes`.
    pub(super) fn read(&mut self, room: usize, bytes: &mut Vec<u8>) -> Option<PortChange> {
        let open = self.open.as_mut()?;
        let mut buffer = [0; 4096];
        let mut room = room;
        while room > 0 {
            let most = room.min(buffer.len());
            let read = open.terminal.read(&mut buffer[..most]);
            if read.is_empty() {
                break;
            }
            room -= read.len();
            bytes.extend_from_slice(read);
        }
        let tcp = open.tcp.as_mut().filter(|tcp| tcp.has_client() && room > 0)?;
        let most = room.min(buffer.len());
        let (read, change) = tcp.read(&mut buffer[..most]);
        bytes.extend_from_slice(read);
        change.map(describe)
    }

    /// Writes to every client that is there. Who does not read in time loses bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let Some(open) = &mut self.open else { return };
        if open.client == Client::Present {
            open.terminal.write(bytes);
        }
        if let Some(tcp) = &mut open.tcp {
            tcp.write(bytes);
        }
    }

    /// The next web request.
    pub(super) fn next_request(&self) -> Option<HttpExchange> {
        self.open.as_ref()?.http.as_ref()?.next_request()
    }
}

fn describe(change: ClientChange) -> PortChange {
    match change {
        ClientChange::Came(from) => PortChange::Opened(format!("tcp client {from} came")),
        ClientChange::Left(from) => PortChange::Closed(format!("tcp client {from} left")),
        ClientChange::Refused(from) => {
            PortChange::Closed(format!("tcp client {from} was turned away: another one is there"))
        }
    }
}
