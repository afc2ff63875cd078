//! Where the endpoint listens.

use std::net::{Ipv4Addr, SocketAddr};

/// Where the command line looks for a running service that it is not told the address of.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:9464";

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address of the status endpoint: write 127.0.0.1:9464, or :9464 for the same")]
pub struct InvalidAddress(String);

/// Reads an address. A port alone is one on loopback, so that nothing is open to the network unless it says so.
///
/// # Errors
///
/// A text that is no address.
///
/// # Examples
///
/// ```
/// use events_status::parse_address;
///
/// for text in ["127.0.0.1:9464", "localhost:9464", ":9464", "9464"] {
///     assert_eq!(parse_address(text).unwrap().to_string(), "127.0.0.1:9464");
/// }
/// assert_eq!(parse_address("0.0.0.0:9464").unwrap().to_string(), "0.0.0.0:9464");
/// assert!(parse_address("status").unwrap_err().to_string().contains("write 127.0.0.1:9464"));
/// ```
pub fn parse_address(text: &str) -> Result<SocketAddr, InvalidAddress> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text
        .strip_prefix("localhost:")
        .or_else(|| text.strip_prefix(':'))
        .unwrap_or(text);
    match port.parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => Err(InvalidAddress(text.to_owned())),
    }
}
