use events_core::service;

service!(payments);

fn main() {}
