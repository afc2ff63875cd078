//! Kafka's framing: a length, and in a request the api key, its version, the correlation id, and the client's name.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// No request or answer of a test is larger; a larger length means that something else than Kafka is spoken.
const LARGEST: usize = 128 << 20;

/// One request or answer, with its length in front.
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
}

/// What stands at the front of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) api: i16,
    pub(crate) correlation: i32,
    pub(crate) client: String,
}

impl Frame {
    /// The next frame; none once the other side has closed.
    pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut length = [0; 4];
        if let Err(error) = from.read_exact(&mut length).await {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof => Ok(None),
                _ => Err(error),
            };
        }
        let size = usize::try_from(i32::from_be_bytes(length))
            .ok()
            .filter(|size| *size <= LARGEST)
            .ok_or_else(|| io::Error::other("this is no Kafka frame"))?;
        let mut bytes = vec![0; 4 + size];
        bytes[..4].copy_from_slice(&length);
        from.read_exact(&mut bytes[4..]).await?;
        Ok(Some(Self { bytes }))
    }

    /// The head, if the frame is a request.
    pub(crate) fn request(&self) -> Option<RequestHead> {
        let short = |at: usize| {
            Some(i16::from_be_bytes(
                self.bytes.get(at..at + 2)?.try_into().ok()?,
            ))
        };
        let client = match short(12)? {
            length @ 0.. => {
                let end = 14 + usize::try_from(length).ok()?;
                String::from_utf8_lossy(self.bytes.get(14..end)?).into_owned()
            }
            _ => String::new(),
        };
        Some(RequestHead {
            api: short(4)?,
            correlation: self.correlation(8)?,
            client,
        })
    }

    /// The correlation id, if the frame is an answer.
    pub(crate) fn answer(&self) -> Option<i32> {
        self.correlation(4)
    }

    fn correlation(&self, at: usize) -> Option<i32> {
        Some(i32::from_be_bytes(
            self.bytes.get(at..at + 4)?.try_into().ok()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn produce() -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 15, 0, 0, 0, 9, 0, 0, 1, 2, 0, 3];
        bytes.extend(b"abc\xff\xff");
        bytes
    }

    #[tokio::test]
    async fn requests_are_told_by_their_heads() {
        let mut bytes = produce();
        bytes.extend([0, 0, 0, 4, 0, 0, 1, 2]);
        let mut from = bytes.as_slice();
        let request = Frame::read(&mut from).await.unwrap().unwrap();
        let head = RequestHead {
            api: 0,
            correlation: 258,
            client: "abc".into(),
        };
        assert_eq!(request.request(), Some(head));
        assert_eq!(request.bytes, produce());
        let answer = Frame::read(&mut from).await.unwrap().unwrap();
        assert_eq!(answer.answer(), Some(258));
        assert!(Frame::read(&mut from).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_cut_short_or_no_kafka_is_an_error() {
        assert!(Frame::read(&mut &produce()[..9]).await.is_err());
        assert!(Frame::read(&mut &b"GET / HTTP/1.1"[..]).await.is_err());
    }
}
