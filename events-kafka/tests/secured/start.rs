//! A start without a right names it.

use crate::broker::{Broker, shop};
use crate::right::Right;
use crate::shop::{PAYMENTS, TOPICS, alone, rights, run_and_ensure, runtime, says};

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn each_right_that_is_missing_is_named_before_anything_runs() {
    let _alone = alone();
    let broker = Broker::connect();
    broker.make(&TOPICS).await;
    let needed = rights(false);
    let all = rights(true);
    broker.grant_only(&needed, &all);
    let checked = says("check --broker", &[]);
    assert_eq!(checked.status, 0, "{}\n{}", checked.out, checked.err);
    for right in &needed {
        broker.take(right);
        let error = runtime(shop())
            .check_broker()
            .await
            .unwrap_err()
            .to_string();
        let kind = match right.resource.as_str() {
            "group" => "consumer group",
            other => other,
        };
        for words in [
            format!(
                "this user lacks the right to {} the {kind} `{}`",
                right.operation, right.name
            ),
            "`check --acls`".to_owned(),
            format!(
                "--allow-principal User:shop --operation {}",
                right.operation
            ),
        ] {
            assert!(error.contains(&words), "{right}: {words}: {error}");
        }
        assert!(
            error.contains("1 fault"),
            "{right}: nothing else is wrong: {error}"
        );
        let started = runtime(shop()).spawn().await.unwrap_err().to_string();
        assert_eq!(started, error, "{right}");
        broker.grant(right);
    }
    // A process says the same, and no secret.
    broker.take(&needed[0]);
    for command in ["run", "check --broker"] {
        let answer = says(command, &[]);
        assert_eq!(answer.status, 1, "{command}: {}", answer.err);
        let said = format!("{}{}", answer.out, answer.err);
        assert!(said.contains("lacks the right to"), "{command}: {said}");
    }
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn a_topic_that_may_not_be_seen_is_not_told_to_be_missing() {
    let _alone = alone();
    let broker = Broker::connect();
    broker.make(&TOPICS).await;
    let needed = rights(false);
    let hidden: Vec<_> = needed
        .iter()
        .filter(|right| right.name == PAYMENTS)
        .cloned()
        .collect();
    let rest: Vec<_> = needed
        .iter()
        .filter(|right| right.name != PAYMENTS)
        .cloned()
        .collect();
    broker.grant_only(&rest, &rights(true));
    let error = runtime(shop())
        .check_broker()
        .await
        .unwrap_err()
        .to_string();
    assert!(!error.contains("does not exist"), "{error}");
    assert!(
        error.contains("Write the topic `secured-payments`; whether it exists cannot be seen"),
        "{error}"
    );
    hidden.iter().for_each(|right| broker.grant(right));
    broker.delete(&[PAYMENTS]).await;
    let error = runtime(shop())
        .check_broker()
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("1 topic does not exist"), "{error}");
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn topics_are_made_with_the_rights_for_it_and_a_missing_one_is_named() {
    let _alone = alone();
    let broker = Broker::connect();
    broker.delete(&TOPICS).await;
    let needed = rights(true);
    let create = Right::new("topic", PAYMENTS, "Create");
    assert!(needed.contains(&create), "{needed:?}");
    broker.grant_only(&needed, &needed);
    broker.take(&create);
    let refused = run_and_ensure();
    assert_eq!(refused.status, 1, "{}", refused.err);
    assert!(
        refused.err.contains("the topic `secured-payments`: this user lacks the right to Create it, which `check --acls` prints"),
        "{}",
        refused.err
    );
    broker.grant(&create);
    let handle = runtime(shop()).ensure_topics(1, 1).spawn().await.unwrap();
    assert!(handle.drain().await.drained);
}

#[test]
fn a_wrong_password_is_not_told() {
    let _alone = alone();
    let wrong = "not-what-the-shop-knows";
    let answer = says("check --broker", &[("KAFKA_SASL_PASSWORD", wrong)]);
    assert_eq!(answer.status, 1, "{}", answer.err);
    assert!(
        !answer.err.contains(wrong) && !answer.out.contains(wrong),
        "{}",
        answer.err
    );
}
