//! What a lane finds in its parked log of a record that its source brings.

use events_core::RecordView;

use crate::opened::OpenedRecord;
use crate::parking::ledger::Copy;
use crate::parking::lot::Lot;
use crate::parking::print;
use crate::parking::record::ParkedRoute;
use crate::transport::Queue;

/// What there is of a record that was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It waits for this handler.
    Waits,
    /// It was handled or given up, nobody knows which, or it waits for a newer build.
    Else,
}

impl<Q: Queue> Lot<Q> {
    /// What there is of a source record that the handler has parked before this assignment, so that it needs not see it; none if
    /// it has not.
    pub(crate) fn copy_of(&mut self, handler: u32, record: &dyn RecordView) -> Option<Copied> {
        let offset = record.offset();
        let mut print = None;
        let mut of = |record| *print.insert(print::of(record));
        let mut found = self.ledger.copy(handler, offset, || of(record));
        // Where headers are not read, a record in structured mode comes as it is, and its copy is in binary mode if it was
        // attempted.
        if found == Copy::Another
            && !self.lane.topic.reads_headers
            && let Some(opened) = OpenedRecord::of(record)
        {
            found = self.ledger.copy(handler, offset, || of(&opened));
        }
        match found {
            Copy::None => None,
            Copy::Same => {
                let print = print.unwrap_or_default();
                let open = self.ledger.open_copy(handler, offset, print);
                let route = open.and_then(|open| open.payload.route);
                let event =
                    |route: ParkedRoute| self.lane.topic.types[usize::from(route.event)].event;
                let may_run = route.is_some_and(|route| route.version <= event(route).version);
                Some(if may_run { Copied::Waits } else { Copied::Else })
            }
            Copy::Another => {
                if !std::mem::replace(&mut self.made_anew, true) {
                    tracing::warn!(
                        partition = %self.lane.partition, offset, parked = self.parked.topic,
                        "another record was parked from this offset: the topic was made anew; its records are handled, and those that were parked before stay parked"
                    );
                }
                None
            }
        }
    }
}
