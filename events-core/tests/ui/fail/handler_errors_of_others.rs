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
async fn boxed(a: A) -> Result<B, Box<dyn std::error::Error + Send + Sync>> {
    Ok(B { id: a.id })
}

#[handler]
async fn on_one_thread(a: A) -> Result<B, Box<dyn std::error::Error>> {
    Ok(B { id: a.id })
}

#[handler]
async fn text(a: A) -> Result<B, String> {
    Ok(B { id: a.id })
}

fn main() {}
