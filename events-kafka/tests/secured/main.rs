//! Least rights, on a broker with an authorizer, TLS and SASL. `cargo xtask test --only features` brings one up.

mod acls;
mod broker;
mod owners;
mod right;
mod running;
mod shop;
mod start;
