//! Handlers and what is known of them statically.

use std::any::TypeId;
use std::fmt;

use crate::Error;
use crate::context::ServiceContext;
use crate::event::EventDescriptor;
use crate::extract::Needs;
use crate::policy::HandlerOptions;
use crate::run::Callable;
use crate::slot::{Slot, SlotFuture};

/// A handler by its function, as [`handlers!`](crate::handlers) names it.
#[derive(Debug, Clone, Copy)]
pub struct NamedHandler {
    pub(crate) function: TypeId,
    pub(crate) path: &'static str,
}

impl NamedHandler {
    /// The handler that `function` is; whether it is one at all is found out where it is looked for.
    pub fn of<F: 'static>(function: &F) -> Self {
        Self {
            function: function_type(function),
            path: std::any::type_name::<F>(),
        }
    }

    /// The path of the function, for messages.
    pub fn path(&self) -> &'static str {
        self.path
    }
}

/// The type of a function, which no other function has.
pub fn function_type<F: 'static>(_: &F) -> TypeId {
    TypeId::of::<F>()
}

/// What is known of a handler statically. Made by `#[handler]`; collected by `inventory`.
#[derive(Clone, Copy)]
pub struct HandlerDescriptor {
    /// Its name; the function's, if it names none.
    pub name: &'static str,
    /// The module it stands in.
    pub module: &'static str,
    /// The crate it stands in.
    pub package: &'static str,
    /// Where it stands, `file:line`.
    pub location: &'static str,
    /// The first paragraph of its documentation.
    pub doc: &'static str,
    /// Its options.
    pub options: HandlerOptions,
    /// Whether it runs on the blocking pool.
    pub blocking: bool,
    /// Names the event types that it takes.
    pub takes: fn(&mut Vec<&'static EventDescriptor>),
    /// Names the event types that it can emit.
    pub emits: fn(&mut Vec<&'static EventDescriptor>),
    /// Names those of them that tell of a failure.
    pub failures: fn(&mut Vec<&'static EventDescriptor>),
    /// Says what it needs of each record.
    pub needs: fn(&mut Needs),
    /// Looks for what its arguments lack in a service, without a record.
    pub check: fn(&ServiceContext, &mut Vec<Error>),
    /// The type of its function.
    #[doc(hidden)]
    pub function: fn() -> TypeId,
    /// What runs it.
    #[doc(hidden)]
    pub call: &'static dyn Callable,
}

impl HandlerDescriptor {
    /// The loop that takes it from record to record.
    pub fn run(&self, slot: Slot) -> SlotFuture {
        crate::run::run(self.call, slot)
    }

    /// The event types that it takes.
    pub fn takes(&self) -> Vec<&'static EventDescriptor> {
        collect(self.takes)
    }

    /// The event types that it can emit, each once.
    pub fn emits(&self) -> Vec<&'static EventDescriptor> {
        collect(self.emits)
    }

    /// The event types by which it tells of a failure, each once.
    pub fn failures(&self) -> Vec<&'static EventDescriptor> {
        collect(self.failures)
    }

    /// What it needs of each record.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        (self.needs)(&mut needs);
        needs
    }

    /// The name that its delivery state is kept under: the one that it had first, if it was renamed.
    pub fn identity(&self) -> &'static str {
        self.options.renamed_from.unwrap_or(self.name)
    }

    /// Path of the function.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

fn collect(declare: fn(&mut Vec<&'static EventDescriptor>)) -> Vec<&'static EventDescriptor> {
    let mut types = Vec::new();
    declare(&mut types);
    let mut seen: Vec<&'static EventDescriptor> = Vec::with_capacity(types.len());
    for event in types {
        if !seen.contains(&event) {
            seen.push(event);
        }
    }
    seen
}

impl fmt::Debug for HandlerDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerDescriptor")
            .field("name", &self.name)
            .field("module", &self.module)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
