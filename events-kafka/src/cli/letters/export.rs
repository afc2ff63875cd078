//! `dead-letters export`: open letters as lines of JSON.

use std::collections::BTreeMap;

use events_core::Result;

use super::arguments::Which;
use super::letter::Letter;
use super::line::Line;
use super::redrive::absent_error;
use super::survey;
use crate::cli::output::print_line;
use crate::cli::place::Place;
use crate::cli::site::Site;

pub(super) async fn export(site: &Site, which: Which) -> Result<()> {
    let (mut reader, found) = survey::open(site, which).await?;
    let letters: BTreeMap<&Place, &Letter> = found
        .open
        .iter()
        .map(|letter| (&letter.id, letter))
        .collect();
    let mut gone_away = false;
    let gone = survey::again(
        &mut reader,
        letters.keys().copied(),
        async |place, record| {
            let Some(letter) = letters.get(place).filter(|_| !gone_away) else {
                return Ok(());
            };
            gone_away = !print_line(&Line::of(record, letter))?;
            Ok(())
        },
    );
    let gone = gone.await?;
    if !gone.is_empty() {
        tracing::warn!(
            letters = gone.len(),
            "letters went while they were read: retention took them"
        );
    }
    match &*found.absent {
        [] => Ok(()),
        absent => Err(absent_error(absent)),
    }
}
