//! The quick start: `cargo run -p hello`.

use events_kafka::{ClientOptions, Producer, Result, Runtime, event, handler};

/// Somebody came in.
#[event(topic = "guests", key = name)]
struct GuestArrived {
    name: String,
}

/// Greets who came in.
#[handler]
async fn greet(guest: GuestArrived) {
    println!("Hello, {}! (ctrl-c ends this)", guest.name);
}

#[tokio::main]
async fn main() -> Result<()> {
    let door = Producer::connect("door", ClientOptions::new())?;
    door.publish(&GuestArrived { name: "Ada".into() }).await?;
    Runtime::new("hello").run_from_args().await
}
