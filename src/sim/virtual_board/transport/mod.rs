//! How bytes get to the board and back: pseudo-terminal, TCP, HTTP.

mod http;
mod pty;
mod tcp;

pub(super) use http::{HttpDoor, HttpExchange};
pub(super) use pty::{Client, StableLink, Terminal};
pub(super) use tcp::{ClientChange, TcpBridge};
