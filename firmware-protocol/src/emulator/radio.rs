//! T:300 to 306: ESP-NOW, as far as it shows on the port. Nobody else is on the air: messages to known peers are sent, and
//! none arrive.

use std::format;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::cpu::{Step, say};
use super::json::{Document, Object};

type Address = [u8; 6];

/// Peers that the chip keeps.
const PEERS: usize = 20;

/// Memory of the radio.
#[derive(Clone, Debug, Default)]
pub(super) struct Radio {
    peers: Vec<Address>,
    /// The last peer that was named: whom mode 2 leads.
    follower: Address,
}

/// Six pairs of hexadecimal digits with one character between them, however each pair reads.
fn address(text: &[u8]) -> Address {
    core::array::from_fn(|place| text.get(place * 3..place * 3 + 2).map_or(0, pair))
}

/// `strtol` of two characters in base 16.
fn pair(text: &[u8]) -> u8 {
    let (sign, digits) = match text {
        [b'-', digit] => (-1, &[*digit][..]),
        [b'+' | b' ' | b'\t' | b'\n' | b'\r' | 11 | 12, digit] => (1, &[*digit][..]),
        _ => (1, text),
    };
    let values = digits.iter().map_while(|&digit| char::from(digit).to_digit(16));
    (sign * values.fold(0, |value, digit| value * 16 + digit as i32)) as u8
}

fn sent(success: bool) -> Step {
    say(if success { "Sent with success" } else { "Error sending the data" })
}

impl Board {
    /// T:300 to 306.
    pub(super) fn radio_command(&mut self, command: &Document) -> Vec<Step> {
        match command.code() {
            300 => self.let_others_command(command),
            301 => self.set_radio_mode(command.byte("mode")),
            302 => {
                let mut info = Object::new(self.options.json);
                info.set("mac", &super::boot::MAC.as_bytes().to_vec());
                self.cpu.services.http_info = info.text();
                vec![say(super::boot::MAC)]
            }
            305 => vec![sent(!self.cpu.services.radio.peers.is_empty())],
            code => {
                let text = command.string("mac");
                if text.len() != 17 {
                    return vec![say("invalid MAC address format.")];
                }
                match code {
                    303 => self.add_peer(&text),
                    304 => self.remove_peer(&text),
                    _ => {
                        self.cpu.services.radio.follower = address(&text);
                        vec![self.send_to_follower()]
                    }
                }
            }
        }
    }

    /// T:300: who may command by radio. Only its text shows, since nobody does.
    fn let_others_command(&mut self, command: &Document) -> Vec<Step> {
        let (everyone, leader) = (command.boolean("mode"), command.string("mac"));
        let debug = self.cpu.feedback_mode == 1;
        let mut info = Object::new(self.options.json);
        info.set("mode", everyone);
        let text = match everyone {
            true => "it can be ctrl by esp-now broadcast cmd.",
            false => "it won't be ctrl by esp-now broadcast cmd.",
        };
        if debug && everyone {
            info.set("info", text);
            info.set("leader mac", &leader);
        } else if debug {
            let start = b"it won't be ctrl by esp-now broadcast cmd, leader mac: ";
            info.set("info", &[&start[..], &leader].concat());
        }
        self.cpu.services.http_info = info.text();
        if debug { vec![say(text)] } else { vec![] }
    }

    /// T:301. Other modes than these four are ignored.
    fn set_radio_mode(&mut self, mode: u8) -> Vec<Step> {
        let text = match mode {
            0 => "esp-now mode: none",
            1 => "esp-now mode: flow-leader(group)",
            2 => "esp-now mode: flow-leader(single)",
            3 => "esp-now mode: follower",
            _ => return vec![],
        };
        self.cpu.esp_now_mode = mode;
        self.tell_web(text, None);
        if self.cpu.feedback_mode == 1 { vec![say(text)] } else { vec![] }
    }

    fn tell_web(&mut self, text: &str, address: Option<&Vec<u8>>) {
        let mut info = Object::new(self.options.json);
        info.set("info", text);
        if let Some(address) = address {
            info.set("mac", address);
        }
        self.cpu.services.http_info = info.text();
    }

    fn add_peer(&mut self, text: &Vec<u8>) -> Vec<Step> {
        let radio = &mut self.cpu.services.radio;
        let address = address(text);
        radio.follower = address;
        let added = radio.peers.len() < PEERS && !radio.peers.contains(&address);
        if added {
            radio.peers.push(address);
        }
        let outcome = if added { "add peer" } else { "Failed to add peer" };
        self.tell_web(outcome, Some(text));
        vec![Step::Print([format!("{outcome}: ").as_bytes(), text, b"\r\n"].concat(), 0)]
    }

    fn remove_peer(&mut self, text: &Vec<u8>) -> Vec<Step> {
        let address = address(text);
        self.cpu.services.radio.peers.retain(|peer| *peer != address);
        self.tell_web("delete peer", Some(text));
        if self.cpu.feedback_mode != 1 {
            return vec![];
        }
        vec![Step::Print([b"delete peer: ", &text[..], b"\r\n"].concat(), 0)]
    }

    fn send_to_follower(&self) -> Step {
        let radio = &self.cpu.services.radio;
        sent(radio.peers.contains(&radio.follower))
    }

    /// Each loop pass a leader sends its joints.
    pub(super) fn lead(&self) -> Vec<Step> {
        match self.cpu.esp_now_mode {
            1 => vec![sent(!self.cpu.services.radio.peers.is_empty())],
            2 => vec![self.send_to_follower()],
            _ => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_the_c_library_reads_them() {
        assert_eq!(address(b"AA:bb:0C:dD:EE:01"), [0xaa, 0xbb, 0x0c, 0xdd, 0xee, 1]);
        assert_eq!(address(b"zz:5z:-1:+7: 9:0x"), [0, 5, 0xff, 7, 9, 0]);
    }
}
