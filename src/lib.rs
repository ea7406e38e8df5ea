#![doc = include_str!("README.md")]

pub mod domain;

pub mod answer;
pub mod cli;
pub mod eval;
pub mod index;
pub mod inference;
pub mod ingest;
