//! What handlers may take and return, beside the plain forms.

#![deny(warnings)]

use std::collections::VecDeque;
use std::sync::Arc;

use events_core::{Emission, Meta, OneOf, State, event, handler};

pub trait Repository: Send + Sync {
    fn find(&self, id: &str) -> String;
}

#[event(topic = "t", key = id)]
pub struct Asked {
    pub id: Arc<str>,
}

#[event(topic = "t", key = id)]
pub struct Answered {
    pub id: String,
}

pub mod lights {
    #[events_core::event(topic = "t", key = id)]
    pub struct State {
        pub id: String,
    }

    #[events_core::event(topic = "t", key = id)]
    pub struct Meta {
        pub id: String,
    }
}

#[handler]
async fn find(asked: Asked, repository: State<dyn Repository>) -> Answered {
    Answered { id: repository.find(&asked.id) }
}

#[handler]
async fn destructured(Asked { id }: Asked, repository: State<dyn Repository>) -> Answered {
    Answered { id: repository.find(&id) }
}

#[handler]
async fn switch(state: lights::State) {
    drop(state.id);
}

#[handler]
async fn tell(event: lights::Meta, meta: Meta) -> Box<Answered> {
    Box::new(Answered { id: event.id + &meta.id })
}

#[derive(OneOf)]
pub enum Taken {
    Asked(Box<Asked>),
    Answered(Answered),
}

#[derive(Emission)]
pub enum Returned {
    Answered(Box<Answered>),
    Two([Answered; 2]),
}

#[handler]
async fn either(taken: Taken) -> events_core::Result<VecDeque<Returned>> {
    let id = match taken {
        Taken::Asked(asked) => asked.id.to_string(),
        Taken::Answered(answered) => answered.id,
    };
    let two = [Answered { id: id.clone() }, Answered { id: id.clone() }];
    Ok([Returned::Two(two), Returned::Answered(Box::new(Answered { id }))].into())
}

fn main() {
    assert_eq!(events_core::Registry::linked().handlers.len(), 5);
}
