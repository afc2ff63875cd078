//! Who may ask the endpoint, and for what.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Who may ask the endpoint, and for what.
///
/// By default everybody may read who reaches the address, and control is open on loopback alone. A request must name the
/// endpoint by an IP address, `localhost` or an allowed name: a web page of another site reaches loopback by a name of its own
/// (DNS rebinding). On an address beyond loopback this is not asked of `/healthz`, `/readyz` and `/metrics`, which
/// orchestrators and collectors call by names of theirs.
///
/// # Examples
///
/// ```
/// use events_status::Access;
///
/// let access = Access::new().token("s3cret").host("inventory.internal");
/// # let _ = access;
/// ```
#[derive(Clone)]
pub struct Access {
    hosts: Vec<String>,
    token: Option<String>,
    control: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self::new()
    }
}

/// The token is left out.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("hosts", &self.hosts)
            .field("token", &self.token.as_ref().map(|_| "[redacted]"))
            .field("control", &self.control)
            .finish()
    }
}

impl Access {
    /// The default.
    pub fn new() -> Self {
        Self {
            hosts: Vec::new(),
            token: None,
            control: true,
        }
    }

    /// Allows requests that name the endpoint by `host`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Asks requests that pause and resume handlers for `authorization: Bearer <token>`. With it they are taken beyond
    /// loopback too.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Whether handlers may be paused and resumed at all.
    #[must_use]
    pub fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// Whether a request that names the endpoint as `authority` may be meant for it.
    fn knows(&self, authority: &str) -> bool {
        let host = host(authority);
        host.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.hosts.contains(&host)
    }

    /// Why control is refused, if it is.
    fn refusal(&self, at: SocketAddr, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        if !self.control {
            let text = "control is off: EVENTS_STATUS_CONTROL or .status_access(…) has it so\n";
            return Some((StatusCode::FORBIDDEN, text));
        }
        match &self.token {
            Some(token) => {
                let given = headers.get(header::AUTHORIZATION);
                let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
                let right = given.is_some_and(|given| is_same(given, token.as_bytes()));
                let text = "send the header `authorization: Bearer <token>`; the command line reads EVENTS_STATUS_TOKEN\n";
                (!right).then_some((StatusCode::UNAUTHORIZED, text))
            }
            None if at.ip().is_loopback() => None,
            None => {
                let text = "beyond loopback control needs a token: start the service with EVENTS_STATUS_TOKEN\n";
                Some((StatusCode::FORBIDDEN, text))
            }
        }
    }
}

/// The host of `host:port`, in small letters, without the brackets of IPv6.
fn host(authority: &str) -> String {
    let host = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if port.is_empty() || port.starts_with(':') => host,
            _ => authority,
        },
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Compares all bytes, however early they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differing == 0
}

/// The address that the endpoint listens on, and its rules.
pub(crate) struct Guard {
    pub(crate) at: SocketAddr,
    pub(crate) access: Access,
}

/// Refuses what may not be asked.
pub(crate) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let Guard { at, access } = &*guard;
    let public = ["/healthz", "/readyz", "/metrics"].contains(&request.uri().path());
    // A browser always says whom it means; HTTP/1.0 need not.
    let named = request.headers().get(header::HOST);
    let named = named.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let named = named.or_else(|| request.uri().authority().map(ToString::to_string));
    let open = public && !at.ip().is_loopback();
    if !open && named.is_some_and(|named| !access.knows(&named)) {
        let text = "this host is not known here: ask by the IP address or localhost, or allow the name by EVENTS_STATUS_HOSTS\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    if request.method() == Method::POST
        && let Some(refusal) = access.refusal(*at, request.headers())
    {
        return refusal.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_site_is_not_known() {
        let access = Access::new().host("Shop.internal");
        for known in [
            "127.0.0.1:9464",
            "10.0.0.7",
            "[::1]:9464",
            "localhost",
            "LOCALHOST:9464",
            "a.localhost:1",
            "shop.internal.:9464",
        ] {
            assert!(access.knows(known), "{known}");
        }
        for unknown in [
            "rebind.test",
            "rebind.test:9464",
            "127.0.0.1.rebind.test",
            "localhost.rebind.test",
            "",
            "[::1].rebind.test:80",
        ] {
            assert!(!access.knows(unknown), "{unknown}");
        }
    }

    #[test]
    fn a_token_is_compared_as_a_whole_and_never_shown() {
        assert!(is_same(b"abc", b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!is_same(other, b"abc"));
        }
        assert!(!format!("{:?}", Access::new().token("s3cret")).contains("s3cret"));
    }
}
