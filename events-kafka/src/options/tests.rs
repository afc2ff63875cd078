use super::*;
use events_runtime::{MemoryBound, Settings};

fn with(variables: &[(&str, &str)]) -> ClientOptions {
    ClientOptions::from_variables(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

fn messages(options: &ClientOptions) -> String {
    options
        .faults()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_environment_wins() {
    let options = with(&[("KAFKA_BOOTSTRAP_SERVERS", "there:9092")])
        .set("bootstrap.servers", "here:9092")
        .set("linger.ms", "7");
    assert_eq!(options.address(), Some("there:9092"));
    let config = options.edge_producer();
    assert_eq!(
        (config.get("bootstrap.servers"), config.get("linger.ms")),
        (Some("there:9092"), Some("7"))
    );
}

/// The client takes both names, and the last one that it is told: which would be left to chance.
#[test]
fn a_property_has_one_value_under_all_its_names() {
    let options = with(&[("KAFKA_METADATA_BROKER_LIST", "there:9092")])
        .set("bootstrap.servers", "here:9092")
        .set("queue.buffering.max.ms", "7")
        .set("delivery.timeout.ms", "5000");
    assert_eq!(options.faults(), []);
    assert_eq!(options.address(), Some("there:9092"));
    let edge = options.edge_producer();
    let set = |config: &rdkafka::ClientConfig, names: [&str; 2]| {
        names.map(|name| config.get(name).map(str::to_owned))
    };
    let only = |value: &str| [Some(value.to_owned()), None];
    assert_eq!(
        set(&edge, ["bootstrap.servers", "metadata.broker.list"]),
        only("there:9092")
    );
    assert_eq!(
        set(&edge, ["linger.ms", "queue.buffering.max.ms"]),
        only("7")
    );
    let timeout = ["message.timeout.ms", "delivery.timeout.ms"];
    assert_eq!(set(&edge, timeout), only("5000"));
    assert_eq!(set(&options.lane_producer(), timeout), only("0"));

    let text = messages(&options.set("linger.ms", "5"));
    assert!(
        text.contains("`linger.ms`") && text.contains("`queue.buffering.max.ms`"),
        "{text}"
    );
}

/// However many partitions there are, what the client is told to fetch ahead of them fits into what the printed bound says.
#[test]
fn what_is_fetched_ahead_of_all_partitions_fits_into_its_part_of_the_process() {
    let settings = Settings::default();
    for partitions in [1, 8, 200, 1_000] {
        let mut options = ClientOptions::without_environment();
        options.expect_partitions(partitions);
        let bound = MemoryBound::of(&settings, partitions);
        let ahead = |config: rdkafka::ClientConfig| -> usize {
            let of = |name| config.get(name).unwrap().parse::<usize>().unwrap();
            // As much again is for what the client does not count: keys, headers, and its own structures.
            2 * 1024 * of("queued.max.messages.kbytes") * partitions
        };
        let source = ahead(options.consumer("shop", &settings));
        let parked = ahead(options.parked_reader("shop", &settings));
        assert!(
            source + parked <= bound.fetched,
            "{partitions}: {source} and {parked}"
        );
        assert_eq!(parked < source, partitions >= 200, "{partitions}");
    }
    let parked = ClientOptions::without_environment().parked_reader("shop", &settings);
    let fetch = |name| parked.get(name).map(str::to_owned);
    // An answer that could not hold as much as is waited for would always wait.
    assert_eq!(fetch("max.partition.fetch.bytes"), fetch("fetch.min.bytes"));
    // A user's own bound holds for both.
    let options = ClientOptions::without_environment().set("queued.max.messages.kbytes", "7");
    for config in [
        options.consumer("shop", &settings),
        options.parked_reader("shop", &settings),
    ] {
        assert_eq!(config.get("queued.max.messages.kbytes"), Some("7"));
    }
}

#[test]
fn lanes_wait_for_a_batch_as_the_client_does_unless_told_otherwise() {
    let linger = |options: &ClientOptions| {
        let both = [options.lane_producer(), options.edge_producer()];
        both.map(|config| config.get("linger.ms").map(str::to_owned))
    };
    let options = ClientOptions::without_environment();
    assert_eq!(linger(&options), [Some("5".into()), Some("1".into())]);
    for name in ["linger.ms", "queue.buffering.max.ms"] {
        let options = ClientOptions::without_environment().set(name, "0");
        assert_eq!(linger(&options), [Some("0".into()), Some("0".into())]);
    }
}

#[test]
fn a_fetch_at_the_end_of_idle_partitions_does_not_hold_up_the_others_for_long() {
    let wait = |options: &ClientOptions| {
        let settings = Settings::default();
        let configs = [
            options.consumer("g", &settings),
            options.parked_reader("g", &settings),
        ];
        configs.map(|config| config.get("fetch.wait.max.ms").map(str::to_owned))
    };
    let options = with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")]);
    assert_eq!(
        wait(&options),
        [Some("50".to_owned()), Some("50".to_owned())]
    );
    // Of parked logs a fetch waits until there is something worth it: that is not to be the user's half second.
    let options = options.set("fetch.wait.max.ms", "500");
    assert_eq!(
        wait(&options),
        [Some("500".to_owned()), Some("50".to_owned())]
    );
}

#[test]
fn an_unknown_property_is_named() {
    let options = with(&[
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9092"),
        ("KAFKA_LINGER_MILLIS", "5"),
    ])
    .set("no.such", "1");
    let text = messages(&options);
    assert!(
        text.contains("KAFKA_LINGER_MILLIS") && text.contains("linger.millis"),
        "{text}"
    );
    assert!(text.contains("`no.such`"), "{text}");
    assert_eq!(options.faults().len(), 2, "{text}");
}

/// The client's own commits outlive an assignment under KIP-848.
#[test]
fn the_client_commits_by_itself_only_under_the_classic_protocol() {
    for (protocol, commits) in [("classic", "true"), ("consumer", "false")] {
        let options =
            with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")]).set("group.protocol", protocol);
        let config = options.consumer("g", &Settings::default());
        assert_eq!(
            config.get("enable.auto.commit"),
            Some(commits),
            "{protocol}"
        );
    }
}

#[test]
fn what_delivery_depends_on_is_not_the_users() {
    for (property, value) in [
        ("enable.auto.commit", "false"),
        ("auto.offset.reset", "latest"),
        ("enable.idempotence", "false"),
        ("acks", "1"),
        ("request.required.acks", "1"),
        ("queue.buffering.max.messages", "10"),
        ("queue.buffering.max.kbytes", "10"),
        ("group.id", "x"),
        ("partition.assignment.strategy", "range"),
    ] {
        let options = with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")]).set(property, value);
        let faults = options.faults();
        assert_eq!(faults.len(), 1, "{property}: {faults:?}");
        assert_eq!(faults[0].code, "fixed-property");
        assert!(faults[0].message.contains(property));
    }
    let allowed = with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")])
        .set("acks", "all")
        .set("enable.idempotence", "true");
    assert_eq!(allowed.faults(), []);
}

#[test]
fn secrets_are_never_shown() {
    let options = with(&[("KAFKA_SASL_PASSWORD", "hunter2")])
        .set("ssl.key.pem", "hunter3")
        .set("message.max.bytes", "many");
    let text = format!("{options:?} {}", messages(&options));
    assert!(!text.contains("hunter"), "{text}");
    assert!(
        text.contains("sasl.password") && text.contains(secrets::REDACTED),
        "{text}"
    );
}

#[test]
fn each_client_gets_what_it_has_a_use_for() {
    let options = with(&[])
        .set("compression.type", "zstd")
        .set("isolation.level", "read_committed")
        .set("client.id", "me");
    let settings = Settings::default();
    let consumer = options.consumer("payments", &settings);
    assert_eq!(consumer.get("group.id"), Some("payments"));
    assert_eq!(consumer.get("auto.commit.interval.ms"), Some("1000"));
    assert_eq!(consumer.get("auto.offset.reset"), Some("error"));
    assert_eq!(
        (consumer.get("compression.type"), consumer.get("client.id")),
        (None, Some("me"))
    );
    let lane = options.lane_producer();
    assert_eq!(lane.get("message.timeout.ms"), Some("0"));
    assert_eq!(
        (lane.get("compression.type"), lane.get("isolation.level")),
        (Some("zstd"), None)
    );
    assert_eq!(
        options.edge_producer().get("message.timeout.ms"),
        Some("30000")
    );
    for config in [consumer, lane, options.edge_producer(), options.admin()] {
        config
            .create_native_config()
            .expect("the client takes every profile");
    }
}

#[test]
fn the_brokers_protocol_leaves_out_what_members_decide() {
    for options in [
        with(&[]).group_protocol(GroupProtocol::Consumer),
        with(&[("KAFKA_GROUP_PROTOCOL", "consumer")]),
    ] {
        let config = options.consumer("payments", &Settings::default());
        assert_eq!(config.get("group.protocol"), Some("consumer"));
        assert_eq!(
            (
                config.get("session.timeout.ms"),
                config.get("partition.assignment.strategy")
            ),
            (None, None)
        );
        assert_eq!(options.set("session.timeout.ms", "6000").faults().len(), 1);
    }
}

/// While lanes drain nobody polls, so the group would give their partitions away.
#[test]
fn a_drain_that_outlasts_the_poll_interval_is_a_fault() {
    let refused = |options: ClientOptions, seconds: u64| {
        let registry = events_core::Registry::default();
        let runtime = crate::Runtime::with_registry("shop", registry)
            .client(options)
            .configure(|settings| settings.drain = Duration::from_secs(seconds));
        let text = runtime
            .check()
            .err()
            .map_or_else(String::new, |faults| faults.to_string());
        text.contains("lower `drain`, or raise max.poll.interval.ms above it")
    };
    let polls = |millis: &str| with(&[("KAFKA_MAX_POLL_INTERVAL_MS", millis)]);
    assert!(refused(with(&[]), 300));
    assert!(!refused(with(&[]), 299));
    assert!(refused(polls("20000"), 20));
    assert!(!refused(polls("20001"), 20));
    assert!(!refused(polls("600000"), 300));
}

#[test]
fn a_debug_build_without_an_address_is_embedded() {
    assert_eq!(with(&[]).is_embedded(), cfg!(debug_assertions));
    assert!(!with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")]).is_embedded());
    assert!(
        with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")])
            .embedded()
            .is_embedded()
    );
}

/// A forgotten variable must not lose data silently: every way to start says which one, and what to do instead.
#[tokio::test]
async fn a_release_build_without_an_address_does_not_start() {
    let release = || with(&[]).of_a_release_build();
    assert!(!release().is_embedded());
    let text = messages(&release());
    for word in ["KAFKA_BOOTSTRAP_SERVERS", "`--embedded`", "release build"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let registry = events_core::Registry::default;
    let runtime = || crate::Runtime::with_registry("shop", registry()).client(release());
    let refused = [
        runtime().check().map_err(KafkaError::from),
        runtime().check_broker().await,
        runtime().spawn().await.map(drop),
        runtime().run_until(std::future::ready(())).await.map(drop),
        crate::Services::new()
            .add(runtime())
            .spawn()
            .await
            .map(drop),
        crate::Producer::connect("shop", release()).map(drop),
    ];
    for (way, refused) in refused.into_iter().enumerate() {
        let Err(KafkaError::Faults(faults)) = refused else {
            panic!("way {way} starts without an address: {refused:?}");
        };
        let codes: Vec<_> = faults.faults.iter().map(|fault| fault.code).collect();
        assert!(codes.contains(&"no-address"), "way {way}: {codes:?}");
    }
    assert_eq!(release().embedded().faults(), []);
    assert_eq!(release().set("bootstrap.servers", "a:9092").faults(), []);
}

/// What a feature names is in the client that was built, and without it the remedy names the feature.
#[test]
fn features_reach_the_client() {
    let kerberos = cfg!(any(feature = "sasl", feature = "gssapi"));
    let tls = kerberos || cfg!(any(feature = "ssl", feature = "ssl-vendored"));
    let native = rdkafka::ClientConfig::new().create_native_config().unwrap();
    let built = native.get("builtin.features").unwrap();
    let has = |feature| built.split(',').any(|known| known == feature);
    for (feature, wanted) in [
        ("ssl", tls),
        ("sasl_scram", tls),
        ("sasl_gssapi", kerberos),
        ("zstd", cfg!(feature = "zstd")),
        ("lz4", true),
        ("snappy", true),
        ("gzip", true),
    ] {
        assert_eq!(has(feature), wanted, "{feature} of {built}");
    }
    let options = with(&[("KAFKA_BOOTSTRAP_SERVERS", "a:9092")]).set("security.protocol", "ssl");
    let faults = options.faults();
    assert_eq!(faults.is_empty(), tls, "{faults:?}");
    let named = |fault: &Fault| fault.remedy.contains("features = [\"ssl\"]");
    assert!(faults.iter().all(named), "{faults:?}");
}

#[test]
fn every_client_connects_soon_unless_it_is_told_otherwise() {
    let (options, settings) = (ClientOptions::without_environment(), Settings::default());
    let pauses = |options: &ClientOptions| {
        let configs = [
            options.admin(),
            options.consumer("group", &settings),
            options.parked_reader("group", &settings),
            options.lane_producer(),
            options.edge_producer(),
        ];
        configs.map(|config| config.get("reconnect.backoff.ms").map(str::to_owned))
    };
    let all = |own: Option<&str>| [const { None::<String> }; 5].map(|_| own.map(str::to_owned));
    assert_eq!(pauses(&options), all(Some("20")));
    let given = options.clone().set("reconnect.backoff.ms", "500");
    assert_eq!(pauses(&given), all(Some("500")));
    // The client refuses a maximum below the first pause.
    let short = options.set("reconnect.backoff.max.ms", "10");
    assert_eq!(pauses(&short), all(None));
}

#[test]
fn every_client_soon_learns_of_new_partitions() {
    let (options, settings) = (ClientOptions::without_environment(), Settings::default());
    let property = "topic.metadata.refresh.interval.ms";
    let interval = |options: &ClientOptions| {
        let configs = [
            options.consumer("group", &settings),
            options.parked_reader("group", &settings),
            options.lane_producer(),
            options.edge_producer(),
        ];
        configs.map(|config| config.get(property).map(str::to_owned))
    };
    assert_eq!(
        interval(&options),
        [const { Some("5000") }; 4].map(|own| own.map(str::to_owned))
    );
    let given = options.set(property, "60000");
    assert_eq!(
        interval(&given),
        [const { Some("60000") }; 4].map(|own| own.map(str::to_owned))
    );
}
