//! T:220 to 231, 241, 242 and 602: missions, files of commands that the board plays by itself.

use std::format;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::cpu::Step;
use super::files::FileWork;
use super::frame;
use super::json::{self, Document, Object};
use super::services::Service;

/// A mission being played.
#[derive(Clone, Debug)]
pub(super) struct Play {
    name: Vec<u8>,
    /// Steps of the mission when it began.
    steps: i32,
    /// How often to play it; -1 is forever.
    times: i32,
    /// The turn that is running, from 1.
    turn: i32,
    /// The step to come, from 1.
    step: i32,
}

fn file(mission: &[u8]) -> Vec<u8> {
    [mission, b".mission"].concat()
}

/// The command that waits.
fn delay_step(work: &mut Object, ms: i32) -> Vec<u8> {
    work.set("T", 111);
    work.set("cmd", ms);
    work.text()
}

impl FileWork<'_> {
    /// T:221 and the start of T:242: dumps a mission. The number of its steps; -1 if it is not there.
    fn dump_mission(&mut self, name: &[u8]) -> i32 {
        let file = file(name);
        let Some(lines) = self.lines(&file) else {
            self.say("file not found.");
            return -1;
        };
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        self.say("---=== File Content ===---");
        self.say([&b"reading file: ["[..], name, b"] starts:\n"].concat());
        self.say(&first);
        let info = self.new_info();
        info.set("info", "reading mission.");
        info.set("first_line", &first);
        let steps: Vec<_> = lines.zip(1..).collect();
        for (line, number) in &steps {
            info.set_copied(format!("StepNum_{number}").as_bytes(), line);
        }
        for (line, number) in &steps {
            self.say([format!("[StepNum: {number} ] - ").as_bytes(), line].concat());
        }
        self.say([&b"^^^ ^^^ ^^^ reading file: "[..], &file, b" ends. ^^^ ^^^ ^^^"].concat());
        i32::try_from(steps.len()).unwrap_or(i32::MAX)
    }
}

impl Board {
    /// T:220 to 231, 241, 242 and 602.
    pub(super) fn mission_command(&mut self, command: &Document) -> Vec<Step> {
        let name = match command.code() {
            602 => b"boot".to_vec(),
            _ => command.string("name"),
        };
        let number = command.int("stepNum");
        match command.code() {
            220 => self.create_mission(&name, &command.string("intro")),
            221 | 602 => self.work_on_files(|work| {
                work.dump_mission(&name);
            }),
            222 | 225 | 228 => self.edit_by_text(command, &name, &command.string("step")),
            231 => self.work_on_files(|work| work.delete_line(&file(&name), number.wrapping_add(1))),
            241 => self.play_step(&name, number),
            242 => self.play(name, command.int("times")),
            _ => self.edit_by_board(command, &name),
        }
    }

    /// What the setup makes if it is not there.
    pub(super) fn create_boot_mission(&mut self) -> Vec<Step> {
        self.create_mission(b"boot", b"these cmds run automatically at boot.")
    }

    fn create_mission(&mut self, name: &[u8], intro: &[u8]) -> Vec<Step> {
        let mut first = Object::new(self.options.json);
        first.set("name", &name.to_vec());
        first.set("intro", &intro.to_vec());
        self.work_on_files(|work| work.create(&file(name), &first.text()))
    }

    /// T:222, 225, 228: a step that the host wrote. It must be something that the JSON library takes.
    fn edit_by_text(&mut self, command: &Document, name: &[u8], step: &[u8]) -> Vec<Step> {
        let taken = json::read(step, self.options.json).is_some();
        self.work_on_files(|work| {
            work.say_in_debug(if taken { "[json parsing succeed.]" } else { "[deserializeJson err]" });
            if taken {
                edit(work, command, name, step);
            }
        })
    }

