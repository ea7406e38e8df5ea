//! What people are told when something fails: a sentence, what to do, a stable code, and whose turn it is.
//!
//! Every library error becomes a [`Problem`] here and nowhere else; `http/error.rs` derives the status from its
//! [`Kind`], the command line its exit code and hint. The chain of causes goes to the log, not to strangers.

use std::borrow::Cow;
use std::time::Duration;

use crate::accounts::{AccountError, PasswordError};
use crate::answer::AnswerError;
use crate::billing::LemonError;
use crate::collection::CollectionError;
use crate::config::ConfigError;
use crate::domain::{AccountNameError, IdError, QuestionError};
use crate::index::IndexError;
use crate::inference::ModelError;
use crate::inference::fault::Fault;
use crate::ingest::IngestError;
use crate::ingest::extract::ExtractError;
use crate::ingest::items::ItemError;
use crate::store::StoreError;

/// Who can act, and what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong; the caller can correct it.
    Invalid,
    /// No key, or one that is not known.
    Unauthenticated,
    /// A known caller that may not do this.
    Forbidden,
    /// The thing is not there.
    Missing,
    /// The thing was there and will not come back.
    Gone,
    /// A part was asked for that the thing, of so many bytes, does not have.
    Range(u64),
    /// The route is there, the method is not.
    Method,
    /// The thing is there already, or another process holds it.
    Conflict,
    /// More than may be sent.
    TooLarge,
    /// Bytes of a type that is not read.
    MediaType,
    /// Bytes that could not be read.
    Unreadable,
    /// It works later.
    Busy(Duration),
    /// This caller tried too often, and may again later.
    TooOften(Duration),
    /// No room on the disk.
    Full,
    /// Our fault.
    Internal,
}

/// A failure as people and programs see it.
#[derive(Debug, Clone)]
pub struct Problem {
    pub kind: Kind,
    /// Stable, snake case; clients may compare it.
    pub code: &'static str,
    /// A sentence without a final full stop.
    pub message: String,
    /// What to do next.
    pub hint: Cow<'static, str>,
}

impl Problem {
    /// A failure in these words.
    pub fn new(
        kind: Kind,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, code, message: message.into(), hint: hint.into() }
    }

    /// Our own fault: the sentence says little, the log has the chain.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "internal error");
        Self::new(
            Kind::Internal,
            "internal_error",
            "something went wrong here",
            "try again; if it stays, look into the log under the request's id",
        )
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        match &error {
            IdError::Creator(_) => Self::new(
                Kind::Invalid,
                "invalid_creator",
                error.to_string(),
                "a creator name has 1 to 64 of a-z, 0-9, `-` and `_`, and begins with a letter or digit",
            ),
            IdError::Opaque(_) => Self::new(
                Kind::Invalid,
                "invalid_id",
                error.to_string(),
                "use an id as the program printed it",
            ),
        }
    }
}

