use events_core::{Emission, Result, event, handler};

#[event(topic = "t", key = id)]
pub struct A {
    pub id: String,
}

#[event(topic = "t", key = id)]
pub struct B {
    pub id: String,
}

#[handler]
async fn any(a: A) -> Box<dyn Emission> {
    Box::new(B { id: a.id })
}

#[handler]
async fn perhaps(a: A) -> Result<Vec<Box<dyn Emission>>> {
    Ok(vec![Box::new(B { id: a.id })])
}

fn main() {}
