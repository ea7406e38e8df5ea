//! `/api/v1/jobs/{id}`: where a queued upload stands. Needs the creator's key.

use axum::extract::State;
use serde::Serialize;

use crate::domain::{Job, JobId, JobState, Receipt};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::Path;
use crate::problem::{Kind, Problem};

/// A job.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JobBody {
    pub id: String,
    /// `queued`, `running`, `done` or `parked`.
    pub status: &'static str,
    pub attempts: u32,
    /// How much of a recording is transcribed, while it is.
    pub percent: Option<u8>,
    /// Why it was given up.
    pub reason: Option<String>,
    pub document_id: Option<String>,
    pub chunks_created: Option<u32>,
    /// What became of the creator's documents, when it is done.
    pub documents: Option<ReceiptBody>,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
}

/// How many documents came, changed and left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReceiptBody {
    pub added: u32,
    pub changed: u32,
    pub unchanged: u32,
    /// Held by the former version of a package, and not by this one.
    pub removed: u32,
}

impl From<Receipt> for ReceiptBody {
    fn from(receipt: Receipt) -> Self {
        let Receipt { added, changed, unchanged, removed } = receipt;
        Self { added, changed, unchanged, removed }
    }
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let (status, reason, document_id, chunks_created, documents) = match job.state {
            JobState::Queued => ("queued", None, None, None, None),
            JobState::Running { .. } => ("running", None, None, None, None),
            JobState::Done { document, chunks, receipt } => {
                // A look at a watched place brings in many documents, or none.
                let document = Some(document).filter(|document| !document.is_empty());
                ("done", None, document, Some(chunks), Some(receipt.into()))
            }
            JobState::Parked { reason } => ("parked", Some(reason), None, None, None),
        };
        Self {
            id: job.id.to_string(),
            status,
            attempts: job.attempts,
            percent: None,
            reason,
            document_id,
            chunks_created,
            documents,
            created_at: super::rfc3339(job.created_at),
            updated_at: super::rfc3339(job.updated_at),
        }
    }
}

/// Shows a job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", operation_id = "showJob", tag = "jobs", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = JobBody), (status = 404, description = "not there, or another creator's", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<JobBody>, ApiError> {
    let id: JobId = id.parse()?;
    match app.store().job(&id).await? {
        Some(job) if job.creator == principal.creator => {
            let percent = job.kind.source().and_then(|source| app.listening().percent(&job.creator, source));
            Ok(axum::Json(JobBody { percent, ..job.into() }))
        }
        _ => Err(ApiError(Problem::new(
            Kind::Missing,
            "unknown_job",
            format!("there is no job `{id}`"),
            "use the `job_id` that the upload answered",
        ))),
    }
}
