//! The tests at the boundaries that people use: the command line, HTTP, and the life of a document.
//!
//! One binary, because each further one links the model libraries again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise and may print"
)]

mod accounts;
mod bad_input;
mod bench;
mod billing;
mod brand;
mod chain;
mod cli;
mod conversation;
mod course;
mod documents;
mod encrypted;
mod eval;
mod full_disk;
mod generate;
mod generated;
mod grammars;
mod guard;
mod hooks;
mod hostile;
mod http;
mod improve;
mod inbox;
mod lanes;
mod large;
mod learning;
mod leaving;
mod live;
mod mailing;
mod media;
mod models;
mod office;
mod openai;
mod packages;
mod pages;
mod pairs;
mod parsers;
mod privacy;
mod programs;
mod progress;
mod replay;
mod report;
mod rewriting;
mod routing;
mod sandbox;
mod scans;
mod serving;
mod sites;
mod sources;
mod storm;
mod support;
mod trial;
mod viewer;
mod voice;
mod watching;
