//! A question becomes an answer: guard, retrieve, generate, verify.
