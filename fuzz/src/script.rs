//! Scripts for a virtual board, and what holds whatever they say.
//!
//! A script: two bytes that say which board (see [`options`]), then the bytes for it. A NUL among them introduces an event of one
//! byte, see [`Event`].

use std::time::Duration;

use firmware_protocol::emulator::{
    Board, BoardOptions, Contact, HttpReply, JsonLibrary, ServoWrite, TorqueReturn,
};
use firmware_protocol::{Generation, Joint, Line, LineSplitter, parse_line};

/// What happens to the board, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    /// Bytes arrive. NUL NUL is a NUL that arrives.
    Receive(u8),
    /// 1..=199 is so many milliseconds, 200..=219 quarters of a second.
    Advance(Duration),
    /// 220..=226: servo 11..=17 dies, or comes back.
    Dead(usize),
    /// 227..=232: something stands right above the joint's angle; 233..=238: right below.
    Contact(Joint, bool),
    /// 239: all contacts go.
    Free,
    /// 240: the supply falls to 5.2 V; 241: it is back.
    Supply(f64),
    /// 242, 243: all shafts are turned by hand to the least or the largest step.
    Turn(i32),
    /// 244..=247: loads as large as they get, of either sign, or the model's.
    Loads(Option<i16>),
}

/// No script runs for longer, on the board's clock.
const LONGEST: Duration = Duration::from_secs(12);
/// Scripts up to this long run a second time, with their time cut into other pieces.
const REPEATED: Duration = Duration::from_secs(1);
const PIECE: Duration = Duration::from_micros(3_333);

/// Where the bytes of a script go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// To the serial port.
    Port,
    /// To the web server, a request for each line.
    Web,
}

/// Checks one board with one script.
pub fn check(input: &[u8], door: Door) {
    let [kind, extra, script @ ..] = input else { return };
    let events = events(script);
    let whole = run(options(*kind, *extra), door, &events, None);
    whole.feedback_parses(input);
    let time: Duration = events
        .iter()
        .map(|event| if let Event::Advance(time) = event { *time } else { Duration::ZERO })
        .sum();
    if time <= REPEATED {
        let pieces = run(options(*kind, *extra), door, &events, Some(PIECE));
        assert_eq!(whole, pieces, "how the time is cut into calls makes no difference");
    }
}

/// First byte: bits 0-1 generation (G1, G1b, G3, G3), 2 the JSON library (6, 7), 3 and 4 servos and torque that returns, 5 boot,
/// 6 low supply. Second byte: bits 0-6 servos dead from the start.
fn options(kind: u8, dead: u8) -> BoardOptions {
    let bit = |byte: u8, place: usize| byte & (1 << place) != 0;
    let generation = [Generation::G1, Generation::G1b, Generation::G3, Generation::G3][usize::from(kind & 3)];
    let mut options = BoardOptions::new(generation);
    options.json = if bit(kind, 2) { JsonLibrary::A7 } else { JsonLibrary::A6 };
    options.servos.instant = bit(kind, 3);
    options.servos.torque_return = if bit(kind, 4) { TorqueReturn::OldGoal } else { TorqueReturn::Hold };
    options.boot = bit(kind, 5);
    options.supply_volt = if bit(kind, 6) { 5.2 } else { 12.1 };
    options.servos.dead = core::array::from_fn(|place| bit(dead, place));
    options.keep_writes = true;
    options
}

fn events(script: &[u8]) -> Vec<Event> {
    let (mut events, mut left) = (Vec::new(), LONGEST);
    let mut bytes = script.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != 0 {
            events.push(Event::Receive(byte));
            continue;
        }
        let Some(code) = bytes.next() else { break };
        let joint = |first: u8| Joint::ALL[usize::from(code - first)];
        events.push(match code {
            0 => Event::Receive(0),
            1..=219 => {
                let time = if code < 200 { u64::from(code) } else { 250 * u64::from(code - 199) };
                let time = Duration::from_millis(time).min(left);
                left -= time;
                Event::Advance(time)
            }
            220..=226 => Event::Dead(usize::from(code - 220)),
            227..=232 => Event::Contact(joint(227), true),
            233..=238 => Event::Contact(joint(233), false),
            239 => Event::Free,
            240 => Event::Supply(5.2),
            241 => Event::Supply(12.1),
            242 => Event::Turn(i32::from(i16::MIN)),
            243 => Event::Turn(i32::from(i16::MAX)),
            244 => Event::Loads(Some(i16::MAX)),
            245 => Event::Loads(Some(i16::MIN)),
            _ => Event::Loads(None),
        });
    }
    // What was sent last has time to act.
    events.push(Event::Advance(Duration::from_millis(100).min(left)));
    events
}

