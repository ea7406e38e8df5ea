//! stub
use crate::domain::Span;
pub fn sentences(t:&str)->Vec<Span>{vec![Span{start:0,end:t.len()}]}
