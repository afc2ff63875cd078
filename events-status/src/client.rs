//! Asks an endpoint: enough of HTTP for a server that is known.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes that are read of an answer.
const LARGEST: u64 = 64 << 20;

/// The header that says who wants something of a service.
pub(crate) const BY: &str = "events-by";

/// What the endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// The endpoint did not answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "no status endpoint answers at {address}: {source}; start the service with --status-address, and name the same by --address"
)]
pub struct AskError {
    address: SocketAddr,
    source: io::Error,
}

/// Asks for `path`.
///
/// # Errors
///
/// Nobody answers within ten seconds, or what answers is no such endpoint.
///
/// # Cancel safety
///
/// Cancel safe.
pub async fn get(address: SocketAddr, path: &str) -> Result<Answer, AskError> {
    ask(address, "GET", path, "").await
}

/// Tells it to do what `path` says; `by` is who wants it, and why, for its log; `token` is what the
/// endpoint asks for, if it does.
///
/// # Errors
///
/// As [`get`].
///
/// # Cancel safety
///
/// Dropping it leaves open whether it was told.
pub async fn post(
    address: SocketAddr,
    path: &str,
    by: &str,
    token: Option<&str>,
) -> Result<Answer, AskError> {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    let mut headers = format!("{BY}: {}\r\n", plain(by));
    if let Some(token) = token {
        headers += &format!("authorization: Bearer {}\r\n", plain(token));
    }
    ask(address, "POST", path, &headers).await
}

async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
) -> Result<Answer, AskError> {
    // With version 1.0 the answer ends with the connection, and no chunks need to be put together.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 0\r\n{header}\r\n"
    );
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(LARGEST).read_to_end(&mut bytes).await?;
        parse(&bytes).ok_or_else(|| io::Error::other("what answers is no status endpoint"))
    };
    let answer = tokio::time::timeout(PATIENCE, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    answer.map_err(|source| AskError { address, source })
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.lines().next()?.split(' ');
    let status = words
        .next()
        .filter(|version| version.starts_with("HTTP/1."))
        .and_then(|_| words.next()?.parse().ok())?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse(b"HTTP/1.0 503 Service Unavailable\r\na: b\r\n\r\nstuck\n").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "stuck\n"));
        assert_eq!(parse(b"SSH-2.0-OpenSSH\r\n\r\n"), None);
    }
}
