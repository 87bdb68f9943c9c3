//! From flags to checked options, one set a board.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware_protocol::FirmwareAngles;
use firmware_protocol::emulator::BoardOptions;

use super::SimFlags;
use crate::cli::exit::CliError;
use crate::cli::plan;
use crate::sim::virtual_board::{Fault, VirtualBoardOptions};
use crate::types::{DatasetAngles, JointAngles};

/// What will run.
pub(super) struct SimPlan {
    pub(super) boards: Vec<VirtualBoardOptions>,
    pub(super) duration: Option<Duration>,
}

impl SimPlan {
    pub(super) fn new(flags: &SimFlags) -> Result<Self, CliError> {
        let count = usize::from(flags.boards);
        let duration = flags.duration.map(plan::duration).transpose()?;
        let mut faults = Vec::new();
        for list in &flags.fault {
            let list = Fault::parse_list(list, count);
            faults.extend(list.map_err(|error| CliError::Arguments(format!("--fault: {error}")))?);
        }
        if flags.pose.len() > count {
            return Err(CliError::Arguments(format!(
                "--pose is given {} times for {count} board(s): give it once for each, or pass --boards {}",
                flags.pose.len(),
                flags.pose.len()
            )));
        }
        let poses = flags.pose.iter().map(|text| pose(text)).collect::<Result<Vec<_>, _>>()?;
        let tcp = flags.tcp.as_deref().map(|text| address("--tcp", text)).transpose()?;
        let http = flags.http.as_deref().map(|text| address("--http", text)).transpose()?;
        overlap(tcp, http, count)?;
        let mut board = BoardOptions { boot: flags.boot, ..BoardOptions::new(flags.firmware) };
        if let Some(library) = flags.json_library {
            board.json = library.into();
        }
        if let Some(servos) = flags.servos {
            board.servos = servos.into();
        }
        let boards = (1..=count)
            .map(|number| {
                let initial = poses.get(number - 1).copied().unwrap_or(board.initial);
                Ok(VirtualBoardOptions {
                    link: flags.link.as_deref().map(|path| numbered_link(path, number, count)),
                    tcp: tcp.map(|address| next_port("--tcp", address, number)).transpose()?,
                    http: http.map(|address| next_port("--http", address, number)).transpose()?,
                    log: flags.log.as_deref().map(|path| numbered_file(path, number, count)),
                    faults: faults.iter().filter(|fault| fault.concerns(number)).cloned().collect(),
                    seed: flags.seed.wrapping_add(number as u64 - 1),
                    reset_on_open: flags.reset_on_open,
                    ..VirtualBoardOptions::new(BoardOptions { initial, ..board.clone() })
                })
            })
            .collect::<Result<_, CliError>>()?;
        Ok(Self { boards, duration })
    }
}

/// Six degrees with commas.
fn pose(text: &str) -> Result<FirmwareAngles, CliError> {
    let numbers: Option<Vec<f64>> = text
        .split(',')
        .map(|number| number.trim().parse().ok().filter(|degrees: &f64| degrees.abs() <= 180.0))
        .collect();
    match numbers.map(<[f64; 6]>::try_from) {
        Some(Ok(degrees)) => Ok(JointAngles::from(DatasetAngles::from_array_deg(degrees)).into()),
        _ => Err(CliError::Arguments(format!(
            "--pose {text}: write six degrees from -180 to 180 with commas: base, shoulder, elbow, wrist, roll, gripper \
             (0 closed), such as --pose 0,20,95,50,0,30"
        ))),
    }
}

/// `HOST:PORT`, or `PORT` on this machine alone.
fn address(flag: &str, text: &str) -> Result<SocketAddr, CliError> {
    let wrong = |cause: &str| {
        CliError::Arguments(format!(
            "{flag} {text}: {cause}; write PORT or HOST:PORT, such as {flag} 4000 or {flag} 0.0.0.0:4000"
        ))
    };
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let found = text.to_socket_addrs().map_err(|error| wrong(&format!("this is no address ({error})")))?;
    // the older form first: what `curl` and `nc` try when told `localhost`
    let mut found: Vec<SocketAddr> = found.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(|| wrong("this host has no address"))
}

