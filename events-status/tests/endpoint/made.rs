//! A service that is made up.

use std::sync::Mutex;

use events_runtime::{HoldStatus, LaneStatus, Status, TopicPartition};
use events_status::{Control, Refused, Running};

pub(crate) struct Made {
    pub(crate) name: &'static str,
    pub(crate) unhealthy: Option<&'static str>,
    pub(crate) restart_helps: bool,
    pub(crate) holds: Vec<HoldStatus>,
    pub(crate) unready: Vec<String>,
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) asked: Mutex<u32>,
}

impl Made {
    pub(crate) fn up(name: &'static str) -> Self {
        Self {
            name,
            unhealthy: None,
            restart_helps: false,
            holds: Vec::new(),
            unready: Vec::new(),
            told: Mutex::default(),
            asked: Mutex::new(0),
        }
    }
}

impl Control for Made {
    fn pause(&self, handler: &str) -> Result<(), Refused> {
        match handler {
            "ship" => {
                self.told.lock().unwrap().push(handler.to_owned());
                Ok(())
            }
            "pinned" => Err(Refused::Unsupported("it cannot be paused".to_owned())),
            _ => Err(Refused::Unknown(format!("no handler `{handler}`"))),
        }
    }

    fn resume(&self, handler: &str) -> Result<(), Refused> {
        self.told.lock().unwrap().retain(|told| told != handler);
        Ok(())
    }
}

impl Running for Made {
    fn service(&self) -> String {
        self.name.to_owned()
    }

    fn ask(&self) {
        *self.asked.lock().unwrap() += 1;
    }

    /// The second look finds the answer.
    fn has_answered(&self) -> bool {
        let mut asked = self.asked.lock().unwrap();
        *asked += 1;
        *asked > 2
    }

    fn status(&self) -> Status {
        let lane = LaneStatus {
            group: "shipping".to_owned(),
            partition: TopicPartition::new("orders", 3),
            holding: Some("a key is parked".to_owned()),
            unhealthy: self.unhealthy.map(str::to_owned),
            restart_helps: self.restart_helps,
            holds: self.holds.clone(),
            ..LaneStatus::default()
        };
        Status {
            service: self.name.to_owned(),
            healthy: self.unhealthy.is_none(),
            troubles: Vec::new(),
            lanes: vec![lane],
            handlers: Vec::new(),
        }
    }

    fn unready(&self) -> Vec<String> {
        self.unready.clone()
    }
}
