use events_core::{event, handler};

#[event(topic = "t", key = id)]
pub struct A {
    pub id: String,
}

#[event(topic = "t", key = id)]
pub struct B {
    pub id: String,
}

#[handler]
async fn both(a: A, b: B) {
    drop((a, b));
}

fn main() {}
