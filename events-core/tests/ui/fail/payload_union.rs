use events_core::payload;

#[payload]
union Either {
    a: u8,
    b: i8,
}

#[payload(version = 2)]
struct Item {
    sku: String,
}

#[payload]
fn item() {}

fn main() {}
