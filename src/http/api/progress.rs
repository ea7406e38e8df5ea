//! `/api/v1/students/{id}/progress`: what the creator's site reports of a student, and what it comes to. Needs the creator's
//! key; a student's signed token may carry the same.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::escalations::short;
use crate::domain::progress::{MAX_NAME_CHARS, Progress, ProgressEvent, ProgressKind};
use crate::domain::student::MAX_STUDENT_CHARS;
use crate::domain::{Student, Timestamp};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Path};
use crate::problem::{Kind, Problem};

/// Events of one request.
const MOST_EVENTS: usize = 500;

/// Events of a student.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Events {
    #[schema(max_items = 500)]
    pub events: Vec<EventBody>,
}

/// Something that a student did in a lesson.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct EventBody {
    #[serde(rename = "type")]
    pub kind: ProgressKind,
    /// The lesson's title, its id, or the name of its file.
    #[schema(max_length = 200)]
    pub lesson: String,
    /// The score of `score`, on your own scale; the milliseconds of `position`.
    #[serde(default)]
    pub value: Option<f64>,
    /// Whether a score is a pass.
    #[serde(default)]
    pub passed: Option<bool>,
    /// RFC 3339; now when absent.
    #[serde(default)]
    pub at: Option<String>,
}

/// What is known of a student's progress.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProgressBody {
    pub student: String,
    pub lessons: Vec<LessonBody>,
}

/// One lesson of it. Times are RFC 3339.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LessonBody {
    pub lesson: String,
    pub opened_at: Option<String>,
    pub completed_at: Option<String>,
    pub score: Option<f64>,
    pub passed: Option<bool>,
    pub position_ms: Option<u64>,
}

impl ProgressBody {
    fn of(student: String, progress: Progress) -> Self {
        Self { student, lessons: lessons(progress) }
    }
}

/// The lessons of a student's progress as the API shows them.
pub fn lessons(progress: Progress) -> Vec<LessonBody> {
    let body = |known: crate::domain::progress::LessonProgress| LessonBody {
        lesson: known.lesson,
        opened_at: known.opened_at.map(rfc3339),
        completed_at: known.completed_at.map(rfc3339),
        score: known.score.map(|score| score.value),
        passed: known.score.and_then(|score| score.passed),
        position_ms: known.position.map(|position| position.ms),
    };
    progress.lessons.into_iter().map(body).collect()
}

/// Takes in what a student did. The same events sent again change nothing.
#[utoipa::path(post, path = "/api/v1/students/{id}/progress", operation_id = "addProgress", tag = "students", params(("id" = String, Path)), security(("key" = [])),
    request_body = Events, responses((status = 200, body = ProgressBody), (status = 422, description = "an event is wrong, and why; none was taken", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn add(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(given): Json<Events>,
) -> Result<axum::Json<ProgressBody>, ApiError> {
    let id = short(&id, "id", MAX_STUDENT_CHARS)?;
    if id.is_empty() || given.events.len() > MOST_EVENTS {
        return Err(wrong(format!("an id and at most {MOST_EVENTS} events are taken at once")).into());
    }
    let now = crate::app::now();
    let events: Vec<_> =
        given.events.into_iter().map(|event| event.checked(now)).collect::<Result<_, _>>()?;
    let student = Student { id: id.clone(), email: None, name: None };
    let progress = app.store().add_progress(&principal.creator, &student, events).await?;
    Ok(axum::Json(ProgressBody::of(id, progress)))
}

/// Shows what is known of a student's progress.
#[utoipa::path(get, path = "/api/v1/students/{id}/progress", operation_id = "showProgress", tag = "students", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = ProgressBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<ProgressBody>, ApiError> {
    let progress = app.store().progress(&principal.creator, &id).await?;
    Ok(axum::Json(ProgressBody::of(id, progress)))
}

impl EventBody {
    /// The event, if it can be one. `usual` is its time where it says none; none is later than that.
    pub fn checked(self, usual: Timestamp) -> Result<ProgressEvent, Problem> {
        let lesson = short(&self.lesson, "lesson", MAX_NAME_CHARS)?.replace(['\n', '\t'], " ");
        if lesson.is_empty() {
            return Err(wrong("`lesson` is empty".to_owned()));
        }
        let needs_value = matches!(self.kind, ProgressKind::Score | ProgressKind::Position);
        if needs_value && !self.value.is_some_and(|value| value.is_finite() && value >= 0.0) {
            return Err(wrong(format!("`{lesson}`: a score or a position needs a number in `value`")));
        }
        let at = match &self.at {
            None => usual,
            Some(text) => {
                let time: jiff::Timestamp = text
                    .parse()
                    .map_err(|_| wrong("`at` is not a time such as `2026-11-23T18:00:00Z`".to_owned()))?;
                // A clock that is ahead must not be right for ever.
                Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0)).min(usual)
            }
        };
        Ok(ProgressEvent { kind: self.kind, lesson, value: self.value, passed: self.passed, at })
    }
}

fn wrong(message: String) -> Problem {
    Problem::new(
        Kind::Invalid,
        "invalid_progress",
        message,
        "see `/docs` for the events of a student's progress",
    )
}
