//! `/api/v1/students`: whom the creator's own site names, what is kept of them, and how it goes. Needs the creator's
//! key.
//!
//! A site names a student by a token: a JSON Web Token signed with HS256 (RFC 7519) by the creator's secret, with the
//! student's id as `sub`, and `email`, `name`, `exp` and `progress` as they are known. While a creator has no secret, tokens say
//! nothing and are ignored.

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::conversations::TurnBody;
use super::escalations::{MessageBody, TicketBody};
use super::progress::{self, EventBody, LessonBody};
use crate::domain::student::MAX_STUDENT_CHARS;
use crate::domain::{ConversationId, CreatorId, Student, Timestamp};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Path;
use crate::problem::{Kind, Problem};

/// The students of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Students {
    pub students: Vec<StudentBody>,
}

/// Somebody whom the creator's site named.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StudentBody {
    pub id: String,
    pub email: Option<String>,
    pub name: Option<String>,
    /// Ids of the conversations.
    pub conversations: Vec<String>,
}

/// Everything that is kept of a student.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StudentWhole {
    #[serde(flatten)]
    pub student: StudentBody,
    pub turns: Vec<TurnBody>,
    pub messages: Vec<MessageBody>,
    pub escalations: Vec<TicketBody>,
    pub progress: Vec<LessonBody>,
}

/// What was deleted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    pub conversations: u64,
    pub turns: u64,
    pub messages: u64,
    pub escalations: u64,
    pub deliveries: u64,
    /// RFC 3339.
    pub erased_at: String,
}

/// Signs tokens; shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NewSecret {
    /// The key of HS256, in base 64.
    pub secret: String,
}

/// What a token says.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
    /// Seconds since 1970.
    #[serde(default)]
    exp: Option<f64>,
    /// When it was signed, in seconds since 1970: the time of what it reports.
    #[serde(default)]
    iat: Option<f64>,
    /// What the student did, as `POST /api/v1/students/{id}/progress` takes it.
    #[serde(default)]
    progress: Vec<EventBody>,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
}

/// Lists the students that the creator's site named.
#[utoipa::path(get, path = "/api/v1/students", operation_id = "listStudents", tag = "students", security(("key" = [])),
    responses((status = 200, body = Students), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<Students>, ApiError> {
    let students = app.store().students(&principal.creator).await?;
    Ok(axum::Json(Students { students: students.into_iter().map(body_of).collect() }))
}

/// Shows everything that is kept of a student: for a student who asks for it.
#[utoipa::path(get, path = "/api/v1/students/{id}", operation_id = "showStudent", tag = "students", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = StudentWhole), (status = 404, description = "nobody of this id or address", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<StudentWhole>, ApiError> {
    let (store, creator) = (app.store(), &principal.creator);
    let found = store.students(creator).await?.into_iter().find(|(student, _)| student.is(&id));
    let (student, conversations) = found.ok_or_else(unknown)?;
    let (mut turns, mut messages, mut escalations) = (Vec::new(), Vec::new(), Vec::new());
    for conversation in &conversations {
        turns
            .extend(store.conversation(creator, conversation, 10_000).await?.into_iter().map(TurnBody::from));
        let said = store.messages(creator, conversation, 10_000).await?;
        messages.extend(said.into_iter().map(MessageBody::from));
        escalations.extend(store.ticket(creator, conversation).await?.map(TicketBody::from));
    }
    let progress = progress::lessons(store.progress(creator, &student.id).await?);
    let student = body_of((student, conversations));
    Ok(axum::Json(StudentWhole { student, turns, messages, escalations, progress }))
}

/// Deletes everything of a student, by id, address or conversation, without a trace in any file.
#[utoipa::path(delete, path = "/api/v1/students/{id}", operation_id = "eraseStudent", tag = "students", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = Receipt), (status = 404, description = "nothing is kept of this student", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn erase(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<Receipt>, ApiError> {
    let gone = app.erase_student(Some(&principal.creator), &id).await?;
    let gone = gone.into_iter().next().ok_or_else(unknown)?;
    Ok(axum::Json(Receipt {
        conversations: gone.conversations,
        turns: gone.turns,
        messages: gone.messages,
        escalations: gone.tickets,
        deliveries: gone.deliveries,
        erased_at: rfc3339(crate::app::now()),
    }))
}

