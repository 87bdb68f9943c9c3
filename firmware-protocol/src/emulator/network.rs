//! T:401 to 408: WiFi. The virtual board opens its own network; a network to join is never found.

use core::time::Duration;
use std::format;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::cpu::{Step, say};
use super::json::{self, Document, Item, JsonLibrary, Object};

/// The file that holds the settings.
const FILE: &[u8] = b"wifiConfig.json";
const ADDRESS: &str = "0.0.0.0";
/// G1 waits for a network in turns of this length, and looks at the clock before each.
const TURN: Duration = Duration::from_millis(500);
const TURNS: usize = 31;

/// Names and passwords, as C strings that may be missing.
#[derive(Clone, Debug)]
struct Settings {
    mode_at_boot: u8,
    station: [Option<Vec<u8>>; 2],
    access_point: [Option<Vec<u8>>; 2],
}

/// Memory of the network.
#[derive(Clone, Debug)]
pub(super) struct Network {
    settings: Settings,
    /// The document of T:405, which also holds what the file held.
    status: Option<Object>,
}

impl Default for Network {
    fn default() -> Self {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let settings = Settings {
            mode_at_boot: 1,
            station: [text("none"), text("none")],
            access_point: [text("RoArm-M3"), text("12345678")],
        };
        Self { settings, status: None }
    }
}

impl Settings {
    const KEYS: [&str; 4] = ["sta_ssid", "sta_password", "ap_ssid", "ap_password"];

    fn write(&self, object: &mut Object) {
        object.set("wifi_mode_on_boot", i32::from(self.mode_at_boot));
        for (key, text) in Self::KEYS.into_iter().zip(self.station.iter().chain(&self.access_point)) {
            object.set(key, Item::Pointer(text.as_deref()));
        }
    }

    fn read(document: &Document) -> Self {
        let [a, b, c, d] = Self::KEYS.map(|key| document.c_string(key));
        Self { mode_at_boot: document.byte("wifi_mode_on_boot"), station: [a, b], access_point: [c, d] }
    }
}

fn with_text(label: &str, text: &Option<Vec<u8>>) -> Vec<u8> {
    [label.as_bytes(), text.as_deref().unwrap_or_default(), b"\r\n"].concat()
}

impl Board {
    /// T:401 to 408.
    pub(super) fn network_command(&mut self, command: &Document) -> Vec<Step> {
        let pair = |name: &str, password: &str| [command.c_string(name), command.c_string(password)];
        match command.code() {
            401 => {
                self.cpu.services.network.settings.mode_at_boot = command.byte("cmd");
                self.save_network()
            }
            402 => self.open_access_point(pair("ssid", "password")),
            403 => self.join(pair("ssid", "password")),
            404 | 407 => {
                let access_point = pair("ap_ssid", "ap_password");
                let station = pair("sta_ssid", "sta_password");
                if command.code() == 407 {
                    self.cpu.services.network.settings.mode_at_boot = command.byte("mode");
                }
                let mut steps = self.open_and_join(access_point, station);
                if command.code() == 407 {
                    steps.extend(self.save_network());
                }
                steps
            }
            405 => self.network_status(),
            406 => self.save_settings(),
            // 408: nothing to see.
            _ => vec![],
        }
    }

    fn debug_text(&self) -> bool {
        self.cpu.feedback_mode == 1
    }

    /// WiFi at boot. With mode 2 or 3 in the file G1 waits for a network that does not come.
    pub(super) fn start_network(&mut self) -> Vec<Step> {
        let mut text = Vec::new();
        if let Some(line) = self.flash.lines(FILE).map(|lines| lines.into_iter().next().unwrap_or_default()) {
            let document = json::read_unchecked(&line, self.options.json);
            let settings = Settings::read(&document);
            let mut status = Object::new(self.options.json);
            settings.write(&mut status);
            self.cpu.services.network = Network { settings, status: Some(status) };
            text.extend(b"/wifiConfig.json load succeed.\r\n");
            text.extend(line);
            text.extend(b"\r\n");
        } else {
            text.extend(b"cound not found wifiConfig.json.\r\n");
        }
        let Settings { mode_at_boot, station, access_point } = self.cpu.services.network.settings.clone();
        let mut steps = if self.debug_text() { vec![Step::Print(text, 0)] } else { vec![] };
        steps.extend(match mode_at_boot {
            0 if self.debug_text() => vec![say("wifi mode on boot: OFF")],
            1 => self.open_access_point(access_point),
            2 => self.join(station),
            3 => self.open_and_join(access_point, station),
            _ => vec![],
        });
        steps
    }

