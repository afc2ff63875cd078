//! The mutants: each breaks one rule of delivery in the sources.

/// A build that breaks one rule.
pub(super) struct Mutant {
    pub(super) name: &'static str,
    /// The rule, as it is broken.
    pub(super) about: &'static str,
    pub(super) edits: &'static [Edit],
    /// The scenarios that must see it; one is enough.
    pub(super) scenarios: &'static [&'static str],
}

/// What stands once in a file, and what takes its place.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) find: &'static str,
    pub(super) replace: &'static str,
}

macro_rules! mutants {
    ($($name:literal $about:literal in [$($scenario:literal)+] { $($file:literal: $find:literal => $replace:literal;)+ })+) => {
        &[$(Mutant {
            name: $name,
            about: $about,
            scenarios: &[$($scenario),+],
            edits: &[$(Edit { file: $file, find: $find, replace: $replace }),+],
        }),+]
    };
}

pub(super) const ALL: &[Mutant] = mutants! {
    "bump-the-epoch-before-the-drain" "what ends while a lane drains reaches nobody" in ["rolling"] {
        "events-runtime/src/lane.rs":
            "self.slots.stop();"
            => "self.slots.stop(); if self.failed.is_none() { self.publish_position(); self.failed = Some(String::new()); }";
        "events-runtime/src/lane.rs":
            "            position: self.position(),\n            abandoned," => "            position: self.published_position.take(),\n            abandoned,";
    }
    "ignore-the-claims-token" "what a zombie appends to the parked log counts" in ["zombie-parked"] {
        "events-runtime/src/parking/ledger/claims.rs":
            "Some((_, claim)) if claim.token == token => Ok(())," => "Some((_, claim)) if claim.token == token || self.position > i64::MIN => Ok(()),";
    }
    "redrive-twice" "a letter that is redriven a second time is handled a second time" in ["redrive-kill"] {
        "events-runtime/src/parking/reading.rs":
            "Identity::Redrive(id.into())" => "Identity::Redrive(format!(\"{id} {}\", record.offset()).into())";
    }
    "release-a-parked-key-early" "a key is released while records of it are parked" in ["parked"] {
        "events-runtime/src/parking/lot.rs":
            "!ledger.has_open(*pair) && !parked.with(|pairs| pairs.release(*pair, position))"
            => "ledger.position() == i64::MIN || !parked.with(|pairs| pairs.release(*pair, position))";
    }
    "dispatch-before-the-claim" "records are taken from the source before the parked log is claimed and read" in ["parked"] {
        "events-runtime/src/lane/intake.rs":
            "            || self.lot.as_ref().is_some_and(Lot::is_closed)\n" => "            || self.lot.as_ref().is_some_and(|lot| lot.is_closed() && !lot.is_claiming())\n";
    }
    "park-nothing-behind" "later records of a parked key do not wait behind it" in ["parked"] {
        "events-runtime/src/driver/park.rs":
            "parked.any() && parked.is_parked(pair))" => "parked.any() && parked.is_parked(pair) && self.lane.parked.is_none())";
    }
    "forget-what-is-parked" "the parked log is read from behind the records that wait in it" in ["parked"] {
        "events-runtime/src/parking/ledger/hint.rs":
            "self.open.keys().next().copied().unwrap_or(self.position)" => "self.position";
    }
    "forget-the-commit-at-revoke" "what was drained is not committed" in ["rolling"] {
        "events-kafka/src/rebalance.rs":
            "commit(consumer, &revoked.positions, CommitMode::Async);" => "let _ = (&revoked.positions, CommitMode::Async);";
    }
    "change-the-ids" "an emission's id is drawn" in ["sigkill"] {
        "events-core/src/identity.rs":
            "Uuid::new_v5(&EMISSIONS, scratch)" => "{ let _ = EMISSIONS; Uuid::now_v7() }";
    }
    "commit-the-highest-seen" "the watermark is the end of what was received" in ["produce-cut"] {
        "events-runtime/src/ring.rs":
            ".map_or(self.next_offset, |entry| entry.offset)" => ".map_or(self.next_offset, |_| self.next_offset)";
    }
    "skip-the-drain" "revoked partitions are cancelled" in ["rolling"] {
        "events-runtime/src/group.rs":
            "self.stop(partitions, Control::Drain, deadline).await" => "self.stop(partitions, Control::Cancel, deadline).await";
    }
    "forget-the-ack" "a record is done once its emissions are enqueued" in ["produce-cut"] {
        "events-runtime/src/outbox.rs":
            "failpoints::reached(after, &self.lane.partition, offset);"
            => "failpoints::reached(after, &self.lane.partition, offset); if let (Kind::Emissions, Some(batch)) = (sending.kind, &self.batches[sending.batch]) { done.push((batch.work.seq, batch.handler)); }";
        "events-runtime/src/outbox.rs":
            "        done.push((batch.work.seq, batch.handler));\n        if let (Kind::Append"
            => "        if sending.kind != Kind::Emissions { done.push((batch.work.seq, batch.handler)); }\n        if let (Kind::Append";
    }
    "ignore-the-done-map" "what the committed map says is done is run again" in ["sigkill"] {
        "events-runtime/src/lane/intake.rs":
            "if offset < *end => map.is_done(plan.hash, offset)," => "if offset < *end => map.is_done(plan.hash, i64::MIN),";
    }
    "lose-dedupe" "an id that is known is handled again" in ["produce-cut"] {
        "events-runtime/src/dedupe.rs":
            "return known.is_some();" => "return false;";
    }
    "reorder-a-key" "records of a key go to any slot" in ["produce-cut"] {
        "events-runtime/src/lane/intake.rs":
            "let key = record.key().map_or_else(alone, key_hash::of_key);" => "let key = record.key().map_or_else(alone, |_| alone());";
    }
    "overtake-a-failed-key" "later records of a key that backs off go on" in ["poison"] {
        "events-runtime/src/held.rs":
            "if work.attempt > 1 && work.record.parked().is_none() {" => "if work.attempt > 0 {";
    }
    "drop-dead-letters" "a record that is given up counts as done without its letter" in ["poison"] {
        "events-runtime/src/driver/outcome.rs":
            "        self.published.push(Published {\n            work,\n            records: records.into_iter().collect(),\n            kind: Kind::DeadLetter,\n            given_up,\n        });"
            => "        let (seq, lined_up) = (work.seq, work.lined_up);\n        self.done.push(Done { seq, lined_up });\n        let _ = (records, Kind::DeadLetter, given_up);";
    }
    "drop-refused-letters" "a letter that its topic refuses counts as written" in ["refused"] {
        "events-runtime/src/outbox/refusal.rs":
            "            match number {\n                // Others may be under way before it and behind it: they go out again in their order.\n                Some(number) => self.lost.push((number, sending)),\n                None => self.unsent.push_front(sending),\n            }"
            => "            let _ = number;\n            self.settled(sending, None, done);";
    }
    "produce-twice" "the producers are not idempotent" in ["produce-cut"] {
        "events-kafka/src/options/profile.rs":
            "config.set(\"enable.idempotence\", \"true\");" => "config.set(\"enable.idempotence\", \"false\");";
    }
    "start-elsewhere" "an offset that is not there is reset" in ["truncated"] {
        "events-kafka/src/options/profile.rs":
            "config.set(\"auto.offset.reset\", \"error\");" => "config.set(\"auto.offset.reset\", \"earliest\");";
    }
};
