//! Offsets of logs, asked for many partitions in one request to each of their leaders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use events_runtime::TopicPartition;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::patience::{AGAIN, BRIEF};
use crate::rights::Watch;

pub(crate) type Answers = BTreeMap<TopicPartition, KafkaResult<Offset>>;

/// The offsets at the beginning of logs, at their ends, or of the first record from a time in milliseconds on; [`Offset::End`]
/// where no record is that late. Those that get no answer are asked for again for as long as one partition may take.
pub(crate) fn log_offsets<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    watch: &Arc<Watch>,
    asked: &BTreeMap<TopicPartition, Offset>,
) -> Answers {
    let begun = Instant::now();
    // Time to ask those by themselves that kept others from an answer.
    let until = begun + 2 * BRIEF;
    let mut answers = Answers::new();
    loop {
        let answered = |partition| matches!(answers.get(partition), Some(Ok(_)));
        let open = asked.iter().filter(|(partition, _)| !answered(partition));
        let open: Vec<_> = open.map(|(partition, time)| (partition, *time)).collect();
        if open.is_empty() {
            return answers;
        }
        ask_all(consumer, &open, until, &mut answers);
        let failed = answers.values().find_map(|answer| answer.as_ref().err());
        match failed {
            None => return answers,
            Some(error) if begun.elapsed() < BRIEF => {
                watch.suspect(error);
                tracing::debug!(%error, "a partition's leader does not answer an assignment's question yet");
                thread::sleep(AGAIN);
            }
            Some(_) => return answers,
        }
    }
}

/// An answer as an offset of the log.
pub(crate) fn offset(answer: KafkaResult<Offset>) -> KafkaResult<i64> {
    match answer? {
        Offset::Offset(offset) => Ok(offset),
        _ => Err(KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset)),
    }
}

fn ask_all<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    open: &[(&TopicPartition, Offset)],
    until: Instant,
    answers: &mut Answers,
) {
    if let Err(error) = ask(consumer, open, answers) {
        // The client fails all for one: those of other leaders are asked for by themselves.
        let parts = by_leader(consumer, open);
        match parts.len() {
            0 | 1 => narrow(consumer, open, &error, until, answers),
            _ => {
                for part in parts {
                    if let Err(error) = ask(consumer, &part, answers) {
                        narrow(consumer, &part, &error, until, answers);
                    }
                }
            }
        }
    }
}

/// Finds the partitions that a question to one leader failed for. A leader that says nothing says nothing of any.
fn narrow<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    open: &[(&TopicPartition, Offset)],
    error: &KafkaError,
    until: Instant,
    answers: &mut Answers,
) {
    if open.len() < 2 || is_silence(error) || Instant::now() >= until {
        let failed = open
            .iter()
            .map(|(partition, _)| ((*partition).clone(), Err(error.clone())));
        return answers.extend(failed);
    }
    let (one, other) = open.split_at(open.len() / 2);
    for half in [one, other] {
        if let Err(error) = ask(consumer, half, answers) {
            narrow(consumer, half, &error, until, answers);
        }
    }
}

fn ask<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    open: &[(&TopicPartition, Offset)],
    answers: &mut Answers,
) -> KafkaResult<()> {
    let mut list = TopicPartitionList::with_capacity(open.len());
    for (TopicPartition { topic, partition }, time) in open {
        list.add_partition_offset(topic, *partition, *time)?;
    }
    let found = consumer.offsets_for_times(list, BRIEF)?;
    for element in found.elements() {
        let partition = TopicPartition::new(element.topic(), element.partition());
        let answer = element.error().map(|()| element.offset());
        answers.insert(partition, answer);
    }
    Ok(())
}

/// The partitions of each leader, as far as the cluster tells.
fn by_leader<'a, C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    open: &[(&'a TopicPartition, Offset)],
) -> Vec<Vec<(&'a TopicPartition, Offset)>> {
    let mut leaders: BTreeMap<&str, BTreeMap<i32, i32>> = BTreeMap::new();
    let mut parts: BTreeMap<Option<i32>, Vec<_>> = BTreeMap::new();
    for (partition, time) in open {
        let known = leaders.entry(&partition.topic).or_insert_with(|| {
            let metadata = consumer.fetch_metadata(Some(&partition.topic), BRIEF);
            let topics = metadata.iter().flat_map(|metadata| metadata.topics());
            let partitions = topics.flat_map(|topic| topic.partitions());
            partitions
                .map(|partition| (partition.id(), partition.leader()))
                .collect()
        });
        let leader = known.get(&partition.partition).copied();
        parts.entry(leader).or_default().push((*partition, *time));
    }
    parts.into_values().collect()
}

/// Nobody has answered.
fn is_silence(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::Resolve
                | Code::DestroyBroker
        )
    )
}

#[cfg(test)]
mod tests {
    use events_runtime::{Service, Settings};
    use rdkafka::config::FromClientConfig;
    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::options::ClientOptions;

    #[test]
    fn a_leader_that_is_away_costs_the_others_no_answer() {
        let cluster = MockCluster::new(2).unwrap();
        cluster.create_topic("log-offsets", 4, 1).unwrap();
        for partition in 0..4 {
            let leader = Some(if partition == 3 { 2 } else { 1 });
            cluster
                .partition_leader("log-offsets", partition, leader)
                .unwrap();
        }
        let client = ClientOptions::without_environment()
            .set("bootstrap.servers", cluster.bootstrap_servers());
        let config = client.consumer("log-offsets", &Settings::default());
        let consumer: BaseConsumer = BaseConsumer::from_config(&config).unwrap();
        let plan = Service::new("rebalance-requests").plan().unwrap().remove(0);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let watch = Watch::new(&plan, &client, runtime.handle().clone());
        let all = |time| {
            let partitions = (0..4).map(|number| TopicPartition::new("log-offsets", number));
            partitions.map(|partition| (partition, time)).collect()
        };
        let answers = log_offsets(&consumer, &watch, &all(Offset::Beginning));
        assert_eq!(answers.len(), 4);
        for answer in answers.into_values() {
            assert_eq!(offset(answer), Ok(0));
        }

        cluster.broker_down(2).unwrap();
        let answers = log_offsets(&consumer, &watch, &all(Offset::End));
        let answered = answers.into_iter().filter(|(_, answer)| answer.is_ok());
        let answered: Vec<_> = answered.map(|(partition, _)| partition.partition).collect();
        assert_eq!(answered, [0, 1, 2]);
    }
}
