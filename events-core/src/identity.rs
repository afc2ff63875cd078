//! Ids: stable for emissions, fresh at the edge.

use uuid::Uuid;

/// Namespace of emission ids, drawn once; changing it changes every id.
const EMISSIONS: Uuid = Uuid::from_u128(0x6ab9_c2d1_5d0e_5b7a_9b6d_1f0e_6a51_c0de);

/// What makes an emission what it is (D4).
#[derive(Debug, Clone, Copy)]
pub struct EmissionIdentity<'a> {
    /// Source of the event that the handler took.
    pub cause_source: &'a str,
    /// Id of that event.
    pub cause_id: &'a str,
    /// The handler's stable name: `service/handler`.
    pub handler: &'a str,
    /// Wire name of the emitted type.
    pub event: &'a str,
    /// Key of the emitted event.
    pub key: Option<&'a str>,
    /// How many events of that type and key the attempt emitted before.
    pub ordinal: u32,
}

impl EmissionIdentity<'_> {
    /// The id: a UUIDv5 over all fields, each led by its length, so that no two lists of fields run together.
    pub fn id(&self, scratch: &mut Vec<u8>) -> Uuid {
        scratch.clear();
        for field in [
            Some(self.cause_source),
            Some(self.cause_id),
            Some(self.handler),
            Some(self.event),
            self.key,
        ] {
            // A missing key differs from an empty one.
            let length = field.map_or(u32::MAX, |field| field.len() as u32);
            scratch.extend_from_slice(&length.to_be_bytes());
            scratch.extend_from_slice(field.unwrap_or("").as_bytes());
        }
        scratch.extend_from_slice(&self.ordinal.to_be_bytes());
        Uuid::new_v5(&EMISSIONS, scratch)
    }
}

/// The id of an event published from the edge: a UUIDv7.
pub fn edge_id() -> Uuid {
    Uuid::now_v7()
}

/// A hash of a handler's stable name that is the same in every build: 32-bit FNV-1a.
///
/// It names the handler in offset metadata; two handlers of a group with the same hash are a start-up error.
pub const fn stable_hash(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut hash = 0x811c_9dc5u32;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u32).wrapping_mul(0x0100_0193);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    const PINNED: EmissionIdentity<'static> = EmissionIdentity {
        cause_source: "orders",
        cause_id: "0192e7a4-0000-7000-8000-000000000001",
        handler: "payments/capture",
        event: "PaymentCaptured",
        key: Some("o-1"),
        ordinal: 0,
    };

    #[test]
    fn emission_ids_are_pinned() {
        let id = PINNED.id(&mut Vec::new());
        assert_eq!(id.to_string(), "9884b894-8d31-5a65-95e6-1116d06f07e7");
        assert_eq!(stable_hash("payments/capture"), 0x9c1d_ab53);
    }

    #[test]
    fn every_field_counts() {
        let mut scratch = Vec::new();
        let pinned = PINNED.id(&mut scratch);
        let others = [
            EmissionIdentity {
                cause_source: "x",
                ..PINNED
            },
            EmissionIdentity {
                cause_id: "x",
                ..PINNED
            },
            EmissionIdentity {
                handler: "x",
                ..PINNED
            },
            EmissionIdentity {
                event: "x",
                ..PINNED
            },
            EmissionIdentity {
                key: None,
                ..PINNED
            },
            EmissionIdentity {
                key: Some(""),
                ..PINNED
            },
            EmissionIdentity {
                ordinal: 1,
                ..PINNED
            },
        ];
        let mut ids: Vec<_> = others.iter().map(|other| other.id(&mut scratch)).collect();
        ids.push(pinned);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), others.len() + 1);
    }
}
