//! stub
pub fn confidence(r:&super::retrieve::Retrieved,_t:&[&str])->f32{ r.hits.first().map_or(0.0,|h|h.score) }