    fn open_access_point(&mut self, access_point: [Option<Vec<u8>>; 2]) -> Vec<Step> {
        let [name, password] = &access_point;
        let mut text = b"wifi mode on boot: AP\r\nAP mode starts...\r\n".to_vec();
        text.extend(with_text("SSID: ", name));
        text.extend(with_text("Password: ", password));
        text.extend(b"AP Address: 192.168.4.1\r\n");
        let mut info = Object::new(self.options.json);
        info.set("info", "AP mode starts");
        info.set("ap_ssid", Item::Pointer(name.as_deref()));
        info.set("ap_password", Item::Pointer(password.as_deref()));
        self.cpu.services.http_info = info.text();
        self.cpu.services.network.settings.access_point = access_point;
        if self.debug_text() { vec![Step::Print(text, 0)] } else { vec![] }
    }

    fn join(&mut self, station: [Option<Vec<u8>>; 2]) -> Vec<Step> {
        let start = b"wifi mode on boot: STA\r\nSTA mode starts: connecting to \r\n";
        let text = [&start[..], &with_text("", &station[0])].concat();
        self.wait_in_vain(text)
    }

    fn open_and_join(
        &mut self,
        access_point: [Option<Vec<u8>>; 2],
        station: [Option<Vec<u8>>; 2],
    ) -> Vec<Step> {
        let mut text = b"wifi mode on boot: AP+STA\r\nAP/AP+STA mode starts...\r\n".to_vec();
        text.extend(with_text("AP SSID: ", &access_point[0]));
        text.extend(with_text("AP Password: ", &access_point[1]));
        text.extend(b"AP Address: 192.168.4.1\r\n");
        text.extend(with_text("STA/AP+STA mode starts: connecting to ", &station[0]));
        self.cpu.services.network.settings.access_point = access_point;
        self.wait_in_vain(text)
    }

    /// Nobody answers. G1 is deaf for 15.5 s and then opens its own network; G3 goes on in the background.
    fn wait_in_vain(&mut self, text: Vec<u8>) -> Vec<Step> {
        let debug = self.debug_text();
        let mut steps = if debug { vec![Step::Print(text, 0)] } else { vec![] };
        if self.g3() {
            return steps;
        }
        for _ in 0..TURNS {
            if debug {
                steps.push(Step::Print(b".".to_vec(), 0));
            }
            steps.push(Step::Delay(TURN));
        }
        if debug {
            steps.push(say(".\r\nSTA connection timeout."));
        }
        let access_point = self.cpu.services.network.settings.access_point.clone();
        steps.extend(self.open_access_point(access_point));
        let mut info = Object::new(self.options.json);
        info.set("info", "STA connection timeout.");
        self.cpu.services.http_info = info.text();
        steps
    }

    fn save_network(&mut self) -> Vec<Step> {
        let mode = self.cpu.services.network.settings.mode_at_boot;
        let mut steps =
            if self.debug_text() { vec![say(&format!("wifi_mode_on_boot: {mode}"))] } else { vec![] };
        steps.extend(self.save_settings());
        steps
    }

    /// T:406. The firmware keeps pointers into the command that set the names, so that a real board may save garbage here.
    fn save_settings(&mut self) -> Vec<Step> {
        let library = self.options.json;
        let network = &mut self.cpu.services.network;
        let mut file = Object::new(library);
        network.settings.write(&mut file);
        self.flash.write(FILE, file.text());
        network.status = Some(file);
        let mut info = Object::new(library);
        info.set("info", "/wifiConfig.json created.");
        network.settings.write(&mut info);
        self.cpu.services.http_info = info.text();
        if self.debug_text() { vec![say("/wifiConfig.json created.")] } else { vec![] }
    }

    /// T:405, without a line end. G3 tells the passwords too; under which keys and in which order is not known, so it
    /// tells them here as its file holds them.
    fn network_status(&mut self) -> Vec<Step> {
        let library: JsonLibrary = self.options.json;
        let g3 = self.g3();
        let network = &mut self.cpu.services.network;
        let status = network.status.get_or_insert_with(|| Object::new(library));
        let fill = |object: &mut Object| {
            object.set("ip", &ADDRESS.as_bytes().to_vec());
            object.set("rssi", 0);
        };
        fill(status);
        if g3 {
            network.settings.write(status);
        }
        let text = status.text();
        let mut info = Object::new(library);
        fill(&mut info);
        network.settings.write(&mut info);
        info.set("mac", &super::boot::MAC.as_bytes().to_vec());
        self.cpu.services.http_info = info.text();
        vec![Step::Print(text, 0)]
    }
}
