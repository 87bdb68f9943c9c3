//! The web server: commands by HTTP.
//!
//! G1 serves one request a loop pass, executes it there and then and answers with whatever information lies ready: T:1051
//! after T:105, but after a motion what an earlier command left, or `null` once that is served. It does not look whether
//! the text is JSON: what was read up to an error is executed, and without a `T` that is the emergency stop. G3 only puts
//! the command into its queue.

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::cpu::{QUEUE_LINE_BYTES, QUEUE_LINES, Step};
use super::json;
use super::services::{Service, Services};

/// The board's answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// What [`Board::http_js`] returned for the request.
    pub ticket: u64,
    /// The body.
    pub body: Vec<u8>,
    /// The value of `Content-Type`. G1 misspells `text/plain`.
    pub content_type: &'static str,
}

/// Requests that wait for a loop pass (G1): ticket and text.
pub(super) type Requests = VecDeque<(u64, Vec<u8>)>;

/// What the other end of the network has: its tickets and its answers.
#[derive(Debug, Default)]
pub(super) struct Web {
    tickets: u64,
    replies: Vec<HttpReply>,
}

impl Board {
    /// A request `GET /js?json=…` arrives; `argument` is the decoded value of its first argument, empty without one. The
    /// answer comes with [`Board::take_http_replies`] under the ticket that is returned here: on G1 after the loop pass
    /// that serves it, which may be long in coming, on G3 at once. A request that restarts the board, or is waiting when
    /// something else does, is never answered.
    pub fn http_js(&mut self, argument: &[u8]) -> u64 {
        self.web.tickets += 1;
        let ticket = self.web.tickets;
        if !self.g3() {
            self.cpu.services.requests.push_back((ticket, argument.to_vec()));
            return ticket;
        }
        let body: &[u8] = if self.cpu.queue.len() < QUEUE_LINES {
            let mut line = argument[..argument.len().min(QUEUE_LINE_BYTES)].to_vec();
            line.push(b'\n');
            self.cpu.queue.push_back(line);
            b"{\"ok\":1}"
        } else {
            b"{\"error\":\"Queue full\"}"
        };
        let reply = HttpReply { ticket, body: body.to_vec(), content_type: "application/json" };
        self.web.replies.push(reply);
        ticket
    }

    /// The answers since the last call.
    pub fn take_http_replies(&mut self) -> Vec<HttpReply> {
        core::mem::take(&mut self.web.replies)
    }

    pub(super) fn serve_request(&mut self) -> Vec<Step> {
        let Some((ticket, argument)) = self.cpu.services.requests.pop_front() else { return vec![] };
        let command = json::read_unchecked(&argument, self.options.json);
        let mut steps = self.execute(&command);
        steps.push(Step::Service(Service::Answer(ticket)));
        self.cpu.begin_command(steps)
    }

    pub(super) fn answer_request(&mut self, ticket: u64) {
        let body = core::mem::replace(&mut self.cpu.services.http_info, Services::NO_INFO.to_vec());
        self.web.replies.push(HttpReply { ticket, body, content_type: "text/plane" });
    }
}
