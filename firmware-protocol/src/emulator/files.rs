//! T:200 to 208 and 601: files in flash, dumped to the port as text.

use std::format;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::cpu::Step;
use super::flash::Flash;
use super::json::{Document, JsonLibrary, Object};

/// What a stray write into the chip's memory does: nobody knows. T:206, 229 and 230 write behind an array where the line
/// to replace does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StrayWrite {
    /// The chip crashes and restarts.
    #[default]
    Restart,
    /// Nothing is hit that matters; the file is only rewritten.
    Harmless,
}

/// A command on files at work: what it prints, and what it leaves for the web server to tell.
pub(super) struct FileWork<'a> {
    flash: &'a mut Flash,
    library: JsonLibrary,
    /// Whether debug text is on.
    pub(super) debug: bool,
    stray_write: StrayWrite,
    pub(super) printed: Vec<u8>,
    /// `None` as long as the command left the information as it was.
    pub(super) info: Option<Object>,
    /// A stray write crashed the chip.
    crashed: bool,
}

impl FileWork<'_> {
    pub(super) fn say(&mut self, line: impl AsRef<[u8]>) {
        self.printed.extend(line.as_ref());
        self.printed.extend(b"\r\n");
    }

    pub(super) fn say_in_debug(&mut self, line: impl AsRef<[u8]>) {
        if self.debug {
            self.say(line);
        }
    }

    /// Clears the information for the web server and opens it.
    pub(super) fn new_info(&mut self) -> &mut Object {
        self.info.insert(Object::new(self.library))
    }

    fn outcome(&mut self, text: &str) {
        self.say_in_debug(text);
        self.new_info().set("info", text);
    }

    pub(super) fn lines(&self, name: &[u8]) -> Option<Vec<Vec<u8>>> {
        self.flash.lines(name)
    }

    /// T:201. An existing file stays as it is.
    pub(super) fn create(&mut self, name: &[u8], line: &[u8]) {
        if self.flash.read(name).is_some() {
            return self.outcome("file already exists.");
        }
        self.flash.append(name, line);
        self.outcome("file created successfully.");
    }

    /// T:203.
    pub(super) fn delete(&mut self, name: &[u8]) {
        let deleted = self.flash.remove(name);
        self.outcome(if deleted { "file deleted successfully." } else { "file already deleted." });
    }

    /// T:200.
    fn list(&mut self) {
        let names: Vec<Vec<u8>> = self.flash.names().cloned().collect();
        let mut info = Object::new(self.library);
        info.set("info", "reading files and the first line");
        for name in names {
            self.say(">>>---=== File Name and First line ===---<<<");
            self.say([&b"[file]: ["[..], &name, b"]"].concat());
            self.say("[first line]:");
            let first = self.lines(&name).and_then(|lines| lines.into_iter().next()).unwrap_or_default();
            self.say(&first);
            info.set_constant(&name, &first);
        }
        self.info = Some(info);
    }

    /// T:202: dumps a file. The lines of it, if it is there.
    fn read(&mut self, name: &[u8]) -> Option<Vec<Vec<u8>>> {
        let Some(lines) = self.lines(name) else {
            self.say("file not found.");
            self.new_info().set("info", "file not found");
            return None;
        };
        self.say("---=== File Content ===---");
        self.say([&b"reading file: ["[..], name, b"] starts:"].concat());
        let info = self.new_info();
        info.set("info", "reading file");
        info.set("name", &name.to_vec());
        for (line, number) in lines.iter().zip(1..) {
            info.set_copied(format!("lineNum_{number}").as_bytes(), line);
        }
        for (line, number) in lines.iter().zip(1..) {
            self.say([format!("[lineNum: {number} ] - ").as_bytes(), line].concat());
        }
        self.say([&b"^^^ ^^^ ^^^ reading file: "[..], name, b" ends. ^^^ ^^^ ^^^"].concat());
        Some(lines)
    }

    /// Dumps a file before and after a change.
    fn edit(&mut self, name: &[u8], change: impl FnOnce(&mut Self, Vec<Vec<u8>>)) {
        self.say("--- --- --- RAW FILE -- --- ---");
        let Some(lines) = self.read(name) else { return };
        change(self, lines);
        if self.crashed {
            return;
        }
        self.say("--- --- --- NEW FILE -- --- ---");
        self.read(name);
    }

    /// T:204.
    pub(super) fn append(&mut self, name: &[u8], line: &[u8]) {
        self.edit(name, |work, _| work.flash.append(name, line));
    }

    /// Writes lines back. Each gets a CR LF although it kept its old CR, so a file grows with each change.
    fn rewrite(&mut self, name: &[u8], lines: &[Vec<u8>]) {
        self.flash.write(name, Vec::new());
        for line in lines {
            self.flash.append(name, line);
        }
    }

    /// T:205: a line before line `number`, counted from 1. Behind the last one nothing is inserted.
    pub(super) fn insert(&mut self, name: &[u8], number: i32, line: &[u8]) {
        self.edit(name, |work, mut lines| {
            if let Some(place) = place(number, lines.len()) {
                lines.insert(place, line.to_vec());
            }
            work.rewrite(name, &lines);
        });
    }

    /// T:206.
    pub(super) fn replace(&mut self, name: &[u8], number: i32, line: &[u8]) {
        self.edit(name, |work, mut lines| {
            match place(number, lines.len()) {
                Some(place) => lines[place] = line.to_vec(),
                None => work.crashed = work.stray_write == StrayWrite::Restart,
            }
            if !work.crashed {
                work.rewrite(name, &lines);
            }
        });
    }

    /// T:207: one line, which only debug text shows. Empty if there is none.
    pub(super) fn line(&mut self, name: &[u8], number: i32) -> Vec<u8> {
        let Some(lines) = self.lines(name) else {
            self.say("Error opening file.");
            return Vec::new();
        };
        self.new_info();
        let Some(place) = place(number, lines.len()) else {
            self.say_in_debug("[line not found]");
            return Vec::new();
        };
        if self.debug {
            self.say(&lines[place]);
            let info = self.new_info();
            info.set("filename", &name.to_vec());
            info.set("lineNum", number);
        }
        lines[place].clone()
    }

    /// T:208.
    pub(super) fn delete_line(&mut self, name: &[u8], number: i32) {
        self.say("--- --- --- RAW FILE -- --- ---");
        let Some(mut lines) = self.read(name) else { return self.say("Error opening file for reading") };
        if let Some(place) = place(number, lines.len()) {
            lines.remove(place);
        }
        let content = lines.into_iter().flat_map(|line| [line, b"\n".to_vec()]).flatten().collect();
        self.flash.write(name, content);
        self.say("--- --- --- NEW FILE -- --- ---");
        self.read(name);
    }

    /// T:601.
    fn free_space(&mut self) {
        let (total, free) = (Flash::TOTAL_BYTES, Flash::TOTAL_BYTES - self.flash.used_bytes());
        self.say_in_debug(format!("totalBytes:\t{total} bytes"));
        self.say_in_debug(format!("free flash memory:\t{free} bytes"));
        let info = self.new_info();
        info.set("info", "free flash space");
        info.set("total", total as i32);
        info.set("free", free as i32);
    }
}

