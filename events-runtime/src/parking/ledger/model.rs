//! A model of lanes that come, go, are killed and live on as zombies over one parked log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::parking::shared::Pairs;

const HANDLER: u32 = 1;
const RECORDS: i64 = 40;
const KEYS: u64 = 3;

/// A record of the source: how often its topic was made anew before, and its offset.
type Source = (u64, i64);

/// What all lanes share.
#[derive(Default)]
struct World {
    log: Vec<Fact<Source>>,
    /// How often the source was deleted and made anew.
    anew: u64,
    /// Watermark, hint, and the claim in force there.
    committed: (i64, i64, Option<Claim>),
    generation: i64,
    lanes: u64,
    /// How often the group was deleted, and its generations began again.
    groups: u64,
    /// First successes, in order.
    succeeded: Vec<Source>,
}

struct Sent {
    fact: Fact<Source>,
    /// Where it was written; none if it was lost.
    written: Option<i64>,
}

struct Lane {
    ledger: Ledger<Source>,
    /// The source that it reads: another may have its name by now.
    source: u64,
    pairs: Pairs,
    token: Token,
    generation: i64,
    next: i64,
    done: BTreeSet<i64>,
    start: i64,
    unsent: VecDeque<Fact<Source>>,
    sent: VecDeque<Sent>,
    alive: usize,
}

fn pair_of(origin: i64) -> Pair {
    Pair {
        handler: HANDLER,
        key: origin as u64 * 7 / 3 % KEYS,
    }
}

fn item(source: u64, origin: i64) -> Item<Source> {
    Item {
        identity: Identity::Origin(HANDLER, origin, source),
        pair: pair_of(origin),
        redriven: None,
        runnable: true,
        attempts: 1,
        next: 0,
        error: None,
        size: 1,
        payload: (source, origin),
    }
}

impl World {
    fn succeed(&mut self, record: Source) {
        if self.succeeded.contains(&record) {
            return;
        }
        let (source, origin) = record;
        // Of a source that is gone, what was not parked is gone too.
        for earlier in (0..origin).filter(|_| source == self.anew) {
            if pair_of(earlier) == pair_of(origin) {
                assert!(
                    self.succeeded.contains(&(source, earlier)),
                    "{origin} overtakes {earlier}: {:?}\n{:#?}",
                    self.succeeded,
                    self.log
                );
            }
        }
        self.succeeded.push(record);
    }

    /// The source is deleted and made anew, and with it what was committed for it; the parked log is not.
    fn make_anew(&mut self) {
        self.anew += 1;
        self.committed.0 = 0;
    }

    fn lane(&mut self) -> Lane {
        self.generation += 1;
        self.lanes += 1;
        let (watermark, hint, claim) = self.committed.clone();
        let token = format!("t{}", self.lanes);
        let claimed = Claim {
            generation: number_after(claim.as_ref(), self.generation),
            token: token.clone(),
        };
        Lane {
            ledger: Ledger::new(hint, claim, token.clone(), Bounds::per_pair(1_000))
                .resumed_at(watermark),
            pairs: Pairs::default(),
            source: self.anew,
            token,
            generation: self.generation,
            next: watermark,
            done: BTreeSet::new(),
            start: watermark,
            unsent: VecDeque::from([Fact::Claim(claimed)]),
            sent: VecDeque::new(),
            alive: usize::MAX,
        }
    }
}

impl Lane {
    fn watermark(&self) -> i64 {
        (self.start..)
            .find(|offset| !self.done.contains(offset))
            .unwrap_or(self.start)
    }

    fn owns(&self) -> bool {
        *self.ledger.standing() == Standing::Owner
    }

    fn read(&mut self, world: &World) {
        let position = self.ledger.position();
        if let Some(fact) = world.log.get(position as usize)
            && let Ok(Some(pair)) = self.ledger.read(position, fact.clone())
        {
            self.pairs.park(pair);
        }
        self.release();
    }

