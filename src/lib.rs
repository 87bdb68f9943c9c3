//! roarm
