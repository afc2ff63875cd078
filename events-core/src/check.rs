//! Start-up checks: all faults at once, each with its remedy (D13).

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use crate::company::cycles;
use crate::context::ServiceContext;
use crate::graph::Graph;
use crate::identity::stable_hash;
use crate::registry::Registry;
use crate::slot::Panicked;

/// A fault that keeps a service from starting, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A short, stable name of the kind of fault.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Fault {
    /// Puts a fault together. The message is one line. A remedy may have several, such as commands: names in it that come
    /// from outside are escaped by [`escape::line`](crate::escape::line) or [`escape::shell`](crate::escape::shell) before.
    pub fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            message: crate::escape::line(&message).into_owned(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    remedy: {}", self.message, self.remedy)
    }
}

/// Looks for every fault that can be known without a broker.
///
/// `context` holds the name and the state of the service that is to run.
pub fn check(registry: &Registry, context: &ServiceContext) -> Vec<Fault> {
    let mut faults = Vec::new();
    duplicate_events(registry, context, &mut faults);
    exclusive_topics(registry, &mut faults);
    ownership(registry, context, &mut faults);
    duplicate_handlers(registry, context, &mut faults);
    commands(registry, context, &mut faults);
    crate::upcast::check(registry, &mut faults);
    for handler in registry.handlers_of(context.service()) {
        let mut errors = Vec::new();
        let check = || (handler.check)(context, &mut errors);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(check)) {
            let message = format!(
                "handler `{}` ({}): preparing its arguments panicked: {:#}",
                handler.name,
                handler.location,
                Panicked::error(panic)
            );
            let remedy = "let `Extract::prepare` answer with an error that names what is missing";
            faults.push(Fault::new("missing-argument", message, remedy));
        }
        for error in errors {
            let text = format!("{error:#}");
            let (message, remedy) = text.split_once(": ").unwrap_or((&text, "see the message"));
            let message = format!(
                "handler `{}` ({}): {message}",
                handler.name, handler.location
            );
            faults.push(Fault::new("missing-argument", message, remedy));
        }
    }
    faults.extend(cycles(&Graph::of(registry)));
    faults
}

/// Of types that only other services of the binary know, these services tell.
fn duplicate_events(registry: &Registry, context: &ServiceContext, faults: &mut Vec<Fault>) {
    let elsewhere = registry.elsewhere(context.service());
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let known = registry.events.iter();
    for event in known.filter(|event| !elsewhere.contains(event)) {
        let paths = by_name.entry(event.name).or_default();
        if !paths.contains(&event.rust_path) {
            paths.push(event.rust_path);
        }
    }
    for (name, paths) in by_name {
        if paths.len() > 1 {
            faults.push(Fault::new(
                "duplicate-event",
                format!("the event type `{name}` is declared {} times: {}", paths.len(), paths.join(", ")),
                "keep one declaration in a contract crate that both use, or give one another name: #[event(name = \"…\")]",
            ));
        }
    }
}

fn exclusive_topics(registry: &Registry, faults: &mut Vec<Fault>) {
    let mut by_topic: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for event in &registry.events {
        by_topic.entry(event.topic).or_default().push(*event);
    }
    for (topic, events) in by_topic {
        let names: Vec<_> = events.iter().map(|event| event.name).collect();
        if events.len() > 1 && events.iter().any(|event| event.topic_exclusive) {
            faults.push(Fault::new(
                "exclusive-topic",
                format!(
                    "topic `{topic}` is declared to carry one event type, but carries {}",
                    names.join(", ")
                ),
                "remove `topic_exclusive`, or give the others a topic of their own",
            ));
        }
        if events.iter().filter(|event| event.topic_default).count() > 1 {
            faults.push(Fault::new(
                "topic-default",
                format!(
                    "topic `{topic}` has more than one default type among {}",
                    names.join(", ")
                ),
                "keep `topic_default` at one event type of the topic",
            ));
        }
    }
}

fn ownership(registry: &Registry, context: &ServiceContext, faults: &mut Vec<Fault>) {
    let services = registry.services();
    let service = context.service();
    for handler in &registry.handlers {
        if !services.is_empty() && registry.service_of(handler).is_none() {
            faults.push(Fault::new(
                "unclaimed-handler",
                format!("no service runs the handler `{}` ({})", handler.path(), handler.location),
                "claim its module with service!(\"…\"), or write #[handler(service = \"…\")]; the binary names services, so unclaimed handlers run nowhere",
            ));
        }
    }
    if registry.handlers_of(service).is_empty() {
        let message = format!("service `{service}` has no handlers in this binary");
        let link = "if they stand in a dependency crate, name it where `main` stands: events_kafka::link!(that_crate);";
        let remedy = if services.is_empty() {
            format!("write a #[handler]; {link}")
        } else {
            format!(
                "the binary holds handlers for {}: is one of the names misspelt? {link}",
                services.join(", ")
            )
        };
        faults.push(Fault::new("no-handlers", message, remedy));
    }
}

/// A command is handled by its owner alone.
fn commands(registry: &Registry, context: &ServiceContext, faults: &mut Vec<Fault>) {
    let service = context.service();
    for handler in registry.handlers_of(service) {
        for command in handler.takes() {
            if let Some(owner) = command.owner.filter(|owner| *owner != service) {
                faults.push(Fault::new(
                    "command-owner",
                    format!(
                        "handler `{}` ({}) of service `{service}` takes the command `{}`, which belongs to `{owner}`",
                        handler.name, handler.location, command.name
                    ),
                    format!(
                        "let `{owner}` alone handle it, or correct its `owner`; what several services react to is an event: #[event(…)]"
                    ),
                ));
            }
        }
    }
}

fn duplicate_handlers(registry: &Registry, context: &ServiceContext, faults: &mut Vec<Fault>) {
    let mut by_hash: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for handler in registry.handlers_of(context.service()) {
        let stable = format!("{}/{}", context.service(), handler.identity());
        by_hash
            .entry(stable_hash(&stable))
            .or_default()
            .push(handler);
    }
    for handlers in by_hash.into_values().filter(|handlers| handlers.len() > 1) {
        let paths: Vec<_> = handlers.iter().map(|handler| handler.path()).collect();
        faults.push(Fault::new(
            "duplicate-handler",
            format!("handlers of one service share a name or its hash: {}", paths.join(", ")),
            "give one of them another name: #[handler(name = \"…\")]; the name, or `renamed_from`, is what delivery state is kept under",
        ));
    }
}
