//! Is a difference between two groups chance? Tests of hypotheses, each with its source; numbers in, probabilities out.
//!
//! Pure, and knows nothing of the rest. `eval` corrects its comparisons of runs with it, `insights` compares the variants of
//! an experiment. Intervals by drawing again and again are `eval/metrics`.

mod fisher;
mod holm;
mod normal;
mod ranks;

pub use fisher::fisher;
pub use holm::holm;
pub use ranks::rank_sum;
