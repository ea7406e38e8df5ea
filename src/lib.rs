#![doc = include_str!("README.md")]

pub mod domain;

pub mod store;

pub mod index;

pub mod inference;

pub mod collection;

pub mod ingest;

pub mod answer;

pub mod insights;

pub mod stats;

pub mod accounts;

pub mod billing;

pub mod jobs;

pub mod events;

pub mod mail;

pub mod config;

pub mod problem;

pub mod app;

pub mod bench;
pub mod eval;
pub mod http;

pub mod cli;

pub mod telemetry;
