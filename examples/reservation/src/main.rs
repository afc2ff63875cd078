//! A command and its reply: `cargo run -p reservation`.

use std::time::Duration;

use events_kafka::{ClientOptions, Producer, Result, Runtime, command, event, handler};

/// What came of asking for a table.
#[event(topic = "tables", key = guest)]
struct TableAnswer {
    guest: String,
    table: Option<u32>,
}

/// Sets a table aside. The restaurant alone handles it.
#[command(owner = "restaurant", key = guest, reply = TableAnswer)]
struct ReserveTable {
    guest: String,
    seats: u32,
}

/// Answers by returning the reply.
#[handler]
async fn reserve_table(command: ReserveTable) -> TableAnswer {
    let table = (command.seats <= 4).then_some(7);
    let guest = command.guest;
    TableAnswer { guest, table }
}

/// The edge: who asks here wants to know at once.
async fn call(phone: &Producer, guest: &str, seats: u32) -> Result<()> {
    let desk = phone
        .sender::<ReserveTable>()
        .within(Duration::from_secs(20));
    let guest = guest.to_owned();
    let answer = desk.request(&ReserveTable { guest, seats }).await?;
    match answer.table {
        Some(table) => println!("{}: table {table}", answer.guest),
        None => println!("{}: no table is large enough", answer.guest),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let restaurant = Runtime::new("restaurant").ensure_topics(4, 1);
    let restaurant = restaurant.spawn().await?;
    let phone = Producer::connect("phone", ClientOptions::new())?;
    call(&phone, "Ada", 2).await?;
    call(&phone, "Grace", 12).await?;
    restaurant.drain().await;
    Ok(())
}
