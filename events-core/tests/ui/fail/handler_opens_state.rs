use events_core::{Result, State, event, handler};

#[event(topic = "t", key = id)]
pub struct A {
    pub id: String,
}

pub struct Db;

#[handler]
async fn opens(a: A, State(db): State<Db>) -> Result<()> {
    drop((a, db));
    Ok(())
}

fn main() {}
