//! What the firmware does besides moving servos: web server, radio, missions, outputs.

use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::cpu::Step;
use super::http::Requests;
use super::mission::Play;
use super::network::Network;
use super::outputs::SwitchOutput;
use super::radio::Radio;

/// One thing that these parts do.
#[derive(Clone, Debug)]
pub(super) enum Service {
    /// Serve one waiting request by HTTP (G1).
    Serve,
    /// Answer the request with what the command left.
    Answer(u64),
    /// Go on with a mission.
    Play(Play),
    /// Debug text behind a step.
    StepFinished,
    /// WiFi as the file in flash says (boot).
    StartNetwork,
    /// Make the mission `boot` if there is none, and play it (boot).
    BootMission,
    /// Send the joints to radio followers.
    Lead,
}

/// Memory of these parts; lost at a restart.
#[derive(Clone, Debug)]
pub(super) struct Services {
    /// What G1 answers to the next request if its command leaves nothing of its own: JSON.
    pub(super) http_info: Vec<u8>,
    pub(super) requests: Requests,
    pub(super) outputs: [SwitchOutput; 2],
    pub(super) radio: Radio,
    pub(super) network: Network,
}

impl Services {
    /// Nothing to tell.
    pub(super) const NO_INFO: &[u8] = b"null";
}

impl Default for Services {
    fn default() -> Self {
        Self {
            http_info: Self::NO_INFO.to_vec(),
            requests: Requests::new(),
            outputs: Default::default(),
            radio: Radio::default(),
            network: Network::default(),
        }
    }
}

impl Board {
    pub(super) fn do_service(&mut self, service: Service) {
        let steps = match service {
            Service::Serve => self.serve_request(),
            Service::Answer(ticket) => {
                self.answer_request(ticket);
                vec![]
            }
            Service::Play(play) => self.play_on(play),
            Service::StepFinished if self.cpu.feedback_mode == 1 => vec![super::cpu::say("[step finished]")],
            Service::StepFinished => vec![],
            Service::StartNetwork => self.start_network(),
            Service::BootMission => self.boot_mission(),
            Service::Lead => self.lead(),
        };
        self.cpu.first(steps);
    }

    fn boot_mission(&mut self) -> Vec<Step> {
        let mut steps = self.create_boot_mission();
        steps.extend(self.play(b"boot".to_vec(), 1));
        steps
    }
}
