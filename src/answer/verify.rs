//! stub
pub fn support(_c:&str,_e:&[&str])->f32{1.0}
