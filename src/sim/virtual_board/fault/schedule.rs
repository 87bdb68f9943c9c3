//! Which faults are there now, and what changes when.

use std::time::Duration;

use super::{Fault, FaultKind};

/// The beginning or the end of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim::virtual_board) enum Change {
    /// The fault of this number begins.
    Begins(usize),
    /// It ends.
    Ends(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Active,
    Over,
}

/// The faults of one board.
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct FaultSchedule {
    faults: Vec<(Fault, State)>,
}

impl FaultSchedule {
    pub(in crate::sim::virtual_board) fn new(faults: Vec<Fault>) -> Self {
        Self { faults: faults.into_iter().map(|fault| (fault, State::Waiting)).collect() }
    }

    /// When the next fault begins or ends.
    pub(in crate::sim::virtual_board) fn next_change(&self) -> Option<Duration> {
        self.faults.iter().filter_map(|(fault, state)| change_at(fault, *state)).min()
    }

    /// The change that is due, if there is one; it counts as done. Ends come before beginnings.
    pub(in crate::sim::virtual_board) fn take_due(&mut self, now: Duration) -> Option<Change> {
        let due = |fault: &Fault, state: State, wanted: State| {
            state == wanted && change_at(fault, state).is_some_and(|at| at <= now)
        };
        for wanted in [State::Active, State::Waiting] {
            let found = self.faults.iter().position(|(fault, state)| due(fault, *state, wanted));
            if let Some(number) = found {
                return Some(self.change(number));
            }
        }
        None
    }

    fn change(&mut self, number: usize) -> Change {
        let (fault, state) = &mut self.faults[number];
        if *state == State::Active {
            *state = State::Over;
            return Change::Ends(number);
        }
        *state = if fault.kind.is_momentary() { State::Over } else { State::Active };
        Change::Begins(number)
    }

    pub(in crate::sim::virtual_board) fn fault(&self, number: usize) -> &Fault {
        &self.faults[number].0
    }

    /// Every fault and whether it is there now.
    pub(in crate::sim::virtual_board) fn active(&self) -> impl Iterator<Item = (usize, FaultKind)> {
        let active = |(number, (fault, state)): (usize, &(Fault, State))| {
            (*state == State::Active).then_some((number, fault.kind))
        };
        self.faults.iter().enumerate().filter_map(active)
    }
}

/// When a fault changes next.
fn change_at(fault: &Fault, state: State) -> Option<Duration> {
    match state {
        State::Waiting => Some(fault.start),
        State::Active => fault.duration.map(|duration| fault.start + duration),
        State::Over => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn faults_come_and_go_in_order() {
        let list = "cut@5s:2s,mute,reset@6s,deaf@7s";
        let mut schedule = FaultSchedule::new(Fault::parse_list(list, 1).unwrap());
        assert_eq!(schedule.next_change(), Some(s(0)));
        assert_eq!(schedule.take_due(s(0)), Some(Change::Begins(1)));
        assert_eq!(schedule.take_due(s(4)), None);
        assert_eq!(schedule.next_change(), Some(s(5)));
        assert_eq!(schedule.take_due(s(5)), Some(Change::Begins(0)));
        let active: Vec<usize> = schedule.active().map(|(number, _)| number).collect();
        assert_eq!(active, [0, 1]);
        assert_eq!(schedule.take_due(s(6)), Some(Change::Begins(2)), "a moment");
        // what ends makes room for what begins
        assert_eq!(schedule.take_due(s(7)), Some(Change::Ends(0)));
        assert_eq!(schedule.take_due(s(7)), Some(Change::Begins(3)));
        assert_eq!((schedule.take_due(s(9)), schedule.next_change()), (None, None));
        let active: Vec<usize> = schedule.active().map(|(number, _)| number).collect();
        assert_eq!(active, [1, 3]);
    }
}
