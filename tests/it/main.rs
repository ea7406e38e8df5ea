//! The tests at the boundaries that people use: the command line, HTTP, and the life of a document.
//!
//! One binary, because each further one links the model libraries again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise and may print"
)]

mod bad_input;
mod bench;
mod chain;
mod cli;
mod course;
mod documents;
mod eval;
mod full_disk;
mod generate;
mod generated;
mod guard;
mod hostile;
mod http;
mod large;
mod models;
mod office;
mod openai;
mod report;
mod serving;
mod support;
mod viewer;