fn next_port(flag: &str, mut address: SocketAddr, number: usize) -> Result<SocketAddr, CliError> {
    if address.port() != 0 {
        let port = usize::from(address.port()) + number - 1;
        let port = u16::try_from(port).map_err(|_too_high| {
            CliError::Arguments(format!(
                "{flag} {address}: board {number} would need port {port}, and 65535 is the last; begin lower"
            ))
        })?;
        address.set_port(port);
    }
    Ok(address)
}

/// Both rows of ports, one a board, must not meet.
fn overlap(tcp: Option<SocketAddr>, http: Option<SocketAddr>, count: usize) -> Result<(), CliError> {
    let (Some(tcp), Some(http)) = (tcp, http) else { return Ok(()) };
    let distance = usize::from(tcp.port().abs_diff(http.port()));
    if tcp.port() != 0 && http.port() != 0 && distance < count {
        return Err(CliError::Arguments(format!(
            "--tcp {tcp} and --http {http} meet: {count} board(s) take {count} port(s) each; put them {count} or more apart"
        )));
    }
    Ok(())
}

/// A path with `{}`, or with `-N` behind it for several boards.
fn numbered_link(path: &Path, number: usize, count: usize) -> PathBuf {
    filled_in(path, number).unwrap_or_else(|| {
        let mut name = path.as_os_str().to_owned();
        if count > 1 {
            name.push(format!("-{number}"));
        }
        name.into()
    })
}

/// A path with `{}`, or with `-N` before its extension for several boards.
fn numbered_file(path: &Path, number: usize, count: usize) -> PathBuf {
    filled_in(path, number).unwrap_or_else(|| {
        let (Some(stem), true) = (path.file_stem(), count > 1) else { return path.to_owned() };
        let mut name = OsString::from(stem);
        name.push(format!("-{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    })
}

fn filled_in(path: &Path, number: usize) -> Option<PathBuf> {
    let text = path.to_str()?;
    text.contains("{}").then(|| text.replace("{}", &number.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_several_boards() {
        let link = |path: &str, count| numbered_link(Path::new(path), 2, count).display().to_string();
        assert_eq!(link("/tmp/arm", 1), "/tmp/arm");
        assert_eq!(link("/tmp/arm", 2), "/tmp/arm-2");
        assert_eq!(link("/tmp/arm{}.tty", 2), "/tmp/arm2.tty");
        let file = |path: &str, count| numbered_file(Path::new(path), 2, count).display().to_string();
        assert_eq!(file("/tmp/board.log", 1), "/tmp/board.log");
        assert_eq!(file("/tmp/board.log", 2), "/tmp/board-2.log");
        assert_eq!(file("board", 2), "board-2");
        assert_eq!(file("{}/board.log", 2), "2/board.log");
    }

    #[test]
    fn addresses() {
        let shown = |text| address("--tcp", text).unwrap().to_string();
        assert_eq!(shown("4000"), "127.0.0.1:4000");
        assert_eq!(shown("0.0.0.0:1"), "0.0.0.0:1");
        assert_eq!(shown("[::1]:1"), "[::1]:1");
        for wrong in ["", "host", "127.0.0.1", "127.0.0.1:70000", "70000"] {
            let message = address("--tcp", wrong).unwrap_err().to_string();
            assert!(message.contains("--tcp 4000"), "{message}");
        }
        let last = address("--http", "65535").unwrap();
        assert_eq!(next_port("--http", last, 1).unwrap().port(), 65_535);
        assert!(next_port("--http", last, 2).unwrap_err().to_string().contains("begin lower"));
        assert!(overlap(Some(last), Some(last), 1).is_err());
    }
}
