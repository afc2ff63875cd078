//! Who may ask, and how many at a time.

use std::sync::Arc;

use events_status::{Access, Answer, get, parse_address, post, register, register_with};

use crate::made::Made;

/// What is answered to a request as it is written, and nothing if the connection is closed without an answer.
async fn raw(at: std::net::SocketAddr, request: String) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_page_of_another_site_learns_nothing_and_pauses_nothing() {
    let running = Arc::new(Made::up("shop"));
    let address = parse_address("127.0.0.4:0").unwrap();
    let access = Access::new().host("shop.internal");
    let open = register_with(address, access, Arc::clone(&running) as _).unwrap();
    let at = open.address();
    let pause = |host: &str| {
        format!(
            "POST /handlers/shop/ship/pause HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"
        )
    };
    let read = |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    for path in ["/status", "/healthz", "/readyz", "/metrics"] {
        let answer = raw(at, read(path, "rebind.test")).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{path}: {answer}");
    }
    let answer = raw(at, pause("rebind.test")).await;
    assert!(
        answer.starts_with("HTTP/1.1 421 ") && answer.contains("EVENTS_STATUS_HOSTS"),
        "{answer}"
    );
    assert_eq!(*running.told.lock().unwrap(), [""; 0]);
    for host in ["localhost:9464", "127.0.0.4", "shop.internal:80"] {
        let answer = raw(at, read("/status", host)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
    }
    let answer = raw(at, pause("localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn control_can_be_off_or_ask_for_a_token() {
    let paused = async |address: &str, access: Access, token: Option<&str>| -> Answer {
        let address = parse_address(address).unwrap();
        let open = register_with(address, access, Arc::new(Made::up("shop"))).unwrap();
        let mut at = open.address();
        if at.ip().is_unspecified() {
            at.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let read = get(at, "/healthz").await.unwrap();
        assert_eq!(read.status, 200, "who may not pause may still look");
        post(at, "/handlers/shop/ship/pause", "jo", token)
            .await
            .unwrap()
    };
    let loopback = "127.0.0.5:0";
    let off = paused(loopback, Access::new().control(false), None).await;
    assert!(
        off.status == 403 && off.body.contains("EVENTS_STATUS_CONTROL"),
        "{off:?}"
    );
    let guarded = || Access::new().token("s3cret");
    for wrong in [None, Some("s3cre"), Some("")] {
        let refused = paused(loopback, guarded(), wrong).await;
        assert!(
            refused.status == 401 && refused.body.contains("EVENTS_STATUS_TOKEN"),
            "{refused:?}"
        );
    }
    assert_eq!(
        paused(loopback, guarded(), Some("s3cret")).await.status,
        200
    );
    let beyond = paused("0.0.0.0:0", Access::new(), None).await;
    assert!(
        beyond.status == 403 && beyond.body.contains("EVENTS_STATUS_TOKEN"),
        "{beyond:?}"
    );
    assert_eq!(
        paused("0.0.0.0:0", guarded(), Some("s3cret")).await.status,
        200
    );
}

#[tokio::test]
async fn half_open_requests_keep_nobody_from_an_answer() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = parse_address("127.0.0.6:0").unwrap();
    let open = register(address, Arc::new(Made::up("shop"))).unwrap();
    let at = open.address();
    let mut half = Vec::new();
    for _ in 0..300 {
        let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
        // The oldest may be closed by then.
        let _ = stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.6\r\nx: ")
            .await;
        half.push(stream);
    }
    assert_eq!(get(at, "/healthz").await.unwrap().status, 200);
    // The oldest makes room, and what is never finished is closed after a while.
    for mut stream in [half.remove(0), half.pop().unwrap()] {
        let mut rest = Vec::new();
        let closed = stream.read_to_end(&mut rest);
        let closed = tokio::time::timeout(std::time::Duration::from_secs(60), closed).await;
        assert!(closed.is_ok(), "a half-open connection stays open");
    }
}
