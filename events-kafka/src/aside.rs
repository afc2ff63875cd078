//! Calls of the client that block.

use std::thread;

use tokio::sync::oneshot;

/// Makes a call that blocks on a thread of its own. Tokio's blocking pool will not do: the attempts of blocking handlers may
/// fill it, and some never return, so that a drain, a start or a question of health would wait for them.
///
/// Answers nothing if the system has no thread left, or if the call panicked.
///
/// # Cancel safety
///
/// Dropped before it is ready, the call is still made to its end.
pub(crate) async fn aside<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    let thread = thread::Builder::new().name("client call".into());
    // Nobody may wait any more.
    let spawned = thread.spawn(move || drop(answer.send(call())));
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for a call of the client; raise the limit of threads of this process");
        return None;
    }
    answered.await.ok()
}
