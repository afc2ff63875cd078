//! One server for all services of a process that name the same address.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::access::{self, Access, Guard};
use crate::connections::Connections;
use crate::routes;
use crate::running::Running;

/// How long an answer under way may take once the last service has left.
const GOODBYE: Duration = Duration::from_millis(200);

/// The servers of this process, each with the address that was asked for.
static SERVERS: Mutex<Vec<(SocketAddr, Weak<Server>)>> = Mutex::new(Vec::new());

/// The endpoint cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "the status endpoint cannot listen on {address}: {source}; choose another address by EVENTS_STATUS_ADDRESS or --status-address"
)]
pub struct ServerError {
    address: SocketAddr,
    source: io::Error,
}

/// A service that the endpoint answers for; it leaves when this is dropped, and the last one closes the endpoint.
#[must_use = "the endpoint answers for the service as long as this lives"]
pub struct Registration {
    server: Arc<Server>,
    running: Arc<dyn Running>,
}

/// Lets the endpoint at `address` answer for a service; the first service of the process opens it.
///
/// # Errors
///
/// The address is taken, or is not of this machine.
pub fn register(
    address: SocketAddr,
    running: Arc<dyn Running>,
) -> Result<Registration, ServerError> {
    register_with(address, Access::new(), running)
}

/// The same with rules for who may ask. Those of the service that opens the endpoint count.
///
/// # Errors
///
/// As [`register`].
pub fn register_with(
    address: SocketAddr,
    access: Access,
    running: Arc<dyn Running>,
) -> Result<Registration, ServerError> {
    let mut servers = lock(&SERVERS);
    servers.retain(|(_, server)| server.strong_count() > 0);
    let known = servers
        .iter()
        .find(|(known, _)| *known == address)
        .and_then(|(_, server)| server.upgrade());
    let server = match known {
        Some(server) => server,
        None => {
            let server =
                Server::open(address, access).map_err(|source| ServerError { address, source })?;
            let server = Arc::new(server);
            servers.push((address, Arc::downgrade(&server)));
            server
        }
    };
    lock(&server.services.0).push(Arc::clone(&running));
    Ok(Registration { server, running })
}

impl Registration {
    /// Where the endpoint listens: also the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.server.services.0).retain(|known| !Arc::ptr_eq(known, &self.running));
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// The services that one server answers for.
#[derive(Default)]
pub(crate) struct Services(Mutex<Vec<Arc<dyn Running>>>);

impl Services {
    pub(crate) fn all(&self) -> Vec<Arc<dyn Running>> {
        lock(&self.0).clone()
    }
}

struct Server {
    address: SocketAddr,
    services: Arc<Services>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn open(address: SocketAddr, access: Access) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "the status endpoint is open to the network, and whoever reaches it may read keys and errors; :{} listens on loopback alone",
                address.port()
            );
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let services = Arc::new(Services::default());
        let router = routes::router(Arc::clone(&services));
        let guard = Arc::new(Guard {
            at: address,
            access,
        });
        let router = router.layer(axum::middleware::from_fn_with_state(guard, access::check));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            let listener = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => {
                    tracing::error!(%error, "the status endpoint cannot listen");
                    return;
                }
            };
            let mut connections = Connections::new(router);
            tokio::select! {
                () = connections.accept(&listener) => {}
                // The sender goes with the server.
                _ = stopped => {}
            }
            drop(listener);
            // What takes longer gets no answer.
            let _ = tokio::time::timeout(GOODBYE, connections.finish()).await;
        };
        // It is joined when the server is dropped.
        let thread = thread::Builder::new()
            .name("status".to_owned())
            .spawn(move || runtime.block_on(serve))?;
        tracing::info!(%address, "status endpoint open");
        Ok(Self {
            address,
            services,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends within `GOODBYE`, and the port is free then. A panic there has been printed.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of users runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
