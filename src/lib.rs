//! slo-hub
pub mod domain;
pub mod tasks;
