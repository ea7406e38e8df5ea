//! A question becomes an answer: guard, retrieve, generate, verify.

pub mod abstain;
pub mod extract;
pub mod fuse;
pub mod retrieve;
pub mod sentence;
pub mod verify;
