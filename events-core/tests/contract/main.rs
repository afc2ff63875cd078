//! Contracts: their files, the rules of compatibility, and generated schemas that hold the rules to what they say.

mod decoded;
mod documented;
mod files;
mod random;
mod rules;
mod schemas;
mod shelf;
mod table;
