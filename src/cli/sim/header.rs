//! What a user reads first: what runs, and how to connect to it.

use std::fmt::Write as _;

use super::plan::SimPlan;
use crate::sim::virtual_board::VirtualBoard;

/// Everything that is said at the start.
pub(super) fn text(plan: &SimPlan, boards: &[VirtualBoard]) -> String {
    let mut text = String::new();
    for (number, (board, options)) in (1..).zip(boards.iter().zip(&plan.boards)) {
        let name = if boards.len() > 1 { format!("board {number}: ") } else { String::new() };
        let device = board.path();
        let path = options.link.clone().unwrap_or_else(|| device.clone());
        // writing into a String cannot fail
        let _ = write!(
            text,
            "{name}virtual RoArm-M3 (firmware {}) on {}",
            options.board.generation,
            path.display()
        );
        if path != device {
            let _ = write!(text, " ({})", device.display());
        }
        if let Some(address) = board.tcp_address() {
            let _ = write!(text, ", tcp {address}");
        }
        if let Some(address) = board.http_address() {
            let _ = write!(text, ", http://{address}/");
        }
        text.push('\n');
        for fault in &options.faults {
            let _ = writeln!(text, "  fault {fault}");
        }
        if let Some(log) = &options.log {
            let _ = writeln!(text, "  log {}", log.display());
        }
    }
    let (Some(board), Some(options)) = (boards.first(), plan.boards.first()) else { return text };
    let path = options.link.clone().unwrap_or_else(|| board.path());
    let path = path.display();
    let _ = write!(
        text,
        "connect with\n  roarm        roarm run --arm {path} …\n  \
         roarm-sdk    roarm(roarm_type=\"roarm_m3\", port=\"{path}\", baudrate=115200)\n  \
         pyserial     serial.Serial(\"{path}\", 115200)"
    );
    if let Some(address) = board.tcp_address() {
        let _ = write!(
            text,
            "\n  tcp          nc {} {}, or serial.serial_for_url(\"socket://{address}\")",
            address.ip(),
            address.port()
        );
    }
    if let Some(address) = board.http_address() {
        let _ = write!(text, "\n  http         curl -g 'http://{address}/js?json={{\"T\":105}}'");
    }
    text.push_str("\nCtrl-C ends");
    text
}