    /// T:223, 226, 229: a step to where the tool is now, without its roll and without the hand, which both are 0 when it
    /// is played. T:224, 227, 230: a step that waits; 227 looks for its time in the wrong field.
    fn edit_by_board(&mut self, command: &Document, name: &[u8]) -> Vec<Step> {
        let mut step = Object::new(self.options.json);
        let mut made = Vec::new();
        match command.code() {
            223 | 226 | 229 => {
                let line = frame::text(self);
                made.push(super::cpu::say(&line));
                self.cpu.services.http_info = line.into_bytes();
                step.set("T", 104);
                for (key, value) in ["x", "y", "z", "t"].into_iter().zip(self.cpu.poses.last) {
                    step.set(key, value);
                }
                step.set("spd", f64::from(command.number("spd") as f32));
            }
            227 => drop(delay_step(&mut step, command.int("spd"))),
            _ => drop(delay_step(&mut step, command.int("delay"))),
        }
        let step = step.text();
        made.extend(self.work_on_files(|work| edit(work, command, name, &step)));
        made
    }

    /// T:241 and each step of T:242: executes a line of a mission as if it had come over the port.
    fn play_step(&mut self, name: &[u8], number: i32) -> Vec<Step> {
        let mut line = Vec::new();
        let mut document = None;
        let library = self.options.json;
        let mut steps = self.work_on_files(|work| {
            line = work.line(&file(name), number.wrapping_add(1));
            document = json::read(&line, library);
            if document.is_none() {
                return work.say_in_debug("[deserializeJson err]");
            }
            work.say_in_debug("[json parsing succeed.]");
            work.say_in_debug("[import a step]");
            work.say_in_debug([&b"[mission name]: "[..], name].concat());
            work.say_in_debug(format!("[stepNum]: {number}"));
            work.say_in_debug([&b"[cmd]: "[..], &line].concat());
        });
        if let Some(document) = document {
            steps.extend(self.execute(&document));
            steps.push(Step::Service(Service::StepFinished));
        }
        steps
    }

    /// T:242, and the boot with the mission `boot`.
    pub(super) fn play(&mut self, name: Vec<u8>, times: i32) -> Vec<Step> {
        let mut count = 0;
        let mut steps = self.work_on_files(|work| count = work.dump_mission(&name));
        let play = Play { name, steps: count, times, turn: 0, step: i32::MAX };
        steps.push(Step::Service(Service::Play(play)));
        steps
    }

    /// Goes on with a mission: one step, or the start of a turn.
    pub(super) fn play_on(&mut self, mut play: Play) -> Vec<Step> {
        let debug = self.cpu.feedback_mode == 1;
        let text = |text: &str| if debug { vec![super::cpu::say(text)] } else { vec![] };
        if play.step <= play.steps {
            // Any byte that arrived ends the mission on G1; on G3 another task has taken it away already.
            if !self.g3() && self.uart.has_input() {
                return text("[missionPlay abort.]");
            }
            let mut steps = vec![Step::Delay(self.options.mission_step)];
            steps.extend(self.play_step(&play.name, play.step));
            play.step += 1;
            steps.push(Step::Service(Service::Play(play)));
            return steps;
        }
        play.turn = play.turn.wrapping_add(1);
        play.step = 1;
        if play.times != -1 && play.turn > play.times {
            return text("[missionPlay finished.]");
        }
        if self.g3() && self.cpu.stop_flag && play.turn > 1 {
            return vec![];
        }
        if play.steps <= 0 && !debug {
            // Nothing to do and nothing to say, so it is over at once; or never.
            return if play.times == -1 { vec![Step::Hang] } else { vec![] };
        }
        let mut steps = text(&format!("---\n[currentTimes: {} ]", play.turn));
        steps.push(Step::Service(Service::Play(play)));
        steps
    }
}

/// Appends, inserts or replaces a step, as the code says. The first line of the file is no step.
fn edit(work: &mut FileWork, command: &Document, name: &[u8], step: &[u8]) {
    let number = command.int("stepNum").wrapping_add(1);
    match command.code() {
        222..=224 => work.append(&file(name), step),
        225..=227 => work.insert(&file(name), number, step),
        _ => work.replace(&file(name), number, step),
    }
}
