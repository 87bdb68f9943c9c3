//! The fault drill: each fault with the real program against the virtual board. What moved is taken from the board's own log.

mod arguments;
mod camera;
mod clock;
mod control;
mod drill;
mod kill;
mod link;
mod policy;
mod reconnect;
mod table;
