//! Every test that crosses modules, in one binary: linking the model libraries once is slow enough.

mod models;
