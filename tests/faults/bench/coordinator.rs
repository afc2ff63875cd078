//! Who coordinates a group: a question that the client library does not ask for others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// FindCoordinator, in its oldest version.
const REQUEST: [u8; 4] = [0, 10, 0, 0];
const CORRELATION: [u8; 4] = *b"find";
const WAIT: Duration = Duration::from_secs(10);

/// Asks the broker at `address`; answers the coordinator as a number from 0.
pub(crate) fn find(address: &str, group: &str) -> Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT))?;
    let length = u16::try_from(group.len())?;
    let mut body = REQUEST.to_vec();
    body.extend(CORRELATION);
    // No client's name.
    body.extend([0xff, 0xff]);
    body.extend(length.to_be_bytes());
    body.extend(group.as_bytes());
    stream.write_all(&u32::try_from(body.len())?.to_be_bytes())?;
    stream.write_all(&body)?;
    // Length, correlation id, error, node.
    let mut answer = [0; 4 + 4 + 2 + 4];
    stream.read_exact(&mut answer)?;
    let error = i16::from_be_bytes([answer[8], answer[9]]);
    ensure!(
        error == 0,
        "the coordinator of {group} is not known: error {error}"
    );
    let node = i32::from_be_bytes([answer[10], answer[11], answer[12], answer[13]]);
    usize::try_from(node - 1).context("brokers are numbered from 1")
}
