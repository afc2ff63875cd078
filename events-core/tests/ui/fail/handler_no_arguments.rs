use events_core::handler;

#[handler]
async fn reserve() {}

fn main() {}
