//! The table of faults for `--help` and `--fault help`.

use std::fmt::Write as _;

use crate::sim::virtual_board::FaultHelp;

pub(super) fn table() -> String {
    let mut text = "Faults:\n".to_owned();
    for fault in FaultHelp::ALL {
        // writing into a String cannot fail
        let _ = writeln!(
            text,
            "  {:<12} {}\n{:15}{}; such as {}",
            fault.name, fault.effect, "", fault.takes, fault.example
        );
    }
    text.push_str(
        "\n  --fault cut@5s:2s,drop=0.01          at 5 s of the board's clock, for 2 s; and lost bytes all the time\n  \
         --fault 2:dead-servo=14@1.5s         board 2 alone; without a number each board",
    );
    text
}
