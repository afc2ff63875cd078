use events_core::command;

#[command(owner = "inventory")]
enum Reserve {
    Stock,
}

#[command(owner = "inventory")]
fn reserve() {}

fn main() {}
