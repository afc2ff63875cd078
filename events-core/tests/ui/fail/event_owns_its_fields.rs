use std::cell::RefCell;
use std::rc::Rc;

use events_core::event;

#[event(topic = "t", key = id)]
pub struct Borrowed {
    pub id: String,
    pub text: &'static str,
    pub list: Option<&'static [u8]>,
}

#[event(topic = "t", key = id)]
pub struct OnOneThread {
    pub id: String,
    pub text: Rc<str>,
    pub texts: Vec<std::rc::Rc<String>>,
    pub number: RefCell<u32>,
}

#[event(topic = "t")]
pub struct Newtype(pub Rc<str>);

fn main() {}
