//! A produce request by hand: for records that no client library would write, such as header names that are not UTF-8.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Key, value and headers of a record; null where there is none.
pub(crate) struct RawRecord<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// The oldest version of the request that Apache Kafka 4 takes.
const PRODUCE: (i16, i16) = (0, 3);
const CORRELATION: i32 = 7;
const WAIT: Duration = Duration::from_secs(10);

/// Writes one record and answers its offset.
pub(crate) fn produce(
    address: &str,
    topic: &str,
    partition: i32,
    record: &RawRecord<'_>,
) -> Result<i64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.write_all(&request(topic, partition, &batch(record)))?;
    // Length, correlation id, one topic with its name, one partition with its number, then the error and the offset.
    let mut answer = vec![0; 4 + 4 + 4 + 2 + topic.len() + 4 + 4 + 2 + 8];
    stream.read_exact(&mut answer)?;
    let tail = &answer[answer.len() - 10..];
    let error = i16::from_be_bytes([tail[0], tail[1]]);
    assert_eq!(error, 0, "the cluster refuses the record with code {error}");
    let mut offset = [0; 8];
    offset.copy_from_slice(&tail[2..]);
    Ok(i64::from_be_bytes(offset))
}

fn request(topic: &str, partition: i32, batch: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(PRODUCE.0.to_be_bytes());
    body.extend(PRODUCE.1.to_be_bytes());
    body.extend(CORRELATION.to_be_bytes());
    // No client id, no transaction, all acknowledgements, time to wait for them.
    body.extend((-1i16).to_be_bytes());
    body.extend((-1i16).to_be_bytes());
    body.extend((-1i16).to_be_bytes());
    body.extend(10_000i32.to_be_bytes());
    body.extend(1i32.to_be_bytes());
    body.extend((topic.len() as i16).to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend(1i32.to_be_bytes());
    body.extend(partition.to_be_bytes());
    body.extend((batch.len() as i32).to_be_bytes());
    body.extend(batch);
    let mut request = (body.len() as i32).to_be_bytes().to_vec();
    request.extend(body);
    request
}

/// A record batch, format 2, with one record.
fn batch(record: &RawRecord<'_>) -> Vec<u8> {
    let mut fields = vec![0]; // attributes
    varint(&mut fields, 0); // time, from the batch's
    varint(&mut fields, 0); // offset, from the batch's
    bytes(&mut fields, record.key);
    bytes(&mut fields, record.value);
    varint(&mut fields, record.headers.len() as i64);
    for (name, value) in record.headers {
        bytes(&mut fields, Some(name));
        bytes(&mut fields, *value);
    }
    let mut checked = Vec::new();
    checked.extend(0i16.to_be_bytes()); // attributes: uncompressed, time by the client
    checked.extend(0i32.to_be_bytes()); // the last record's offset in the batch
    checked.extend(1_700_000_000_000i64.to_be_bytes());
    checked.extend(1_700_000_000_000i64.to_be_bytes());
    checked.extend((-1i64).to_be_bytes()); // no idempotent producer
    checked.extend((-1i16).to_be_bytes());
    checked.extend((-1i32).to_be_bytes());
    checked.extend(1i32.to_be_bytes());
    varint(&mut checked, fields.len() as i64);
    checked.extend(fields);
    let mut batch = 0i64.to_be_bytes().to_vec();
    batch.extend((4 + 1 + 4 + checked.len() as i32).to_be_bytes());
    batch.extend((-1i32).to_be_bytes()); // leader epoch
    batch.push(2);
    batch.extend(crc32c(&checked).to_be_bytes());
    batch.extend(checked);
    batch
}

fn bytes(into: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else {
        return varint(into, -1);
    };
    varint(into, bytes.len() as i64);
    into.extend(bytes);
}

fn varint(into: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        into.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, byte)
}
