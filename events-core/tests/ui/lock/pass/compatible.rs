//! What is compatible passes: new optional fields, paths of the standard library, aliases, a Rust name of one's own, a
//! draft that nothing binds.
use events_core::event;

type Cents = u64;

#[event(topic = "orders", key = id, version = 2, lock = "../contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    #[event(renamed_from = "order_id")]
    pub id: std::string::String,
    pub amount_cents: Cents,
    pub coupon: std::option::Option<String>,
    #[event(default = by_phone)]
    pub channel: String,
    #[event(since = 2)]
    pub currency: Option<String>,
}

fn by_phone() -> String {
    "phone".to_owned()
}

#[event(topic = "orders", lock = "../contracts/Draft.json")]
pub struct Draft {
    pub number: u8,
}

fn main() {
    let event = <OrderPlaced as events_core::Event>::DESCRIPTOR;
    assert_eq!(event.key, ["order_id"]);
    let encoded = (event.encode_json)(r#"{"order_id":"a","amount_cents":5}"#).unwrap();
    assert_eq!(encoded.key.as_deref(), Some("a"));
    let expected = r#"{"order_id":"a","amount_cents":5,"coupon":null,"channel":"phone","currency":null}"#;
    assert_eq!(std::str::from_utf8(&encoded.value), Ok(expected));
}