    /// The coordinator takes it for the owner, which it does for no zombie.
    fn confirm(&mut self) {
        if let Some(generation) = self.ledger.overrule(self.generation) {
            let token = self.token.clone();
            let claim = Claim { generation, token };
            self.unsent.push_back(Fact::Claim(claim));
        }
    }

    fn release(&mut self) {
        for key in 0..KEYS {
            let pair = Pair {
                handler: HANDLER,
                key,
            };
            if !self.ledger.has_open(pair) {
                self.pairs.release(pair, self.ledger.position());
            }
        }
    }

    /// The next record of the source.
    fn take(&mut self, world: &mut World, fails: bool) {
        let origin = self.next;
        if !self.owns() || origin >= RECORDS || self.source != world.anew {
            return;
        }
        self.next += 1;
        let pair = pair_of(origin);
        if self.ledger.copy(HANDLER, origin, || self.source) == Copy::Same {
            self.done.insert(origin);
        } else if self.pairs.is_parked(pair) || fails {
            self.pairs.append(pair, origin);
            self.unsent
                .push_back(Fact::Parked(self.token.clone(), item(self.source, origin)));
        } else {
            world.succeed((self.source, origin));
            self.done.insert(origin);
        }
    }

    /// An attempt at a parked record.
    fn attempt(&mut self, world: &mut World, fails: bool) {
        if !self.owns() {
            return;
        }
        let (pairs, position) = (&mut self.pairs, self.ledger.position());
        let due = self.ledger.take_due(0, |pair, place| {
            pairs.may_be_overtaken(pair, place, position)
        });
        let Some(at) = due else {
            return;
        };
        let token = self.token.clone();
        let open = self.ledger.get(at).expect("a due record is open");
        let (attempts, record) = (open.attempts + 1, open.payload);
        self.unsent.push_back(if fails {
            Fact::Failed {
                token,
                at,
                attempts,
                next: 0,
                error: String::new(),
            }
        } else {
            world.succeed(record);
            Fact::Done { token, at }
        });
    }

    fn send(&mut self, world: &mut World) {
        if let Some(fact) = self.unsent.pop_front() {
            world.log.push(fact.clone());
            let written = Some(world.log.len() as i64 - 1);
            self.sent.push_back(Sent { fact, written });
        }
    }

    fn acknowledge(&mut self) {
        let Some(Sent { fact, written }) = self.sent.pop_front() else {
            return;
        };
        let offset = written.expect("what is acknowledged was written");
        match fact {
            Fact::Parked(_, item) => {
                let Identity::Origin(_, origin, _) = item.identity else {
                    return;
                };
                self.done.insert(origin);
                self.pairs.appended(item.pair, origin, offset);
            }
            Fact::Done { at, .. } => {
                self.ledger.finish(at);
            }
            Fact::Failed { at, .. } => self.ledger.rest(at),
            _ => {}
        }
        self.release();
    }

    /// The producer is lost: some of what was sent was written, and all of it is sent again.
    fn lose(&mut self) {
        for sent in self.sent.drain(..).rev() {
            self.unsent.push_front(sent.fact);
        }
    }

    fn commit(&mut self, world: &mut World) {
        // The broker fences it, or the partition was given up.
        if !self.owns() || self.source != world.anew {
            return;
        }
        let watermark = self.watermark();
        let (pairs, position) = (&self.pairs, self.ledger.position());
        self.ledger.forget(watermark, |pair, origin| {
            pairs.is_on_its_way(pair, origin, position)
        });
        let (hint, claim) = self.ledger.hint(watermark, |pair| pairs.is_parked(pair));
        world.committed = (watermark, hint, claim);
    }

    fn is_quiet(&self, world: &World) -> bool {
        self.watermark() == RECORDS
            && self.ledger.len() == 0
            && self.ledger.position() == world.log.len() as i64
            && self.unsent.is_empty()
            && self.sent.is_empty()
    }
}

