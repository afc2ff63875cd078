//! One connection through a proxy, frame by frame.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::frame::Frame;
use super::rules::{Action, Direction, Rules};

/// Frames between the two ends. When a line is slow its sender waits, as on a real one.
const UNDER_WAY: usize = 64;
/// Bytes of each frame that come one by one on a line of slices: the length, the head, and into the body.
const SLICED: usize = 48;
/// Bytes written at once on a line with a bandwidth.
const PACKET: usize = 1024;

pub(crate) struct Link {
    pub(crate) broker: usize,
    pub(crate) rules: Arc<Rules>,
    pub(crate) seed: u64,
}

/// A frame on its way.
struct Passing {
    due: Instant,
    /// It may not pass before that changes.
    held: Option<watch::Receiver<()>>,
    frame: Frame,
}

/// How a reader says that a rule cuts its connection.
const CUT: io::ErrorKind = io::ErrorKind::ConnectionAborted;

/// The api key of each request that waits for its answer.
type Asked = Arc<Mutex<HashMap<i32, i16>>>;

impl Link {
    /// Runs until one side closes or a rule cuts.
    pub(crate) async fn run(self, client: TcpStream, broker: TcpStream) {
        for stream in [&client, &broker] {
            // Without it one-byte slices would be put together again.
            let _ = stream.set_nodelay(true);
        }
        let asked = Asked::default();
        let (mut client_read, mut client_write) = client.into_split();
        let (mut broker_read, mut broker_write) = broker.into_split();
        let (to_broker, from_client) = channel(UNDER_WAY);
        let (to_client, from_broker) = channel(UNDER_WAY);
        // What a side wrote before it closed still arrives: its reader ends, and the writer behind it drains.
        let requests = async {
            tokio::try_join!(
                self.read(Direction::Request, &mut client_read, to_broker, &asked),
                self.write(&mut broker_write, from_client),
            )
        };
        let answers = async {
            tokio::try_join!(
                self.read(Direction::Response, &mut broker_read, to_client, &asked),
                self.write(&mut client_write, from_broker),
            )
        };
        let ended = tokio::select! {
            ended = requests => ended,
            ended = answers => ended,
        };
        if ended.is_err_and(|error| error.kind() == CUT) {
            self.rules.count_reset();
            for half in [client_write, broker_write] {
                // A reset instead of an orderly end.
                let _ = half.as_ref().set_zero_linger();
                half.forget();
            }
        }
    }

    async fn read(
        &self,
        way: Direction,
        from: &mut OwnedReadHalf,
        to: Sender<Passing>,
        asked: &Asked,
    ) -> io::Result<()> {
        let mut random = fastrand::Rng::with_seed(self.seed ^ way as u64);
        let mut last = Instant::now();
        while let Some(frame) = Frame::read(from).await? {
            let api = match way {
                Direction::Request => frame.request().map(|head| {
                    lock(asked).insert(head.correlation, head.api);
                    head.api
                }),
                Direction::Response => {
                    let known = frame.answer();
                    known.and_then(|correlation| lock(asked).remove(&correlation))
                }
            };
            let shape = self.rules.shape();
            let mut wait = shape.latency;
            if shape.jitter > Duration::ZERO {
                wait += shape.jitter.mul_f64(random.f64());
            }
            let mut held = None;
            match self.rules.decide(self.broker, api, way) {
                Some(Action::Drop) => continue,
                Some(Action::Cut) => return Err(CUT.into()),
                Some(Action::Delay(more)) => wait += more,
                Some(Action::Hold) => held = Some(self.rules.hold()),
                None => {}
            }
            if shape.resets > 0 && random.u32(..10_000) < shape.resets {
                return Err(CUT.into());
            }
            // Never before the frame in front: this is one line.
            last = last.max(Instant::now() + wait);
            let due = last;
            if to.send(Passing { due, held, frame }).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn write(&self, to: &mut OwnedWriteHalf, mut from: Receiver<Passing>) -> io::Result<()> {
        while let Some(Passing { due, held, frame }) = from.recv().await {
            if let Some(mut held) = held {
                // An error says that the rules are gone, and so is the bench.
                let _ = held.changed().await;
            }
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let shape = self.rules.shape();
            let mut rest = frame.bytes.as_slice();
            if shape.slices {
                let (sliced, after) = rest.split_at(SLICED.min(rest.len()));
                for byte in sliced {
                    to.write_all(std::slice::from_ref(byte)).await?;
                    tokio::task::yield_now().await;
                }
                rest = after;
            }
            match shape.bytes_per_second {
                None => to.write_all(rest).await?,
                Some(rate) => {
                    for packet in rest.chunks(PACKET) {
                        sleep(Duration::from_secs_f64(packet.len() as f64 / rate as f64)).await;
                        to.write_all(packet).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
