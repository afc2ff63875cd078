//! What is answered to which request.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use events_core::escape;
use events_runtime::Status;

use crate::client::BY;
use crate::health;
use crate::recorder;
use crate::running::{Refused, Running};
use crate::server::Services;

/// How often, and how many times, lanes are looked at that have not answered: they do within microseconds.
const LOOK: (Duration, usize) = (Duration::from_millis(2), 25);

pub(crate) fn router(services: Arc<Services>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/handlers/{service}/{handler}/pause", post(pause))
        .route("/handlers/{service}/{handler}/resume", post(resume))
        .with_state(services)
}

/// What every service says now; of a lane that does not answer, what it said last.
async fn asked(services: &Services) -> Vec<Status> {
    let services = services.all();
    services.iter().for_each(|service| service.ask());
    for _ in 0..LOOK.1 {
        if services.iter().all(|service| service.has_answered()) {
            break;
        }
        tokio::time::sleep(LOOK.0).await;
    }
    services.iter().map(|service| service.status()).collect()
}

async fn status(State(services): State<Arc<Services>>) -> Response {
    let status = asked(&services).await;
    match serde_json::to_string_pretty(&status) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn healthz(State(services): State<Arc<Services>>) -> Response {
    let status = asked(&services).await;
    let others: Vec<_> = status.iter().flat_map(health::needs_operator).collect();
    let paused: Vec<_> = status.iter().flat_map(health::paused).collect();
    let mut good = "alive".to_owned();
    for (title, lines) in [
        ("unhealthy where a restart does not help", others),
        ("paused until somebody resumes it", paused),
    ] {
        if !lines.is_empty() {
            let lines: Vec<_> = lines.iter().map(|line| escape::line(line)).collect();
            let before = if good.contains('\n') { "\n" } else { "; " };
            good += &format!("{before}{title}:\n{}", lines.join("\n"));
        }
    }
    let reasons = status.iter().flat_map(health::needs_restart).collect();
    verdict(reasons, &good)
}

async fn readyz(State(services): State<Arc<Services>>) -> Response {
    let services = services.all();
    let mut reasons = Vec::new();
    for service in &services {
        let name = service.service();
        let own = service.unready().into_iter();
        reasons.extend(own.map(|reason| format!("{name}: {reason}")));
    }
    verdict(reasons, "ready")
}

fn verdict(reasons: Vec<String>, good: &str) -> Response {
    if reasons.is_empty() {
        return format!("{good}\n").into_response();
    }
    // Keys and errors in them are text of others.
    let lines: Vec<_> = reasons.iter().map(|line| escape::line(line)).collect();
    let text = lines.join("\n") + "\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn metrics(State(services): State<Arc<Services>>) -> Response {
    // Lanes tell their meters whenever they are asked.
    asked(&services).await;
    match recorder::render() {
        Some(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        None => {
            let text = "this process has set up a metrics recorder of its own: ask that one\n";
            (StatusCode::NOT_IMPLEMENTED, text).into_response()
        }
    }
}

async fn pause(
    services: State<Arc<Services>>,
    names: Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    tell(&services, &names, &headers, "pause", |running, handler| {
        running.pause(handler)
    })
}

async fn resume(
    services: State<Arc<Services>>,
    names: Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    tell(&services, &names, &headers, "resume", |running, handler| {
        running.resume(handler)
    })
}

fn tell(
    services: &Services,
    (service, handler): &(String, String),
    headers: &HeaderMap,
    what: &'static str,
    order: impl Fn(&dyn Running, &str) -> Result<(), Refused>,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"application/json")) {
        // A web page elsewhere could make a browser send anything else without being asked.
        let text = "send the header `content-type: application/json`\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let services = services.all();
    let Some(running) = services
        .iter()
        .find(|running| running.service() == *service)
    else {
        let known: Vec<_> = services.iter().map(|running| running.service()).collect();
        let known = known.join(", ");
        let text = format!("no service `{service}` runs here; {known} does\n");
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    match order(&**running, handler) {
        Ok(()) => {
            let by = headers
                .get(BY)
                .map(|by| String::from_utf8_lossy(by.as_bytes()));
            let by = by.unwrap_or("somebody".into());
            tracing::info!(service, handler, what, %by, "a handler was told what to do");
            "done\n".into_response()
        }
        Err(refused @ Refused::Unknown(_)) => {
            (StatusCode::NOT_FOUND, format!("{refused}\n")).into_response()
        }
        Err(refused) => (StatusCode::NOT_IMPLEMENTED, format!("{refused}\n")).into_response(),
    }
}
