//! Where a service answers for itself over HTTP. Without the feature `status` an address is a fault.

use std::net::SocketAddr;
use std::sync::Arc;

use events_core::Fault;

use crate::error::KafkaError;
use crate::view::View;

/// The variable that gives the address.
pub(crate) const VARIABLE: &str = "EVENTS_STATUS_ADDRESS";

/// The variable with the token that pausing and resuming asks for.
#[cfg(feature = "status")]
pub(crate) const TOKEN: &str = "EVENTS_STATUS_TOKEN";
/// The variable that switches pausing and resuming `off`.
#[cfg(feature = "status")]
const CONTROL: &str = "EVENTS_STATUS_CONTROL";
/// The variable with the names, between commas, by which the endpoint may be asked.
#[cfg(feature = "status")]
const HOSTS: &str = "EVENTS_STATUS_HOSTS";

/// Where a service answers, as it was set up; nowhere by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint {
    address: Option<String>,
    #[cfg(feature = "status")]
    access: Option<events_status::Access>,
}

impl Endpoint {
    /// What the environment says; an empty variable counts as unset.
    pub(crate) fn from_environment() -> Self {
        let address = std::env::var(VARIABLE).ok();
        Self {
            address: address.filter(|address| !address.trim().is_empty()),
            #[cfg(feature = "status")]
            access: None,
        }
    }

    /// The same at another address.
    pub(crate) fn at(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// The same with other rules for who may ask.
    #[cfg(feature = "status")]
    pub(crate) fn access(mut self, access: events_status::Access) -> Self {
        self.access = Some(access);
        self
    }
}

/// As long as this lives, the endpoint answers for the service.
#[cfg(feature = "status")]
pub(crate) type Open = events_status::Registration;

#[cfg(feature = "status")]
impl Endpoint {
    /// All that is wrong with it.
    pub(crate) fn faults(&self) -> Option<Fault> {
        let text = self.address.as_ref()?;
        if let (None, Err(message)) = (&self.access, access_of(|name| std::env::var(name).ok())) {
            let remedy = format!("set {CONTROL} to on or off, or unset it");
            return Some(Fault::new("status-control", message, remedy));
        }
        let error = events_status::parse_address(text).err()?;
        let remedy = format!("mend {VARIABLE}, --status-address or .status_address(…)");
        Some(Fault::new("status-address", error.to_string(), remedy))
    }

    /// Lets the process keep what it counts from now on.
    pub(crate) fn prepare(&self) {
        if self.address.is_some() {
            events_status::install_recorder();
        }
    }

    pub(crate) fn open(&self, view: &Arc<View>) -> Result<Option<Open>, KafkaError> {
        let Some(text) = &self.address else {
            return Ok(None);
        };
        let usage = |error: &dyn std::error::Error| KafkaError::Usage(error.to_string());
        let address = events_status::parse_address(text).map_err(|error| usage(&error))?;
        let access = match &self.access {
            Some(access) => access.clone(),
            None => access_of(|name| std::env::var(name).ok()).map_err(KafkaError::Usage)?,
        };
        let open = events_status::register_with(address, access, Arc::clone(view) as _);
        open.map(Some).map_err(|error| usage(&error))
    }
}

/// Who may ask, as the environment says it; empty variables count as unset.
#[cfg(feature = "status")]
fn access_of(variable: impl Fn(&str) -> Option<String>) -> Result<events_status::Access, String> {
    let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
    let mut access = events_status::Access::new();
    for host in variable(HOSTS).iter().flat_map(|hosts| hosts.split(',')) {
        access = access.host(host.trim());
    }
    if let Some(token) = variable(TOKEN) {
        access = access.token(token);
    }
    match variable(CONTROL).as_deref().map(str::trim) {
        None | Some("on") => Ok(access),
        Some("off") => Ok(access.control(false)),
        Some(other) => Err(format!(
            "{CONTROL} is `{other}`, which is neither on nor off"
        )),
    }
}

/// Nothing is ever open.
#[cfg(not(feature = "status"))]
pub(crate) enum Open {}

#[cfg(not(feature = "status"))]
impl Open {
    pub(crate) fn address(&self) -> SocketAddr {
        match *self {}
    }
}

#[cfg(not(feature = "status"))]
impl Endpoint {
    /// All that is wrong with it.
    pub(crate) fn faults(&self) -> Option<Fault> {
        let text = self.address.as_ref()?;
        Some(Fault::new(
            "status-address",
            format!("this build cannot answer for itself at {text}"),
            format!("build events-kafka with its feature `status`, or unset {VARIABLE}"),
        ))
    }

    pub(crate) fn prepare(&self) {}

    pub(crate) fn open(&self, _: &Arc<View>) -> Result<Option<Open>, KafkaError> {
        Ok(None)
    }
}

/// Where it is open.
pub(crate) fn address(open: Option<&Open>) -> Option<SocketAddr> {
    open.map(Open::address)
}

#[cfg(all(test, feature = "status"))]
mod tests {
    use super::*;

    #[test]
    fn who_may_ask_is_read_from_the_environment() {
        let access = |control: &str| {
            access_of(|name| match name {
                HOSTS => Some("shop.internal, depot.internal".to_owned()),
                TOKEN => Some("s3cret".to_owned()),
                _ => Some(control.to_owned()),
            })
        };
        let told = format!("{:?}", access("off").unwrap());
        assert!(
            told.contains(r#"["shop.internal", "depot.internal"]"#)
                && told.contains("control: false"),
            "{told}"
        );
        assert!(!told.contains("s3cret"), "{told}");
        for on in ["", "on"] {
            assert!(format!("{:?}", access(on).unwrap()).contains("control: true"));
        }
        assert!(access("of").unwrap_err().contains("neither on nor off"));
    }
}
