//! `#[derive(Emission)]` and `#[derive(OneOf)]`.

use std::collections::VecDeque;

use events_core::{
    AttemptContext, Delivery, Emission, Emissions, Event, EventDescriptor, Input, OneOf, Result,
    event,
};

use crate::fake::Fake;

#[event(topic = "v", key = id)]
#[derive(Debug, PartialEq)]
struct First {
    id: u8,
}

#[event(topic = "v", key = id)]
#[derive(Debug, PartialEq)]
struct Second {
    id: u8,
}

#[event(topic = "v")]
#[derive(Debug, PartialEq)]
struct Third;

#[derive(Emission)]
enum Outcome {
    First(First),
    Both((First, Second)),
    Several(Vec<Second>),
    Nothing,
}

#[derive(OneOf, Debug, PartialEq)]
enum Either {
    First(First),
    Second(Second),
}

#[derive(OneOf, Debug, PartialEq)]
enum EitherBoxed {
    First(Box<First>),
    Second(Second),
}

fn emitted(value: impl Emission) -> Vec<(&'static str, Option<String>)> {
    let mut emissions = Emissions::new();
    value.emit(&mut emissions).unwrap();
    emissions
        .iter()
        .map(|emitted| (emitted.event.name, emitted.key.map(str::to_owned)))
        .collect()
}

fn names(declare: fn(&mut Vec<&'static EventDescriptor>)) -> Vec<&'static str> {
    let mut types = Vec::new();
    declare(&mut types);
    types.into_iter().map(|event| event.name).collect()
}

fn key(key: &str) -> Option<String> {
    Some(key.to_owned())
}

#[test]
fn an_outcome_emits_its_variant() {
    assert_eq!(
        emitted(Outcome::First(First { id: 1 })),
        [("First", key("1"))]
    );
    let both = Outcome::Both((First { id: 1 }, Second { id: 2 }));
    assert_eq!(emitted(both), [("First", key("1")), ("Second", key("2"))]);
    let several = Outcome::Several(vec![Second { id: 2 }, Second { id: 3 }]);
    assert_eq!(
        emitted(several),
        [("Second", key("2")), ("Second", key("3"))]
    );
    assert_eq!(emitted(Outcome::Nothing), []);
}

#[test]
fn an_outcome_declares_all_variants() {
    assert_eq!(
        names(<Outcome as Emission>::declare),
        ["First", "First", "Second", "Second"]
    );
    assert_eq!(names(<Either as Input>::declare), ["First", "Second"]);
}

#[test]
fn everything_a_handler_may_return_emits() {
    assert_eq!(emitted(()), []);
    assert_eq!(emitted(Some(Third)), [("Third", None)]);
    assert_eq!(emitted(None::<Third>), []);
    assert_eq!(emitted(vec![Third, Third]).len(), 2);
    assert_eq!(
        emitted((Third, Some(First { id: 9 }))),
        [("Third", None), ("First", key("9"))]
    );
    let two = || [First { id: 1 }, First { id: 2 }];
    let keys = [("First", key("1")), ("First", key("2"))];
    assert_eq!(emitted(two()), keys);
    assert_eq!(emitted(VecDeque::from(two())), keys);
    assert_eq!(emitted(Box::<[First]>::from(two())), keys);
    assert_eq!(emitted(Box::new(Third)), [("Third", None)]);
    assert_eq!(names(<[Box<First>; 2] as Emission>::declare), ["First"]);
    assert_eq!(emitted(Ok::<_, std::io::Error>(Third)), [("Third", None)]);
    let failed = Err::<Third, _>(std::io::Error::other("no luck"));
    assert_eq!(
        failed.emit(&mut Emissions::new()).unwrap_err().to_string(),
        "no luck"
    );
}

#[test]
fn a_variant_may_hold_its_event_in_a_box() {
    assert_eq!(names(<EitherBoxed as Input>::declare), ["First", "Second"]);
    let (record, context) = (Fake::json(r#"{"id":5}"#), AttemptContext::new());
    let delivery = Delivery::new(&record, First::DESCRIPTOR, 1, 1, &context);
    let decoded = EitherBoxed::decode(&delivery).unwrap();
    assert_eq!(decoded, EitherBoxed::First(Box::new(First { id: 5 })));
}

fn decoded(event: &'static EventDescriptor, value: &str) -> Result<Either> {
    let (record, context) = (Fake::json(value), AttemptContext::new());
    Either::decode(&Delivery::new(&record, event, 1, 1, &context))
}

#[test]
fn one_of_several_is_the_one_that_the_record_was_routed_as() {
    let value = r#"{"id":5}"#;
    assert_eq!(
        decoded(First::DESCRIPTOR, value).unwrap(),
        Either::First(First { id: 5 })
    );
    assert_eq!(
        decoded(Second::DESCRIPTOR, value).unwrap(),
        Either::Second(Second { id: 5 })
    );
    let error = decoded(Third::DESCRIPTOR, value).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no variant of Either takes the event type Third"
    );
    let error = decoded(Second::DESCRIPTOR, "{}").unwrap_err();
    assert!(
        format!("{error:#}").contains("missing field `id`"),
        "{error:#}"
    );
}
