//! Questions to one broker that the client library does not ask: who coordinates the group of others, and what that very
//! broker knows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// FindCoordinator, in its oldest version.
const COORDINATOR: [u8; 4] = [0, 10, 0, 0];
/// Metadata, in the oldest version that names the controller.
const METADATA: [u8; 4] = [0, 3, 0, 1];
const CORRELATION: [u8; 4] = *b"find";
const WAIT: Duration = Duration::from_secs(10);
/// There is no such topic.
const UNKNOWN: i16 = 3;

/// Asks the broker at `address`; answers the coordinator as a number from 0.
pub(crate) fn coordinator(address: &str, group: &str) -> Result<usize> {
    let answer = ask(address, COORDINATOR, &text(group)?)?;
    let mut answer = Answer(&answer);
    let error = answer.short()?;
    ensure!(
        error == 0,
        "the coordinator of {group} is not known: error {error}"
    );
    usize::try_from(answer.long()? - 1).context("brokers are numbered from 1")
}

/// Whether the broker at `address` knows a topic.
pub(crate) fn knows(address: &str, topic: &str) -> Result<bool> {
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.extend(text(topic)?);
    let answer = ask(address, METADATA, &body)?;
    let mut answer = Answer(&answer);
    for _ in 0..answer.long()? {
        // A broker: node, host, port, rack.
        answer.take(4)?;
        answer.text()?;
        answer.take(4)?;
        answer.text()?;
    }
    // The controller, and the number of topics.
    answer.take(4 + 4)?;
    match answer.short()? {
        0 => Ok(true),
        UNKNOWN => Ok(false),
        error => bail!("what is known of {topic}: error {error}"),
    }
}

fn text(text: &str) -> Result<Vec<u8>> {
    let mut bytes = u16::try_from(text.len())?.to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    Ok(bytes)
}

/// Sends a request without a client's name; answers what stands behind the correlation id.
fn ask(address: &str, request: [u8; 4], body: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT))?;
    let mut bytes = request.to_vec();
    bytes.extend(CORRELATION);
    bytes.extend([0xff, 0xff]);
    bytes.extend(body);
    stream.write_all(&u32::try_from(bytes.len())?.to_be_bytes())?;
    stream.write_all(&bytes)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    ensure!(
        answer.starts_with(&CORRELATION),
        "this answers another question"
    );
    Ok(answer.split_off(CORRELATION.len()))
}

/// What has not been read of an answer.
struct Answer<'a>(&'a [u8]);

impl<'a> Answer<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).context("it is cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn short(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.take(2)?.try_into()?))
    }

    fn long(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.take(4)?.try_into()?))
    }

    /// A text, or none.
    fn text(&mut self) -> Result<()> {
        let length = self.short()?;
        self.take(usize::try_from(length).unwrap_or(0))?;
        Ok(())
    }
}
