//! Connections of the endpoint: bounded in number and time, so that no peer keeps others from an answer.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// Most connections at a time. One more closes the oldest: a newcomer is always heard.
const MOST: usize = 128;
/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may take with everything; each answers one request.
const WHOLE: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the system has refused to.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections that are open.
pub(crate) struct Connections {
    router: Router,
    open: JoinSet<()>,
    /// In the order in which they came; some may have ended.
    order: VecDeque<AbortHandle>,
}

impl Connections {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            open: JoinSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Accepts connections, and never ends.
    ///
    /// # Cancel safety
    ///
    /// Connections that were accepted stay.
    pub(crate) async fn accept(&mut self, listener: &TcpListener) {
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.add(stream),
                    Err(error) => {
                        tracing::debug!(%error, "the status endpoint accepts no connection for now");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = self.open.join_next() => {}
            }
        }
    }

    fn add(&mut self, stream: TcpStream) {
        self.order.retain(|known| !known.is_finished());
        while self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            oldest.abort();
        }
        let service = TowerToHyperService::new(self.router.clone());
        let serve = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        let serve = async move {
            // A peer that went away, was too slow or wrote nonsense is no fault of the service.
            let _ = tokio::time::timeout(WHOLE, serve).await;
        };
        self.order.push_back(self.open.spawn(serve));
    }

    /// Waits until all that were accepted have their answers.
    pub(crate) async fn finish(&mut self) {
        while self.open.join_next().await.is_some() {}
    }
}