/// Makes a new secret that signs students' tokens; those signed before count no more.
#[utoipa::path(post, path = "/api/v1/students/secret", operation_id = "newStudentSecret", tag = "students", security(("key" = [])),
    responses((status = 200, body = NewSecret), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn secret(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<NewSecret>, ApiError> {
    let secret = [crate::app::random()?, crate::app::random()?].concat();
    app.store().set_student_secret(&principal.creator, secret.clone()).await?;
    Ok(axum::Json(NewSecret { secret: STANDARD.encode(secret) }))
}

/// The student whom a token names; nobody while the creator has no secret.
pub async fn named_by(
    app: &AppState,
    creator: &CreatorId,
    token: Option<&str>,
) -> Result<Option<Student>, ApiError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let Some(secret) = app.store().student_secret(creator).await? else { return Ok(None) };
    let now = crate::app::now();
    let (student, claims) = verified(token, &secret, now).map_err(|why| {
        Problem::new(
            Kind::Invalid,
            "invalid_student_token",
            format!("`student_token` is not accepted: {why}"),
            "sign a new token with the secret of `POST /api/v1/students/secret`, or leave it out",
        )
    })?;
    if !claims.progress.is_empty() {
        let signed = claims.iat.filter(|iat| iat.is_finite() && *iat > 0.0);
        // A float beyond the range becomes the nearest whole number; nothing is later than now.
        let at = signed.map_or(now, |seconds| Timestamp((seconds * 1000.0) as u64).min(now));
        let events: Vec<_> =
            claims.progress.into_iter().map(|event| event.checked(at)).collect::<Result<_, _>>()?;
        app.store().add_progress(creator, &student, events).await?;
    }
    Ok(Some(student))
}

fn verified(token: &str, secret: &[u8], now: Timestamp) -> Result<(Student, Claims), &'static str> {
    let mut parts = token.split('.');
    let (Some(head), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it is not a JSON Web Token");
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "it is not a JSON Web Token");
    let read: Head = serde_json::from_slice(&decode(head)?).map_err(|_| "it is not a JSON Web Token")?;
    // The algorithm is ours to choose: a token that names another (or none) is no token (RFC 8725, 3.1).
    if read.alg != "HS256" {
        return Err("it is not signed with HS256");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| "the secret is unusable")?;
    mac.update(format!("{head}.{claims}").as_bytes());
    mac.verify_slice(&decode(signature)?).map_err(|_| "its signature is not of this secret")?;
    let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| "it names nobody in `sub`")?;
    if claims.exp.is_some_and(|exp| exp <= now.0 as f64 / 1000.0) {
        return Err("it has expired");
    }
    let fits = |text: &str| !text.is_empty() && text.chars().count() <= MAX_STUDENT_CHARS;
    if !fits(&claims.sub) || [&claims.email, &claims.name].into_iter().flatten().any(|text| !fits(text)) {
        return Err("`sub`, `email` or `name` is empty or too long");
    }
    let student = Student { id: claims.sub.clone(), email: claims.email.clone(), name: claims.name.clone() };
    Ok((student, claims))
}

fn body_of((student, conversations): (Student, Vec<ConversationId>)) -> StudentBody {
    StudentBody {
        id: student.id,
        email: student.email,
        name: student.name,
        conversations: conversations.iter().map(ConversationId::to_string).collect(),
    }
}

fn unknown() -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_student",
        "nothing is kept of this student",
        "`GET /api/v1/students` lists those that your site named",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(head: &str, claims: &str, secret: &[u8]) -> String {
        let body = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(body.as_bytes());
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn a_token_counts_when_it_is_signed_in_time_and_names_somebody() {
        let (good, secret) = (r#"{"alg":"HS256","typ":"JWT"}"#, b"secret".as_slice());
        let now = Timestamp(1_000_000);
        let ana =
            verified(&token(good, r#"{"sub":"17","email":"a@b.example","exp":1001}"#, secret), secret, now);
        assert_eq!(
            ana.unwrap().0,
            Student { id: "17".into(), email: Some("a@b.example".into()), name: None }
        );
        for (head, claims, key, why) in [
            (good, r#"{"sub":"17"}"#, b"other".as_slice(), "signature"),
            (good, r#"{"sub":"17","exp":1000}"#, secret, "expired"),
            (good, r#"{"email":"a@b.example"}"#, secret, "sub"),
            (good, r#"{"sub":""}"#, secret, "empty"),
            (r#"{"alg":"none"}"#, r#"{"sub":"17"}"#, secret, "HS256"),
        ] {
            let refused = verified(&token(head, claims, key), secret, now).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        for text in ["", "a.b", "a.b.c", "....", "ä.ö.ü"] {
            assert!(verified(text, secret, now).is_err(), "{text}");
        }
    }
}
