//! The protocol beyond single codes: [`link_budget`], [`boot`], [`traps`]. The table of codes is on the crate's page.

#[doc = include_str!("link_budget.md")]
pub mod link_budget {}

#[doc = include_str!("boot.md")]
pub mod boot {}

#[doc = include_str!("traps.md")]
pub mod traps {}
