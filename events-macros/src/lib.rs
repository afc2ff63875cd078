//! `#[event]`, `#[command]`, `#[handler]` and their kin: the macros of `events-core`.
//!
//! Use them through `events_core` or `events_kafka`, which re-export them. Every macro goes the same way: its
//! attribute (`attr`) and item become a model (`model`), the model is checked (`check`), and a checked model is
//! expanded (`expand`). All errors are reported at once, and the user's item is emitted beside them.

#![forbid(unsafe_code)]

mod event;
mod handler;
mod payload;
mod upcast;
mod variants;

mod attributes;
mod derives;
mod duration;
mod errors;
mod instant;
mod krate;
mod name;
mod options;
mod wire;

use proc_macro::TokenStream;

/// Makes a struct an event type.
///
/// The struct has named fields, no fields, or is a newtype: `struct Renamed(pub Name);`. It needs no `serde`: the
/// attribute derives `Serialize`, `Deserialize` and `JsonSchema` through `events_core`. Types that stand in its fields
/// get the same from [`payload`](macro@payload). `#[serde(…)]` attributes may follow it, for example `rename_all`.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `topic = "orders"` | the topic that it is published to; required |
/// | `key = order_id`, `key = (tenant, order_id)`, `key = 0` | the fields that make the record key; without it there is no order |
/// | `version = 2` | the version that this build writes; the first is 1 |
/// | `name = "OrderPlaced"` | the name on the wire; the type's name by default |
/// | `renamed_from = "OrderPlaced"` | the same for a type that was released under that name: the wire, and the contract lock, keep it |
/// | `topic_default` | a record of the topic that names no type is of this one |
/// | `topic_exclusive` | the topic carries this type alone |
/// | `codec = path` | how the payload is encoded; JSON by default |
/// | `deprecated = "use OrderAccepted"` | what to use instead: the compiler warns at each handler that takes it, and wherever else it is named |
/// | `lock = "../contracts/OrderPlaced.json"` | where the contract file is, from the file that says so; without it `contracts/` of the crate, or of a directory above it in its workspace |
/// | `crate = path` | where `events_core` is found, if neither it nor `events_kafka` is a dependency |
///
/// On a field:
///
/// | option | meaning |
/// |---|---|
/// | `#[event(since = 2)]` | the field came with this version: an `Option`, or a field with a default |
/// | `#[event(since = 2, upcast)]` | the same for a field that must be there: an upcaster fills it in older records |
/// | `#[event(default)]`, `#[event(default = path)]` | the value where a record lacks the field |
/// | `#[event(name = "orderId")]` | its name on the wire, which must not change once it is released |
/// | `#[event(renamed_from = "order_id")]` | the same for a field that was released under that name: the wire keeps it |
///
/// # Contracts
///
/// If there is a contract file of the event, its fields are compared with every version that was released: what is
/// removed, renamed, of another type, newly required, or changed without a new version is an error at the field. Types
/// are compared as they are written, and only those of the standard library; the rest is for full schemas to tell.
/// `EVENTS_CONTRACTS=off` in the environment of the compiler switches the comparison off.
#[proc_macro_attribute]
pub fn event(options: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(event::Kind::Event, options.into(), item.into()).into()
}

/// Makes a struct a command: an imperative, sent to the one service that owns it.
///
/// It is an event on the wire, and takes all options of [`event`](macro@event), on its fields as `#[command(…)]`. Events
/// are published, and any number of services handle them; a command is sent, and its owner alone handles it: a handler
/// elsewhere is a start-up fault.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `owner = "inventory"` | the one service that handles it; required |
/// | `topic = "inventory.reserve-stock"` | its topic; if absent the owner's name, a point, and the command's name in small letters with hyphens |
/// | `reply = StockReply` | the event that its handler answers with, for who sends it and waits: `request` |
/// | all others | those of [`event`](macro@event) |
#[proc_macro_attribute]
pub fn command(options: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(event::Kind::Command, options.into(), item.into()).into()
}

/// Makes a struct or an enum fit to stand in a field of an event: derives `Serialize`, `Deserialize` and `JsonSchema`
/// through `events_core`, so that a contract crate needs no `serde`.
///
/// `#[event(other)]` on the last variant of an enum, one without fields, makes it the catch-all: a variant that a later
/// version adds is read as that one, whatever it holds. So variants can be added; but only an enum that was released with
/// its catch-all can grow. Written, the catch-all is a variant like others.
///
/// ```ignore
/// #[payload]
/// pub enum Channel {
///     Web,
///     Shop { till: u16 },
///     #[event(other)]
///     Unknown,
/// }
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `crate = path` | where `events_core` is found, if neither it nor `events_kafka` is a dependency |
#[proc_macro_attribute]
pub fn payload(options: TokenStream, item: TokenStream) -> TokenStream {
    payload::expand(options.into(), item.into()).into()
}

