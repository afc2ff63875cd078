use events_core::{event, handler};

#[event(topic = "t", key = id)]
pub struct A {
    pub id: String
    pub lines: u32,
}

#[handler]
async fn first(a: A) -> A {
    a
}

#[handler]
async fn second(a: A) -> Option<A> {
    Some(a)
}

fn main() {}