/// All that can be seen of a board from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    output: Vec<u8>,
    writes: Vec<(Duration, ServoWrite)>,
    replies: Vec<HttpReply>,
    steps: [i32; 7],
    lost_bytes: u64,
    restarts: u64,
    hung: bool,
}

fn run(options: BoardOptions, door: Door, events: &[Event], piece: Option<Duration>) -> Seen {
    let byte_time = Duration::from_secs(1) * 10 / options.baud;
    let mut dead = options.servos.dead;
    let mut board = Board::new(options);
    let (mut output, mut writes) = (Vec::new(), Vec::new());
    let (mut request, mut tickets, mut replies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut now, mut line_ends) = (Duration::ZERO, 0);
    for &event in events {
        match event {
            Event::Receive(byte) if door == Door::Port => {
                line_ends += u64::from(byte == b'\n');
                board.receive(&[byte]);
            }
            Event::Receive(b'\n') => {
                // G3 puts its requests into the queue of the port.
                line_ends += 1;
                tickets.push(board.http_js(&request));
                request.clear();
            }
            Event::Receive(byte) => request.push(byte),
            Event::Advance(time) => {
                let end = now + time;
                while now < end {
                    let step = piece.unwrap_or(time).min(end - now);
                    board.advance(step);
                    now += step;
                }
            }
            Event::Dead(place) => {
                dead[place] = !dead[place];
                board.set_dead(dead);
            }
            Event::Contact(joint, above) => {
                let angle_rad = board.angles().to_array()[joint.index()];
                let contact = if above { Contact::Above(angle_rad) } else { Contact::Below(angle_rad) };
                board.set_contact(joint, Some(contact));
            }
            Event::Free => Joint::ALL.into_iter().for_each(|joint| board.set_contact(joint, None)),
            Event::Supply(volt) => board.set_supply_volt(volt),
            Event::Turn(steps) => board.set_encoder_steps([steps; 7]),
            Event::Loads(load) => board.set_loads(load.map(|load| [load; 7])),
        }
        board.transmit(&mut output);
        writes.extend(board.take_writes().into_iter().map(|timed| (timed.at, timed.write)));
        replies.extend(board.take_http_replies());
        assert_eq!(board.now(), now, "time goes on, by as much as it is told to");
        let in_range = |steps: &i32| i16::try_from(*steps).is_ok();
        assert!(board.goal_steps().iter().all(in_range), "goals are what a register of 16 bits holds");
        assert!(board.encoder_steps().iter().all(in_range), "steps are what a register of 16 bits holds");
        assert!(board.angles().is_finite());
        assert!(board.lines_received() <= line_ends, "a line taken in for each line end at most");
        let most = now.as_nanos() / byte_time.as_nanos() + 1;
        assert!(output.len() as u128 <= most, "no faster than the wire");
    }
    for (_, write) in &writes {
        if let ServoWrite::All { goals, .. } = write {
            assert!(goals.iter().all(|goal| i16::try_from(*goal).is_ok()), "{write:?}");
        }
    }
    let mut answered: Vec<u64> = replies.iter().map(|reply: &HttpReply| reply.ticket).collect();
    answered.sort_unstable();
    assert!(answered.windows(2).all(|pair| pair[0] < pair[1]), "a request is answered once");
    assert!(answered.iter().all(|ticket| tickets.contains(ticket)), "nothing is answered that was not asked");
    Seen {
        output,
        writes,
        replies,
        steps: board.encoder_steps(),
        lost_bytes: board.lost_bytes(),
        restarts: board.restarts(),
        hung: board.is_hung(),
    }
}

impl Seen {
    /// Every frame that the board begins on a line of its own and ends is whole. The host's own bytes may come back (echo, files),
    /// so that an input with the code in it proves nothing.
    fn feedback_parses(&self, input: &[u8]) {
        if input.windows(4).any(|window| window == b"1051") {
            return;
        }
        // T:223, 226 and 229 print what the firmware believes, before it has read all servos: position and angles of different times.
        let believed =
            ["223", "226", "229"].iter().any(|code| input.windows(3).any(|window| window == code.as_bytes()));
        let judge = |line: &[u8]| match parse_line(line) {
            Line::Feedback(feedback) => {
                assert!(believed || feedback.agrees_with_kinematics(1e-3), "{feedback:?}");
            }
            Line::InvalidFeedback(error) => panic!("{error}: {:?}", String::from_utf8_lossy(line)),
            _ => {}
        };
        LineSplitter::<512>::new().push(&self.output, judge);
        self.replies.iter().for_each(|reply| judge(&reply.body));
    }
}