/// Makes a function a handler of the event that its first argument names.
///
/// A handler's error is `Result`'s own, or any type that implements `std::error::Error`.
///
/// Its further arguments are what a record can give: `State<T>`, `Meta`, `Publisher`, `Cancellation`, or types that
/// implement `Extract`. What it returns is published. An `async fn` runs in place; one that blocks its thread is a
/// plain `fn` with the option `blocking`.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "reserve"` | the name that delivery state is kept under; the function's by default |
/// | `renamed_from = "reserve"` | the name that it had first: its progress, parked keys, dead letters and the ids of its emissions stay under that |
/// | `service = "inventory"` | the service that runs it, whatever module it stands in |
/// | `group = "inventory-audit"` | a consumer group of its own |
/// | `start = "earliest"`, `"latest"`, `"2024-01-31T00:00:00Z"`, or milliseconds since 1970 | where that group starts |
/// | `concurrency = 64` | how many keys of one partition it works on at once |
/// | `retry(attempts = 5, backoff = "50ms..1s")` | attempts in all, and the shortest and longest wait |
/// | `park(backoff = "1m..1h", max_age = "1d")`, or `park = "off"` | how a key waits whose record failed every attempt, and for how long at most |
/// | `exhausted = "dead_letter"`, `"block"` | what becomes of a record after that: the dead letters, or its key waits for ever |
/// | `ordering = "key"`, `"none"` | whether records of one key run one behind the other |
/// | `timeout = "30s"` | the longest time of one attempt |
/// | `dedupe = false` | records are not told apart by `(source, id)` |
/// | `allow_cycle = "OrderPlaced"`, `("A", "B")` | event types over which it may close a cycle |
/// | `emits(Audited, Billed)` | further event types, published by `Publisher` |
/// | `blocking` | a plain `fn` that runs on the blocking pool |
/// | `crate = path` | where `events_core` is found, if neither it nor `events_kafka` is a dependency |
#[proc_macro_attribute]
pub fn handler(options: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(options.into(), item.into()).into()
}

/// Makes a function an upcaster: it makes a payload of an earlier version of an event one of a later version.
///
/// It takes the earlier payload and returns the event itself, or a `Result` of it: a type with [`payload`](macro@payload)
/// that looks as the event did then, or raw JSON, `serde_json::Value`. Every record of that version is read through it
/// before a handler sees it. In a chain the steps before the last return what the next one takes, and name the event.
///
/// ```ignore
/// #[upcast(from = 1, event = OrderPlaced)]
/// fn v1_to_v2(old: OrderPlacedV1) -> OrderPlacedV2 { todo!() }
///
/// #[upcast(from = 2)]
/// fn v2_to_v3(old: OrderPlacedV2) -> Result<OrderPlaced> { todo!() }
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `from = 1` | the version that it takes; required |
/// | `to = 3` | the version that it makes of it; without it the event's own if that is what it returns, else the next |
/// | `event = OrderPlaced` | the event, if the function does not return it |
/// | `crate = path` | where `events_core` is found, if neither it nor `events_kafka` is a dependency |
#[proc_macro_attribute]
pub fn upcast(options: TokenStream, item: TokenStream) -> TokenStream {
    upcast::expand(options.into(), item.into()).into()
}

/// Lets a handler return one of several: an enum whose variants hold one event (or anything else that can be
/// returned), or nothing.
///
/// ```ignore
/// #[derive(Emission)]
/// enum Answer {
///     Reserved(StockReserved),
///     #[emission(failure)]
///     Refused(StockRefused),
/// }
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `#[emission(failure)]` on a variant | its event tells of a failure that somebody has to make good: the graph shows it as one, and the company's check finds it where nobody handles it. Of a tuple or another enum, all events that the variant can hold do |
/// | `#[emission(crate = path)]` on the enum | where `events_core` is found, if neither it nor `events_kafka` is a dependency |
#[proc_macro_derive(Emission, attributes(emission))]
pub fn emission(item: TokenStream) -> TokenStream {
    variants::expand(variants::Kind::Emission, item.into()).into()
}

/// Lets a handler take one of several events: an enum whose variants hold one event each.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `#[one_of(crate = path)]` on the enum | where `events_core` is found, if neither it nor `events_kafka` is a dependency |
#[proc_macro_derive(OneOf, attributes(one_of))]
pub fn one_of(item: TokenStream) -> TokenStream {
    variants::expand(variants::Kind::OneOf, item.into()).into()
}
