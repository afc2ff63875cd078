//! Where a service answers for itself over HTTP. Without the feature `status` an address is a fault.

use std::net::SocketAddr;
use std::sync::Arc;

use events_core::Fault;

use crate::error::KafkaError;
use crate::view::View;

/// The variable that gives the address.
pub(crate) const VARIABLE: &str = "EVENTS_STATUS_ADDRESS";

/// Where a service answers, as it was set up; nowhere by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint {
    address: Option<String>,
}

impl Endpoint {
    /// What the environment says; an empty variable counts as unset.
    pub(crate) fn from_environment() -> Self {
        let address = std::env::var(VARIABLE).ok();
        Self {
            address: address.filter(|address| !address.trim().is_empty()),
        }
    }

    pub(crate) fn at(address: impl Into<String>) -> Self {
        Self {
            address: Some(address.into()),
        }
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
        let open = events_status::register(address, Arc::clone(view) as _);
        open.map(Some).map_err(|error| usage(&error))
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
