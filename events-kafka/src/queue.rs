//! Received records of one partition, as the engine wants them.

use std::sync::Arc;
use std::task::{Context, Poll};

use events_core::RecordView;
use events_runtime::{Queue, QueueError, Record};
use rdkafka::error::RDKafkaErrorCode;

use crate::ffi::{Message, NativeQueue, consume};
use crate::rebalance::Gate;
use crate::rights::Watch;

/// Bytes that a message takes beside key and value: its headers, as they usually are, and the client's own structures.
const OVERHEAD: usize = 512;

/// Received records of one partition.
pub(crate) struct PartitionQueue {
    queue: Arc<NativeQueue>,
    watch: Arc<Watch>,
    /// Closed until the first read.
    gate: Option<Gate>,
    /// Why the partition cannot be read any more, until it is assigned anew.
    broken: Option<String>,
}

impl PartitionQueue {
    pub(crate) fn new(queue: NativeQueue, watch: &Arc<Watch>) -> Self {
        Self {
            queue: Arc::new(queue),
            watch: Arc::clone(watch),
            gate: None,
            broken: None,
        }
    }

    /// The first read opens the gate.
    pub(crate) fn opens(&mut self, gate: Gate) {
        self.gate = Some(gate);
    }
}

impl Queue for PartitionQueue {
    type Record = KafkaRecord;

    fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        into: &mut Vec<KafkaRecord>,
    ) -> Poll<Result<(), QueueError>> {
        // Registered first: a record that arrives from now on wakes the lane.
        self.queue.register(cx.waker());
        if let Some(gate) = &self.gate {
            if let Err(error) = gate.open() {
                return Poll::Ready(Err(QueueError(error.to_string())));
            }
            self.gate = None;
        }
        let before = into.len();
        let mut trouble = None;
        consume(&self.queue, max, |message| match message.error() {
            None => into.push(KafkaRecord(message)),
            Some((RDKafkaErrorCode::PartitionEOF, _)) => {}
            Some(error) => trouble = Some(error),
        });
        if let Some((code, text)) = trouble {
            let mut text = format!("{code:?}: {text}");
            if let Some(trouble) = self.watch.refused(code) {
                text = format!("{text}; {trouble}");
            }
            if !matches!(
                code,
                RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange
            ) {
                return Poll::Ready(Err(QueueError(text)));
            }
            // The client has stopped to fetch. Where to go on is an operator's decision (D14), never a silent reset.
            self.broken = Some(format!(
                "{text}; the committed offset is not in the log: retention overtook the group, or the topic was made anew. Reset the group's offset with kafka-consumer-groups.sh --reset-offsets while the service is stopped"
            ));
        }
        match &self.broken {
            Some(text) if into.len() == before => Poll::Ready(Err(QueueError(text.clone()))),
            _ if into.len() == before => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// A received record, in the client's memory.
pub(crate) struct KafkaRecord(pub(crate) Message);

impl RecordView for KafkaRecord {
    fn topic(&self) -> &str {
        self.0.topic()
    }

    fn partition(&self) -> i32 {
        self.0.partition()
    }

    fn offset(&self) -> i64 {
        self.0.offset()
    }

    fn timestamp(&self) -> Option<i64> {
        self.0.timestamp()
    }

    fn key(&self) -> Option<&[u8]> {
        self.0.key()
    }

    fn value(&self) -> Option<&[u8]> {
        self.0.value()
    }

    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        self.0.header(index)
    }
}

impl Record for KafkaRecord {
    fn size(&self) -> usize {
        OVERHEAD + self.0.key().map_or(0, <[u8]>::len) + self.0.value().map_or(0, <[u8]>::len)
    }

    fn has_unreadable_headers(&self) -> bool {
        self.0.has_unreadable_headers()
    }

    fn forget_headers(&mut self) {
        self.0.forget_headers();
    }
}
