//! `parked`: keys that wait, in order, for a record that failed.
//!
//! What waits stands in `<group>.parked.<topic>`, a log of facts beside each partition. It is read by the rules of the
//! lanes, from what the group has committed. Nothing is ever changed from here: an `action` fact says what is wanted, by
//! whom and why, and the lane that owns the partition acts.

mod action;
mod arguments;
mod book;
mod fact;
mod filter;
mod list;
pub(super) mod names;
#[cfg(test)]
mod samples;
mod show;
mod survey;
mod take_over;

use events_core::Result;

pub(super) use arguments::ParkedCommand;
pub(super) use survey::waiting;

use super::site::Site;
use action::{Wish, ask};

/// What is asked of whoever filters nothing.
const WHICH: &str = "say which keys: --topic, --handler, --error, --event, --key or --id";

pub(super) async fn run(site: Site, command: ParkedCommand, json: bool) -> Result<()> {
    match command {
        ParkedCommand::List { which } => list::list(&site, which, json).await,
        ParkedCommand::Show { id } => show::show(&site, &id, json).await,
        ParkedCommand::RetryNow { which, any, by } => {
            any.agree(!which.is_empty(), WHICH)?;
            // Nothing is lost by another attempt.
            ask(&site, Wish::RetryNow, which, by.now(), true, json).await
        }
        ParkedCommand::TakeOver {
            topic,
            partition,
            force,
            by,
            yes,
        } => {
            let claims = take_over::Claims {
                topic,
                partitions: partition,
                force,
            };
            take_over::take_over(&site, &claims, &by.now(), yes, json).await
        }
        ParkedCommand::SkipHead {
            which,
            any,
            by,
            yes,
        } => {
            any.agree(!which.is_empty(), WHICH)?;
            ask(&site, Wish::SkipHead, which, by.now(), yes, json).await
        }
        ParkedCommand::Discard {
            which,
            any,
            by,
            yes,
        } => {
            any.agree(!which.is_empty(), WHICH)?;
            ask(&site, Wish::Discard, which, by.now(), yes, json).await
        }
    }
}