/// Index of line `number`, counted from 1, if there is one.
fn place(number: i32, lines: usize) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1).filter(|&place| place < lines)
}

impl Board {
    /// Works on files; what is printed takes its time on the wire afterwards.
    pub(super) fn work_on_files(&mut self, work: impl FnOnce(&mut FileWork)) -> Vec<Step> {
        let mut files = FileWork {
            flash: &mut self.flash,
            library: self.options.json,
            debug: self.cpu.feedback_mode == 1,
            stray_write: self.options.stray_write,
            printed: Vec::new(),
            info: None,
            crashed: false,
        };
        work(&mut files);
        let FileWork { printed, info, crashed, .. } = files;
        if let Some(info) = info {
            self.cpu.services.http_info = info.text();
        }
        let mut steps = vec![Step::Print(printed, 0)];
        if crashed {
            steps.push(Step::Restart);
        }
        steps
    }

    /// T:200 to 208, 601 and 603.
    pub(super) fn file_command(&mut self, command: &Document) -> Vec<Step> {
        let (name, content) = (command.string("name"), command.string("content"));
        let number = command.int("lineNum");
        self.work_on_files(|work| match command.code() {
            200 => work.list(),
            201 => work.create(&name, &content),
            202 => drop(work.read(&name)),
            203 => work.delete(&name),
            204 => work.append(&name, &content),
            205 => work.insert(&name, number, &content),
            206 => work.replace(&name, number, &content),
            207 => drop(work.line(&name, number)),
            208 => work.delete_line(&name, number),
            601 => work.free_space(),
            // 603. Until the next restart there is no boot mission then.
            _ => work.delete(b"boot.mission"),
        })
    }

    /// A file in the chip's flash, if there is one.
    #[must_use]
    pub fn flash_file(&self, name: &str) -> Option<&[u8]> {
        self.flash.read(name.as_bytes())
    }

    /// Puts a file into the chip's flash, as a board of another life would have it: `boot.mission`, `wifiConfig.json`.
    pub fn set_flash_file(&mut self, name: &str, content: &[u8]) {
        self.flash.write(name.as_bytes(), content.to_vec());
    }
}