fn play(seed: u64) -> World {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::default();
    let mut zombies: Vec<Lane> = Vec::new();
    let mut owner = world.lane();
    let steps = random.usize(50..600);
    for _ in 0..steps {
        let anew = random.usize(0..250) == 0;
        if anew {
            world.make_anew();
        }
        let another_group = random.usize(0..150) == 0;
        if another_group {
            world.groups += 1;
            world.generation = 0;
        }
        if anew || another_group || random.usize(0..60) == 0 {
            let mut old = std::mem::replace(&mut owner, world.lane());
            old.alive = random.usize(0..30);
            zombies.push(old);
        }
        for zombie in &mut zombies {
            zombie.alive = zombie.alive.saturating_sub(1);
            match random.u8(0..6) {
                0 => zombie.read(&world),
                1 => zombie.take(&mut world, random.bool()),
                2 => zombie.attempt(&mut world, random.bool()),
                3 => zombie.send(&mut world),
                4 => zombie.acknowledge(),
                _ => {}
            }
        }
        zombies.retain(|zombie| zombie.alive > 0);
        match random.u8(0..16) {
            0..5 => owner.read(&world),
            5 | 6 => {
                let fails = random.u8(0..3) == 0;
                owner.take(&mut world, fails);
            }
            7 | 8 => {
                let fails = random.u8(0..2) == 0;
                owner.attempt(&mut world, fails);
            }
            9..12 => owner.send(&mut world),
            12 | 13 => owner.acknowledge(),
            14 => owner.commit(&mut world),
            15 if random.bool() => owner.confirm(),
            _ if random.u8(0..8) == 0 => owner.lose(),
            _ => {}
        }
    }
    // Everything succeeds from now on, and nobody else interferes.
    for _ in 0..10_000 {
        if owner.is_quiet(&world) {
            break;
        }
        owner.read(&world);
        owner.confirm();
        // By a claim that a zombie of an earlier group had on its way: a restart helps.
        if matches!(owner.ledger.standing(), Standing::Fenced(_)) {
            owner = world.lane();
        }
        owner.take(&mut world, false);
        owner.attempt(&mut world, false);
        owner.send(&mut world);
        owner.acknowledge();
        if random.u8(0..4) == 0 {
            owner.commit(&mut world);
        }
    }
    assert!(
        owner.is_quiet(&world),
        "seed {seed}: the last lane does not come to rest: {:?}",
        owner.ledger
    );
    for offset in 0..RECORDS {
        assert!(
            world.succeeded.contains(&(world.anew, offset)),
            "seed {seed}: {offset} is lost: {:?}",
            world.succeeded
        );
    }
    // A lane that begins at the last hint knows of nothing open either.
    owner.commit(&mut world);
    let mut late = world.lane();
    while late.ledger.position() < world.log.len() as i64 {
        late.read(&world);
    }
    assert_eq!(
        late.ledger.len(),
        0,
        "seed {seed}: the hint reopens records"
    );
    world
}

/// Whatever happens, no record is lost, none of a key overtakes another, and nothing that is done comes back.
#[test]
fn nothing_is_lost_or_overtaken_whatever_happens() {
    let mut facts = BTreeMap::new();
    let (mut anew, mut groups) = (0, 0);
    for seed in 0..1_500 {
        let world = play(seed);
        anew += world.anew;
        groups += world.groups;
        for fact in &world.log {
            let name = match fact {
                Fact::Claim(_) => "claim",
                Fact::Parked(..) => "parked",
                Fact::Failed { .. } => "failed",
                Fact::Done { .. } => "done",
                _ => "action",
            };
            *facts.entry(name).or_insert(0) += 1;
        }
    }
    // The model is worth something only if it comes to all that.
    assert!(facts.values().all(|count| *count > 500), "{facts:?}");
    assert!(anew > 500 && groups > 500, "{anew}, {groups}");
}
