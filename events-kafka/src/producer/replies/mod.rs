//! Who waits for which reply.

mod failure;
mod listener;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use events_core::{EventDescriptor, RecordView, header, to_binary_mode};
use tokio::sync::oneshot;

pub use failure::RequestFailed;
use listener::Listener;

use crate::aside::aside;
use crate::options::ClientOptions;

/// Requests that were given up and are remembered, to count their late replies.
const REMEMBERED: usize = 1024;
/// How long the reader outlives its last request.
const REST: Duration = Duration::from_secs(60);

/// The requests of a producer, and what reads their replies.
pub(super) struct Replies {
    client: ClientOptions,
    /// Most requests that wait at once.
    most: usize,
    state: Mutex<State>,
    late: AtomicU64,
}

#[derive(Default)]
struct State {
    /// By the command's id.
    open: HashMap<String, Open>,
    /// Ids of requests and what would have answered them.
    given_up: VecDeque<(String, &'static EventDescriptor)>,
    /// Runs while there are requests, and a little longer.
    listener: Option<Arc<Listener>>,
    /// When the last request ended.
    rested: Option<Instant>,
}

struct Open {
    command: &'static EventDescriptor,
    reply: &'static EventDescriptor,
    sender: oneshot::Sender<Result<Reply, RequestFailed>>,
}

/// A reply as it was read.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) value: Option<Vec<u8>>,
    pub(super) version: u32,
}

/// A request's entry, which is forgotten with it.
pub(super) struct Waiting<'a> {
    replies: &'a Replies,
    id: &'a str,
    receiver: oneshot::Receiver<Result<Reply, RequestFailed>>,
}

impl Replies {
    pub(super) fn new(client: ClientOptions, most: usize) -> Arc<Self> {
        Arc::new(Self {
            client,
            most,
            state: Mutex::default(),
            late: AtomicU64::new(0),
        })
    }

    pub(super) fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// Enters a request, unless too many wait.
    pub(super) fn expect<'a>(
        &'a self,
        command: &'static EventDescriptor,
        reply: &'static EventDescriptor,
        id: &'a str,
    ) -> Result<Waiting<'a>, RequestFailed> {
        let mut state = self.state();
        if state.open.len() >= self.most {
            return Err(RequestFailed::TooMany {
                command: command.name,
                most: self.most,
            });
        }
        let (sender, receiver) = oneshot::channel();
        let open = Open {
            command,
            reply,
            sender,
        };
        state.open.insert(id.to_owned(), open);
        Ok(Waiting {
            replies: self,
            id,
            receiver,
        })
    }

    /// Sees to it that the reply's topic is read, from where it ends now at the latest.
    pub(super) async fn listen(
        self: &Arc<Self>,
        command: &'static EventDescriptor,
        reply: &'static EventDescriptor,
    ) -> Result<(), RequestFailed> {
        let replies = Arc::clone(self);
        let started = aside(move || replies.start(command, reply));
        started.await.unwrap_or_else(|| {
            Err(RequestFailed::Broken {
                command: command.name,
                reason: "no thread for the reader of replies".to_owned(),
            })
        })
    }

    fn start(
        self: &Arc<Self>,
        command: &'static EventDescriptor,
        reply: &'static EventDescriptor,
    ) -> Result<(), RequestFailed> {
        let failed = |source| RequestFailed::NoReader {
            command: command.name,
            reply: reply.name,
            source,
        };
        let listener = {
            let mut state = self.state();
            match &state.listener {
                Some(listener) => Arc::clone(listener),
                // It makes a client and a thread, and asks nobody.
                None => {
                    let listener = Listener::start(self, &self.client).map_err(failed)?;
                    Arc::clone(state.listener.insert(listener))
                }
            }
        };
        if listener.add(reply.topic).map_err(failed)? {
            return Ok(());
        }
        Err(RequestFailed::NoTopic {
            command: command.name,
            reply: reply.name,
            topic: reply.topic,
            owner: command.owner.unwrap_or_default(),
        })
    }

    /// A record of a reply topic.
    fn take(&self, record: &dyn RecordView) {
        match to_binary_mode(record) {
            None => self.answer(record.topic(), headers(record), record.value()),
            Some(Ok(binary)) => {
                let headers = last_of_each(binary.headers());
                self.answer(record.topic(), headers, binary.value());
            }
            Some(Err(error)) => tracing::debug!(topic = record.topic(), %error, "no reply"),
        }
    }

    fn answer(&self, topic: &str, headers: [Option<String>; 4], value: Option<&[u8]>) {
        let [kind, cause, flow, version] = headers;
        let is = |reply: &EventDescriptor| match &kind {
            Some(kind) => reply.name == kind,
            None => reply.topic_default && reply.topic == topic,
        };
        let mut state = self.state();
        // The command itself, or the flow that it began.
        for id in [&cause, &flow].into_iter().flatten() {
            let asked = state.open.get(id);
            if asked.is_some_and(|open| is(open.reply)) {
                let reply = Reply {
                    value: value.map(<[u8]>::to_vec),
                    version: version.and_then(|text| text.parse().ok()).unwrap_or(1),
                };
                if let Some(open) = state.open.remove(id) {
                    // Whoever waited is gone if it is not taken: it forgets itself.
                    let _ = open.sender.send(Ok(reply));
                }
                return;
            }
            let mut late = state.given_up.iter();
            if let Some(place) = late.position(|(late, reply)| late == id && is(reply)) {
                state.given_up.remove(place);
                self.late.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(
                    event = kind,
                    command = id,
                    "a reply came after its request was given up"
                );
                return;
            }
        }
    }

    /// Replies cannot be read any more.
    fn fail(&self, reason: &str) {
        let mut state = self.state();
        state.listener = None;
        for (_, open) in state.open.drain() {
            let _ = open.sender.send(Err(RequestFailed::Broken {
                command: open.command.name,
                reason: reason.to_owned(),
            }));
        }
    }

    /// Whether the reader has been without requests for long enough: then it is let go.
    fn rests(&self) -> bool {
        let mut state = self.state();
        let rests = state.open.is_empty() && state.rested.is_some_and(|at| at.elapsed() >= REST);
        if rests {
            state.listener = None;
        }
        rests
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Type, causation, correlation and version of a record.
fn headers(record: &dyn RecordView) -> [Option<String>; 4] {
    let mut index = 0..;
    last_of_each(std::iter::from_fn(|| record.header(index.next()?)))
}

/// The same among headers; of several of a name the last counts.
fn last_of_each<'a>(
    headers: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
) -> [Option<String>; 4] {
    let wanted = [
        header::TYPE,
        header::CAUSATION_ID,
        header::CORRELATION_ID,
        header::EVENT_VERSION,
    ];
    let mut found = [const { None }; 4];
    for (name, value) in headers {
        let place = wanted.iter().position(|known| known.as_bytes() == name);
        if let (Some(place), Some(value)) = (place, value) {
            found[place] = std::str::from_utf8(value).ok().map(str::to_owned);
        }
    }
    found
}

impl Waiting<'_> {
    pub(super) async fn reply(&mut self) -> Result<Reply, RequestFailed> {
        let answer = (&mut self.receiver).await;
        answer.unwrap_or_else(|_| {
            Err(RequestFailed::Broken {
                command: "the command",
                reason: "its producer is gone".to_owned(),
            })
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.replies.state();
        // Taken out by its reply, if that came.
        if let Some(open) = state.open.remove(self.id) {
            if state.given_up.len() == REMEMBERED {
                state.given_up.pop_front();
            }
            state.given_up.push_back((self.id.to_owned(), open.reply));
        }
        state.rested = Some(Instant::now());
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
