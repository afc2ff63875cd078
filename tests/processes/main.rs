//! The delivery rules, held with real processes: on Apache Kafka where `KAFKA_BOOTSTRAP_SERVERS` names one, else on an
//! embedded cluster in this process, to which the workers connect. What an embedded cluster cannot show says so.

mod cluster;
mod log;
mod produce;
mod scene;
mod wait;
mod wire;
mod worker;

mod bad_input;
mod converted;
mod drain;
mod made_again;
mod memory;
mod poison;
mod react;
mod rolling;
mod sigkill;
mod start;
mod static_members;