impl From<QuestionError> for Problem {
    fn from(error: QuestionError) -> Self {
        let hint = match error {
            QuestionError::Empty => "ask something",
            QuestionError::TooLong(_) => "ask in fewer words",
            QuestionError::LongLesson(_) => "send the lesson's title or its id in `lesson`",
            QuestionError::Position(_) => "send the player's position in milliseconds in `position_ms`",
            QuestionError::Language(_) => "send a language as `en` or `pt-BR` in `lang`, or leave it out",
        };
        Self::new(Kind::Invalid, "invalid_question", error.to_string(), hint)
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Self::new(Kind::Invalid, "invalid_settings", error.to_string(), hint)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::InUse(_) => Self::new(
                Kind::Conflict,
                "data_in_use",
                message,
                "wait until the other `neverafk` has ended, or name another directory with `--data-dir`",
            ),
            StoreError::Open { .. } => Self::new(
                Kind::Internal,
                "data_unusable",
                message,
                "check that the directory exists and is yours, or name another with `--data-dir`",
            ),
            StoreError::Newer { .. } => Self::new(
                Kind::Conflict,
                "data_newer",
                message,
                "run the newer `neverafk`, or restore an older backup",
            ),
            StoreError::NoCreator(id) => Self::new(
                Kind::Missing,
                "unknown_creator",
                message,
                format!(
                    "`neverafk creator list` shows those that exist; `neverafk creator add {id}` makes one"
                ),
            ),
            StoreError::UserExists(_) => Self::new(
                Kind::Conflict,
                "user_exists",
                message,
                "`neverafk user list` shows everybody; `user passwd` sets a new password",
            ),
            StoreError::NoUser(_) => {
                Self::new(Kind::Missing, "unknown_user", message, "`neverafk user list` shows everybody")
            }
            StoreError::LastOwner(_) => {
                Self::new(Kind::Conflict, "last_owner", message, "make somebody else an owner first")
            }
            StoreError::CreatorExists(_) => Self::new(
                Kind::Conflict,
                "creator_exists",
                message,
                "choose another name, or use the one that exists",
            ),
            StoreError::NoDocument(_) => Self::new(
                Kind::Missing,
                "unknown_document",
                message,
                "`neverafk search` and the answers' citations show the ids of documents",
            ),
            StoreError::Full(_) => {
                Self::new(Kind::Full, "disk_full", message, "free some space and try again; nothing was lost")
            }
            StoreError::Reopening => Self::new(
                Kind::Busy(Duration::from_secs(1)),
                "storage_reopening",
                error.to_string(),
                "try again in a second; if it stays, look whether the disk is full",
            ),
            StoreError::Damaged(_) => Self::new(
                Kind::Internal,
                "data_damaged",
                message,
                "restore a backup with `neverafk restore FILE`, or bring the document in again",
            ),
            StoreError::Backup { .. } => Self::new(
                Kind::Unreadable,
                "backup_unusable",
                message,
                "use another backup file; nothing was changed",
            ),
            StoreError::OtherModel { creator, .. } => Self::new(
                Kind::Conflict,
                "other_embedding_model",
                message,
                format!("run `neverafk reindex --creator {creator}` first, or set `models.embedding` back"),
            ),
            StoreError::Invalid(_) | StoreError::Gap { .. } | StoreError::Failed(_) => {
                Self::internal(message)
            }
        }
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        let message = error.to_string();
        match error {
            ModelError::Busy { retry_after } => {
                Self::new(Kind::Busy(retry_after), "model_busy", message, "ask again in a moment")
            }
            ModelError::NotInstalled { model } => Self::new(
                Kind::Missing,
                "model_missing",
                message,
                format!(
                    "`neverafk models pull {model}` installs it if the catalogue has it; `neverafk models list` shows what there is"
                ),
            ),
            ModelError::Unusable { model, .. } => Self::new(
                Kind::Internal,
                "model_unusable",
                message,
                format!(
                    "`neverafk models verify {model}` checks its files; `neverafk models pull {model}` fetches it again"
                ),
            ),
            ModelError::TooLong { .. } => Self::new(
                Kind::Invalid,
                "prompt_too_long",
                message,
                "ask in fewer words, or raise `models.context_tokens`",
            ),
            ModelError::Remote { fault, .. } => {
                let (wait, code, hint) = remote(&fault);
                Self::new(Kind::Busy(wait), code, message, hint)
            }
            ModelError::Unavailable(_) | ModelError::Failed(_) => Self::new(
                Kind::Busy(Duration::from_secs(5)),
                "model_failed",
                message,
                "ask again; if it stays, restart the program and look into its log",
            ),
        }
    }
}

/// When a model on another machine may work again, under which code, and what can be done.
fn remote(fault: &Fault) -> (Duration, &'static str, &'static str) {
    let soon = Duration::from_secs(5);
    match fault {
        Fault::Denied => (
            Duration::from_secs(60),
            "model_key_refused",
            "check `key` or `key_file` under `[providers]`; `neverafk doctor` tries it",
        ),
        Fault::NoModel => (
            Duration::from_secs(60),
            "model_unknown_there",
            "check the model's name and the provider's `url`; Ollama needs `ollama pull` first",
        ),
        Fault::Limited { retry_after } => (
            retry_after.unwrap_or(soon),
            "model_rate_limited",
            "ask again later, or add another model to `answer.models`",
        ),
        Fault::Resting(left) => {
            (*left, "model_resting", "`neverafk doctor` and `/health/detailed` say how it fares")
        }
        Fault::Unreachable(_) => (
            soon,
            "model_unreachable",
            "check that the provider's server runs, and its `url` under `[providers]`",
        ),
        Fault::Slow(_) | Fault::Silent(_) => {
            (soon, "model_too_slow", "ask again, or allow more time under `[chain]`")
        }
        Fault::Broken(_) | Fault::Refused { .. } | Fault::Garbled(_) | Fault::Cut | Fault::Endless(_) => {
            (soon, "model_failed", "ask again; if it stays, look into the log of the provider's server")
        }
    }
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        Self::internal(error)
    }
}

