//! `dead-letters`: puts right what was given up.
//!
//! The letters of a group stand in `<group>.dead-letters`. Nothing there is ever changed: what becomes of a letter is a
//! further record in the same topic, a *resolution*, with the letter's key and the headers `dl_fact = resolution`, `dl_of`
//! (the letter), `dl_resolution`, `dl_actor`, `dl_reason`, `dl_time`. A letter is open until it is `redriven` or
//! `discarded`; `edited` carries a payload that takes the place of the letter's own.
//!
//! A redrive is an `action` fact in the parked log of the partition that the record came from; the lane that owns it acts.
//! Letters of Spring Kafka and Kafka Connect are read where they are; their resolutions go to the group's own dead letters.

mod action;
mod arguments;
mod book;
mod dialect;
mod discard;
mod edit;
mod export;
mod filter;
mod import;
mod letter;
mod line;
mod list;
mod meanwhile;
mod names;
mod pipeline;
mod plan;
mod redrive;
mod resolution;
mod room;
#[cfg(test)]
pub(super) mod samples;
mod show;
mod survey;

use events_core::Result;

pub(super) use arguments::LettersCommand;

use super::site::Site;
use redrive::Way;

/// What is asked of whoever filters nothing.
const WHICH: &str =
    "say which letters: --handler, --error, --event, --key, --since, --until or --id";

pub(super) async fn run(site: Site, command: LettersCommand, json: bool) -> Result<()> {
    match command {
        LettersCommand::List { which, each } => list::list(&site, which, each, json).await,
        LettersCommand::Show { id } => show::show(&site, &id, json).await,
        LettersCommand::Redrive {
            which,
            any,
            by,
            dry_run,
            rate,
            max,
        } => {
            any.agree(!which.filter.is_empty(), WHICH)?;
            let way = Way { dry_run, rate, max };
            redrive::redrive(&site, which, by.now(), way, json).await
        }
        LettersCommand::Discard {
            which,
            any,
            by,
            yes,
        } => {
            any.agree(!which.filter.is_empty(), WHICH)?;
            discard::discard(&site, which, by.now(), yes, json).await
        }
        LettersCommand::Edit { id, handler, by } => {
            edit::edit(&site, id, handler.as_deref(), by.now(), json).await
        }
        LettersCommand::Export { which } => export::export(&site, which).await,
        LettersCommand::Import { file, topic, by } => {
            import::import(&site, &file, topic, by.now(), json).await
        }
    }
}
