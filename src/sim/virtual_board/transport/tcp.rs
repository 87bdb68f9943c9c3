//! The serial port as a TCP port: raw bytes, one client at a time, as a serial-to-TCP bridge offers it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use crate::sim::SimError;

/// What a second client reads before its connection is closed.
const BUSY: &[u8] = b"busy: another client has this board\r\n";

/// A TCP port with at most one client.
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct TcpBridge {
    listener: TcpListener,
    address: SocketAddr,
    client: Option<(TcpStream, SocketAddr)>,
}

/// What happened at the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim::virtual_board) enum ClientChange {
    Came(SocketAddr),
    Left(SocketAddr),
    Refused(SocketAddr),
}

impl TcpBridge {
    /// Listens at an address; port 0 takes a free one.
    pub(in crate::sim::virtual_board) fn open(address: SocketAddr) -> Result<Self, SimError> {
        let listen = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address, client: None })
        };
        listen().map_err(|source| SimError::Listen { what: "--tcp", address, source })
    }

    /// Where clients connect.
    pub(in crate::sim::virtual_board) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to wait for.
    pub(in crate::sim::virtual_board) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let client = self.client.as_ref().map(|(stream, _)| stream.as_fd());
        std::iter::once(self.listener.as_fd()).chain(client)
    }

    pub(in crate::sim::virtual_board) const fn has_client(&self) -> bool {
        self.client.is_some()
    }

    /// Lets a waiting client in, or turns it away while another is there.
    pub(in crate::sim::virtual_board) fn accept(&mut self) -> Option<ClientChange> {
        let (mut stream, from) = self.listener.accept().ok()?;
        if stream.set_nonblocking(true).is_err() {
            return None;
        }
        if self.client.is_some() {
            // it is told if it listens; either way it is closed
            let _ = stream.write_all(BUSY);
            return Some(ClientChange::Refused(from));
        }
        // lines are short, and each matters at once
        let _ = stream.set_nodelay(true);
        self.client = Some((stream, from));
        Some(ClientChange::Came(from))
    }

    /// Reads what has arrived into `buffer`; also tells when the client is gone.
    pub(in crate::sim::virtual_board) fn read<'buffer>(
        &mut self,
        buffer: &'buffer mut [u8],
    ) -> (&'buffer [u8], Option<ClientChange>) {
        let Some((stream, from)) = &mut self.client else { return (&[], None) };
        match stream.read(buffer) {
            Ok(count @ 1..) => (&buffer[..count], None),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                (&[], None)
            }
            Ok(0) | Err(_) if buffer.is_empty() => (&[], None),
            _ => {
                let left = ClientChange::Left(*from);
                self.client = None;
                (&[], Some(left))
            }
        }
    }

    /// Writes what the connection takes and drops the rest, as a bridge does when nobody reads.
    pub(in crate::sim::virtual_board) fn write(&mut self, mut bytes: &[u8]) {
        let Some((stream, _)) = &mut self.client else { return };
        while !bytes.is_empty() {
            match stream.write(bytes) {
                Ok(count @ 1..) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // a broken connection shows at the next read
                _ => return,
            }
        }
    }
}
