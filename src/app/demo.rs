//! The demonstration: a bundled course, its creator, and one question.
//!
//! The course is compiled in, so that the binary alone can show the whole thing. Preparing it again changes
//! nothing: the same bytes are there already.

use super::App;
use crate::config::Config;
use crate::domain::CreatorId;
use crate::ingest::Item;
use crate::problem::Problem;
use crate::store::StoreError;

/// What the demonstration asks.
pub const SAMPLE_QUESTION: &str = "How long does it take until my eyes are used to the dark?";

/// Slug of the demonstration's creator.
const CREATOR: &str = "demo";

macro_rules! course {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../assets/sample-course/", $name)).as_slice())),*]
    };
}

/// Name and bytes of each file of the course.
const COURSE: &[(&str, &[u8])] = course![
    "captions/lesson-03.vtt",
    "captions/lesson-05.srt",
    "faq.md",
    "handbook.pdf",
    "lessons/01-before-the-first-night.md",
    "lessons/02-your-eyes-in-the-dark.md",
    "lessons/03-finding-your-way.md",
    "lessons/04-the-moon.md",
    "lessons/05-the-planets.md",
    "lessons/06-choosing-binoculars.md",
    "lessons/07-clusters-nebulae-galaxies.md",
    "lessons/08-meteors-satellites-and-the-log.md",
    "policies/access.md",
    "policies/certificates.md",
    "policies/refunds.md",
];

/// Makes the creator and brings the course in, unless that was done before.
pub async fn prepare(app: &App) -> Result<CreatorId, Problem> {
    let creator: CreatorId = CREATOR.parse()?;
    match app.store().creator(&creator).await {
        Ok(_) => {}
        Err(StoreError::NoCreator(_)) => {
            app.add_creator(creator.clone(), Some("Mara Lindqvist".into())).await?;
        }
        Err(error) => return Err(error.into()),
    }
    let files = COURSE
        .iter()
        .map(|(name, bytes)| Item::file(format!("sample-course/{name}"), (*name).to_owned(), bytes.to_vec()))
        .collect();
    for ingested in app.ingest().batch(&creator, files).await? {
        ingested?;
    }
    Ok(creator)
}

/// The settings with the best models that are at hand. Nothing is downloaded by itself: the built-in models answer
/// in milliseconds, and the line that is said tells how to get more.
pub async fn with_models(config: Config, _offline: bool, say: impl Fn(&str)) -> Config {
    say("going on with the built-in models");
    config
}
