//! The demonstration: a bundled course, its creator, and one question.
//!
//! The course is compiled in, so that the binary alone can show the whole thing. Preparing it again changes
//! nothing: the same bytes are there already.

use std::sync::atomic::AtomicBool;

use super::{App, models};
use crate::config::Config;
use crate::domain::CreatorId;
use crate::inference::catalog::Catalog;
use crate::inference::download::{self, Progress, PullEvent, PullOptions};
use crate::inference::library::Library;
use crate::ingest::Item;
use crate::problem::Problem;
use crate::store::StoreError;

/// What the demonstration asks.
pub const SAMPLE_QUESTION: &str = "How long does it take until my eyes are used to the dark?";

/// Slug of the demonstration's creator.
const CREATOR: &str = "demo";

macro_rules! course {
    ($($name:literal $title:literal),* $(,)?) => {
        &[$(($name, $title, include_bytes!(concat!("../../assets/sample-course/", $name)).as_slice())),*]
    };
}

/// Name, title where the file has none of its own (else empty), and bytes of each file of the course.
const COURSE: &[(&str, &str, &[u8])] = course![
    "captions/lesson-03.vtt" "Lesson 3 video: Finding north",
    "captions/lesson-05.srt" "Lesson 5 video: Telling planets from stars",
    "faq.md" "",
    "handbook.pdf" "Course handbook",
    "lessons/01-before-the-first-night.md" "",
    "lessons/02-your-eyes-in-the-dark.md" "",
    "lessons/03-finding-your-way.md" "",
    "lessons/04-the-moon.md" "",
    "lessons/05-the-planets.md" "",
    "lessons/06-choosing-binoculars.md" "",
    "lessons/07-clusters-nebulae-galaxies.md" "",
    "lessons/08-meteors-satellites-and-the-log.md" "",
    "policies/access.md" "",
    "policies/certificates.md" "",
    "policies/refunds.md" "",
];

/// The bytes of a file of the course.
pub fn file(name: &str) -> Option<&'static [u8]> {
    COURSE.iter().find(|(known, ..)| *known == name).map(|(_, _, bytes)| *bytes)
}

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
        .map(|(name, title, bytes)| Item {
            title: Some((*title).to_owned()).filter(|title| !title.is_empty()),
            ..Item::file(format!("sample-course/{name}"), (*name).to_owned(), bytes.to_vec())
        })
        .collect();
    for ingested in app.ingest().batch(&creator, files).await? {
        ingested?;
    }
    // A course that was made with the built-in table is embedded again once a better model is at hand.
    let made_with = app.store().creator(&creator).await?.embedding.map(|model| model.name);
    let wanted = models::canonical(&app.config().settings.models.embedding);
    if wanted != models::canonical(models::STATIC) && made_with.is_some_and(|name| name != wanted) {
        app.reindex(&creator, None, |_, _| {}).await?;
    }
    Ok(creator)
}

/// The embedding model that the demonstration takes when it can be had: it finds what is worded otherwise.
const EMBEDDER: &str = "all-MiniLM-L6-v2";

/// Settings with the demonstration's embedding model, when it is installed or can be pulled within the patience of
/// `cancel`; else as they were, which works just as well without it. `say` hears what happens.
pub fn with_models(
    mut config: Config,
    offline: bool,
    cancel: &AtomicBool,
    mut say: impl FnMut(&str),
) -> Result<Config, Problem> {
    // What somebody has chosen stays; and offline the built-in table answers within the second.
    if offline || config.settings.models.embedding != models::STATIC {
        return Ok(config);
    }
    let library = Library::new(&config.models_dir);
    if models::present(EMBEDDER, &config.models_dir).is_err() {
        let catalog = Catalog::bundled().map_err(Problem::internal)?;
        let entry = catalog.find(EMBEDDER).map_err(Problem::internal)?;
        let options = PullOptions::from_env(offline, super::now());
        say(&format!("getting {EMBEDDER} (87 MB, once; Ctrl-C goes on without it)"));
        let mut shown = 0;
        let pulled = download::pull(entry, &library, &options, cancel, &mut |event| {
            if let PullEvent::Progress(Progress { done, total: Some(total), .. }) = event
                && total > 0
                && done * 10 / total > shown
            {
                shown = done * 10 / total;
                say(&format!("  {} of {} MB", done >> 20, total >> 20));
            }
        });
        if let Err(error) = pulled {
            say(&format!("it cannot be had now ({error}): going on with the built-in models"));
            return Ok(config);
        }
    }
    config.settings.models.embedding = EMBEDDER.to_owned();
    Ok(config)
}
