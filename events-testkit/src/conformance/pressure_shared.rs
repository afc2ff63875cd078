//! The lanes of a process share its memory (D7).

use events_core::Outgoing;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, Subject, WHILE, record_of, status_once};
use crate::throughout;

subject!(Piece, stack, "conformance-shared");

const LANES: i32 = 8;
/// Bytes of a record's value, and records of each lane.
const BULK: usize = 4 * 1024;
const EACH: u64 = 20;

fn piece(partition: i32, seq: u64) -> Outgoing {
    let key = format!("k{partition}");
    let mut record = record_of(&Piece::new(&key, seq), &format!("{key}-{seq}"));
    let padding = "x".repeat(BULK);
    record.set_value(format!(r#"{{"key":"{key}","seq":{seq},"padding":"{padding}"}}"#).as_bytes());
    record.partition = Some(partition);
    record
}

/// However many lanes there are, together they take no more than the process may; each of them gets on, also if its share is
/// less than one record.
pub async fn lanes_share_the_memory_of_their_process<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-shared", LANES).await;
    for partition in 0..LANES {
        let key = format!("k{partition}");
        stage
            .probe
            .script("stack", &key, 0, [Step::Gate("all may go on")]);
        for seq in 0..EACH {
            stage.produce(piece(partition, seq)).await;
        }
    }
    let service = stage.service().configure(|settings| {
        settings.batch = 1;
        // Three quarters of it are for the lanes: half a record for each.
        settings.process_bytes = LANES as usize * BULK / 2 * 4 / 3;
    });
    let running = stage.start_with(service).await;
    let taken = |status: &events_runtime::Status| -> usize {
        status.lanes.iter().map(|lane| lane.in_flight).sum()
    };
    status_once(&running, "each lane has its record", |status| {
        status.lanes.len() == LANES as usize && taken(status) == LANES as usize
    })
    .await;
    throughout("no lane takes more", WHILE, async || {
        taken(&running.status().await) == LANES as usize
    })
    .await;
    stage.probe.open("all may go on");
    stage
        .committed_once(i64::from(LANES) * EACH.cast_signed())
        .await;
    running.shutdown().await;
    Verdict::Held
}
