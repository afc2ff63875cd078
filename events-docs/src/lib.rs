//! Choreographies as documents: what a [`Company`](events_core::company::Company) is, for people and for tools.
//!
//! - [`Picture::to_svg`] draws who reacts to what.
//! - [`Picture::to_html`] is the same as a page in which one searches, zooms, and reads schemas: one file that asks no
//!   network for anything.
//! - [`asyncapi::document`] is an AsyncAPI 3 document, for the tools that read those.
//!
//! All of it is made from manifests, without running or connecting; names in them come from elsewhere and are escaped
//! wherever they go.
//!
//! ```
//! use events_core::company::{Company, Limits};
//! use events_core::manifest::Manifest;
//! use events_docs::Picture;
//!
//! let file = br#"{ "manifest": 1, "service": "shipping",
//!     "handlers": [{ "handler": "ship", "takes": ["StockReserved"] }],
//!     "events": [{ "name": "StockReserved", "version": 1, "topic": "inventory" }] }"#;
//! let company = Company::join(Manifest::read("shipping.json", file)?);
//! let picture = Picture::of(&company, &company.check(&Limits::default()));
//! assert!(picture.to_svg().starts_with("<svg "));
//! assert!(picture.to_html().starts_with("<!doctype html>"));
//! # Ok::<(), events_core::manifest::ManifestError>(())
//! ```

#![forbid(unsafe_code)]

pub mod asyncapi;
mod colours;
mod escape;
mod layout;
mod measure;
mod page;
mod picture;
mod svg;

pub use picture::Picture;