impl From<CollectionError> for Problem {
    fn from(error: CollectionError) -> Self {
        match error {
            CollectionError::Store(error) => error.into(),
            CollectionError::Index(error) => error.into(),
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Store(error) => error.into(),
            AnswerError::Collection(error) => error.into(),
            AnswerError::Model(error) => error.into(),
            AnswerError::Index(error) => error.into(),
            AnswerError::Crashed => Self::internal(error),
        }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Extract { ref name, ref error } => {
                let (kind, code) = match error {
                    ExtractError::TooLarge { .. } | ExtractError::TooMany { .. } => {
                        (Kind::TooLarge, "unreadable_document")
                    }
                    ExtractError::Unsupported(_) | ExtractError::Picture | ExtractError::NotText => {
                        (Kind::MediaType, "unreadable_document")
                    }
                    ExtractError::TooHungry { .. } => (Kind::Unreadable, "reader_out_of_memory"),
                    ExtractError::TooSlow { .. } => (Kind::Unreadable, "reader_out_of_time"),
                    ExtractError::Crashed(_) => (Kind::Unreadable, "reader_crashed"),
                    ExtractError::NoReader(_) => (Kind::Busy(Duration::from_secs(10)), "reader_unavailable"),
                    _ => (Kind::Unreadable, "unreadable_document"),
                };
                let hint = error.hint().to_owned();
                Self::new(kind, code, format!("{name}: {error}"), hint)
            }
            IngestError::Wordless { name, error } => IngestError::Extract { name, error }.into(),
            IngestError::Item(error) => error.into(),
            IngestError::Store(error) => error.into(),
            IngestError::Collection(error) => error.into(),
            IngestError::Model(error) => error.into(),
            IngestError::Crashed => Self::new(
                Kind::Unreadable,
                "unreadable_document",
                "the reader of this document crashed",
                "export the document again, or save its text and bring that in",
            ),
        }
    }
}

impl From<AccountNameError> for Problem {
    fn from(error: AccountNameError) -> Self {
        let (code, hint) = match error {
            AccountNameError::Email(_) => ("invalid_email", "an address looks like `name@school.example`"),
            AccountNameError::Scope(_) => ("invalid_scope", "a scope is `ask`, `read` or `write`"),
            AccountNameError::Role(_) => ("invalid_role", "a role is `owner`, `editor` or `agent`"),
        };
        Self::new(Kind::Invalid, code, error.to_string(), hint)
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        match error {
            AccountError::Refused => Self::new(
                Kind::Unauthenticated,
                "sign_in_refused",
                message,
                "try again; who forgot it can have a new one by mail where this server sends any, or by \
                 `neverafk user passwd EMAIL` on its machine",
            ),
            AccountError::Code => Self::new(
                Kind::Unauthenticated,
                "code_refused",
                message,
                "wait for the next code, or take one of your one-time codes",
            ),
            AccountError::TooMany(wait) => Self::new(
                Kind::TooOften(wait),
                "too_many_tries",
                message,
                format!("wait {} seconds and try again", wait.as_secs() + 1),
            ),
            AccountError::Link => Self::new(
                Kind::Forbidden,
                "link_invalid",
                message,
                "ask for a new one; the first link is shown again when the server starts anew",
            ),
            AccountError::Name(error) => error.into(),
            AccountError::Password(PasswordError::Busy(wait)) => {
                Self::new(Kind::Busy(wait), "busy", message, "try again in a moment")
            }
            AccountError::Password(PasswordError::Failed(_)) => Self::internal(message),
            AccountError::Password(_) => Self::new(
                Kind::Invalid,
                "password_refused",
                message,
                "take some words that belong together for nobody but you",
            ),
            AccountError::Store(error) => error.into(),
        }
    }
}

impl From<LemonError> for Problem {
    fn from(error: LemonError) -> Self {
        let message = error.to_string();
        let (kind, code, hint) = match error {
            LemonError::NotSetUp(_) => (
                Kind::Conflict,
                "checkout_not_set_up",
                "whoever runs this server can set it; `neverafk doctor` says what is missing",
            ),
            LemonError::Unreachable(_) | LemonError::Slow => (
                Kind::Busy(Duration::from_secs(10)),
                "payment_provider_unreachable",
                "try again in a moment; nothing was bought",
            ),
            LemonError::Denied => (
                Kind::Busy(Duration::from_secs(60)),
                "payment_provider_denied",
                "whoever runs this server can check `billing.api_key` and `billing.test_mode`",
            ),
            LemonError::Refused { .. } | LemonError::Garbled(_) => (
                Kind::Busy(Duration::from_secs(60)),
                "payment_provider_refused",
                "whoever runs this server can check `billing.store` and the plan's `variant`; nothing was bought",
            ),
            LemonError::Crashed => return Self::internal(message),
        };
        Self::new(kind, code, message, hint)
    }
}

impl From<ItemError> for Problem {
    fn from(error: ItemError) -> Self {
        let hint = error.hint().to_owned();
        Self::new(Kind::Unreadable, "unreadable_source", error.to_string(), hint)
    }
}
