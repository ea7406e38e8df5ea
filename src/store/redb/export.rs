//! Everything of one creator in one archive that other programs can read: JSON Lines and the original files, zipped.
//!
//! One snapshot, record by record, so that its size costs no memory; written under a temporary name and renamed when
//! it is whole. What stands in it, the archive says itself (`README.txt`). No secret goes in: neither keys nor what
//! signs webhooks and students. `cli/export.rs` calls this.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::accounts::{counts_of, creator_of};
use super::codec::{StoredDocument, id_at_end, key, read_json};
use super::error::io_error;
use super::tables::{Reading, Rows};
use super::{Store, blocking, sync_dir};
use super::{corrections, progress, students};
use crate::domain::{
    ContentHash, ConversationId, CreatorId, DocumentId, Entry, HeldSubscription, Job, Message, MessageId,
    Order, Ticket, Timestamp, Turn, Webhook,
};
use crate::store::StoreError;
use crate::store::blobs::Blobs;

/// Version of the archive's layout; it grows when a program that read the former one would go wrong.
const FORMAT: u32 = 1;

/// What the archive says about itself.
const README: &str = "\
An export of one creator by neverafk. Lines of *.jsonl are JSON objects; times are milliseconds since 1970 (UTC).

README.txt            this
manifest.json         format, version of the program, when, and how many of each
creator.json          id, name, settings, counts
documents.jsonl       one line a document: what is known of it, its text, and `file`, the original's name here
files/                the original files, each named by the BLAKE3 of its bytes
conversations.jsonl   one line a question with its answer and what was said of it, oldest first
corrections.jsonl     questions with the creator's own answers, as `neverafk eval answers` reads them
messages.jsonl        what people and students said to each other
escalations.jsonl     tickets with contact, notes and state
students.jsonl        students whom the creator's site named, with their conversations and their progress
jobs.jsonl            uploads that were queued
webhooks.jsonl        addresses and events, without secrets
ledger.jsonl          every change of credits, oldest first
purchases.jsonl       subscriptions and orders of credits, as the payment provider numbers them
figures.jsonl         sums by day (since 1970) of questions that were erased because of their age
picture               the assistant's face, if one was brought in: PNG, JPEG or WebP
";

/// What an export holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ExportSummary {
    pub documents: u64,
    pub files: u64,
    pub turns: u64,
    pub corrections: u64,
    pub messages: u64,
    pub escalations: u64,
    pub students: u64,
    pub jobs: u64,
    pub webhooks: u64,
    pub ledger: u64,
    pub purchases: u64,
    /// Size of the file.
    pub bytes: u64,
}

impl Store {
    /// Writes everything of a creator to `path`; a file of that name is replaced by a whole export or not at all.
    pub async fn export(
        &self,
        creator: &CreatorId,
        path: &Path,
        program: &'static str,
        now: Timestamp,
    ) -> Result<ExportSummary, StoreError> {
        let (shared, creator, path) = (self.inner.shared.clone(), creator.clone(), path.to_owned());
        blocking(move || {
            let failed = |error: io::Error| io_error(&format!("export {}", path.display()), &error);
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let mut file = tempfile::Builder::new().prefix(".export-").tempfile_in(folder).map_err(failed)?;
            let mut summary = shared.read_once(|tables| {
                let out = BufWriter::with_capacity(1 << 16, file.as_file_mut());
                let archive = Archive { zip: ZipWriter::new(out), failed: &failed };
                write_all(tables, &shared.blobs, &creator, (program, now), archive)
            })?;
            file.as_file().sync_all().map_err(failed)?;
            summary.bytes = file.as_file().metadata().map_err(failed)?.len();
            file.persist(&path).map_err(|error| failed(error.error))?;
            sync_dir(folder).map_err(failed)?;
            Ok(summary)
        })
        .await
    }
}

fn write_all<W: Write + io::Seek>(
    tables: &Reading,
    blobs: &Blobs,
    creator: &CreatorId,
    (program, now): (&str, Timestamp),
    mut archive: Archive<W>,
) -> Result<ExportSummary, StoreError> {
    let stored = creator_of(&tables.creators, creator)?;
    let mut summary = ExportSummary::default();
    archive.file("README.txt", README.as_bytes())?;
    let counts = counts_of(&tables.counts, stored.number)?;
    archive.json("creator.json", &json!({"creator": stored.creator, "counts": counts}))?;

    if let Some(picture) = super::pictures::bytes_of(&tables.pictures, stored.number)? {
        archive.file("picture", &picture)?;
    }
    archive.begin("figures.jsonl")?;
    for (day, figures) in super::expire::all(&tables.figures, stored.number, 0)? {
        archive.line(&json!({"day": day, "figures": figures}))?;
    }

    let originals = write_documents(tables, blobs, stored.number, &mut archive, &mut summary)?;
    write_conversations(tables, stored.number, &mut archive, &mut summary)?;
    write_work(tables, stored.number, &mut archive, &mut summary)?;
    write_money(tables, stored.number, &mut archive, &mut summary)?;
    write_originals(blobs, originals, &mut archive, &mut summary)?;
    let manifest = json!({
        "format": FORMAT, "program": format!("neverafk {program}"), "creator": creator, "exported_at": now,
        "holds": summary,
    });
    archive.json("manifest.json", &manifest)?;
    archive.finish()?;
    Ok(summary)
}

/// Documents with their words; gives the originals that lie beside them.
fn write_documents<W: Write + io::Seek>(
    tables: &Reading,
    blobs: &Blobs,
    creator: u32,
    archive: &mut Archive<W>,
    summary: &mut ExportSummary,
) -> Result<Vec<ContentHash>, StoreError> {
    let number = creator.to_be_bytes();
    archive.begin("documents.jsonl")?;
    let mut originals = Vec::new();
    for row in tables.creator_documents.under(&number)? {
        let id: DocumentId = id_at_end(row?.0.value())?;
        let Some(document) = tables.documents.fetch(id.as_str().as_bytes())? else { continue };
        let document: StoredDocument = read_json(&document, "a document")?;
        let content = document.document.content;
        let text = tables.texts.fetch(id.as_str().as_bytes())?.unwrap_or_default();
        let mut line = value(&document.document)?;
        line["content"] = content.to_hex().into();
        line["text"] = String::from_utf8_lossy(&text).into_owned().into();
        // Records of a corpus have no original of their own.
        if blobs.has(&content) {
            line["file"] = format!("files/{}", content.to_hex()).into();
            originals.push(content);
        }
        archive.line(&line)?;
        summary.documents += 1;
    }
    Ok(originals)
}

/// What was asked, answered and said, and by whom.
fn write_conversations<W: Write + io::Seek>(
    tables: &Reading,
    creator: u32,
    archive: &mut Archive<W>,
    summary: &mut ExportSummary,
) -> Result<(), StoreError> {
    let number = creator.to_be_bytes();
    archive.begin("conversations.jsonl")?;
    for row in tables.creator_turns.under(&number)? {
        let id: MessageId = id_at_end(row?.0.value())?;
        if let Some(turn) = tables.turns.fetch(id.as_str().as_bytes())? {
            let turn: Turn = read_json(&turn, "a turn")?;
            archive.line(&value(&turn)?)?;
            summary.turns += 1;
        }
    }

    archive.begin("corrections.jsonl")?;
    for case in corrections::all(&tables.cases, creator)? {
        archive.line(&value(&case.measured())?)?;
        summary.corrections += 1;
    }

    archive.begin("messages.jsonl")?;
    for row in tables.messages.under(&number)? {
        let message: Message = read_json(row?.1.value(), "a message")?;
        archive.line(&value(&message)?)?;
        summary.messages += 1;
    }

    archive.begin("escalations.jsonl")?;
    for row in tables.creator_tickets.under(&number)? {
        let conversation: ConversationId = id_at_end(row?.0.value())?;
        if let Some(ticket) = tables.tickets.fetch(&key([&number, conversation.as_str().as_bytes()]))? {
            let ticket: Ticket = read_json(&ticket, "a ticket")?;
            archive.line(&value(&ticket)?)?;
            summary.escalations += 1;
        }
    }

    archive.begin("students.jsonl")?;
    for (student, conversations) in students::all(&tables.students, &tables.student_conversations, creator)? {
        let mut line = value(&student)?;
        line["conversations"] = value(&conversations)?;
        let lessons = progress::find(&tables.progress, creator, &student.id)?.lessons;
        line["progress"] = value(&lessons)?;
        archive.line(&line)?;
        summary.students += 1;
    }
    Ok(())
}

/// What runs on its own: uploads that wait, and who is told what happens.
fn write_work<W: Write + io::Seek>(
    tables: &Reading,
    creator: u32,
    archive: &mut Archive<W>,
    summary: &mut ExportSummary,
) -> Result<(), StoreError> {
    let number = creator.to_be_bytes();
    archive.begin("jobs.jsonl")?;
    for row in tables.creator_jobs.under(&number)? {
        let id: crate::domain::JobId = id_at_end(row?.0.value())?;
        if let Some(job) = tables.jobs.fetch(id.as_str().as_bytes())? {
            let job: Job = read_json(&job, "a job")?;
            archive.line(&value(&job)?)?;
            summary.jobs += 1;
        }
    }

    archive.begin("webhooks.jsonl")?;
    for row in tables.webhooks.under(&number)? {
        let hook: Webhook = read_json(row?.1.value(), "a webhook")?;
        let line =
            json!({"id": hook.id, "url": hook.url, "events": hook.events, "created_at": hook.created_at});
        archive.line(&line)?;
        summary.webhooks += 1;
    }
    Ok(())
}

/// What was paid and bought.
fn write_money<W: Write + io::Seek>(
    tables: &Reading,
    creator: u32,
    archive: &mut Archive<W>,
    summary: &mut ExportSummary,
) -> Result<(), StoreError> {
    let number = creator.to_be_bytes();
    archive.begin("ledger.jsonl")?;
    for row in tables.ledger.under(&number)? {
        let entry: Entry = read_json(row?.1.value(), "an entry of the ledger")?;
        archive.line(&value(&entry)?)?;
        summary.ledger += 1;
    }

    archive.begin("purchases.jsonl")?;
    for row in tables.subscriptions.under(&number)? {
        let held: HeldSubscription = read_json(row?.1.value(), "a subscription")?;
        archive.line(&json!({"subscription": held}))?;
        summary.purchases += 1;
    }
    for row in tables.orders.under(&number)? {
        let order: Order = read_json(row?.1.value(), "an order")?;
        archive.line(&json!({"order": order}))?;
        summary.purchases += 1;
    }
    Ok(())
}

/// The files that were brought in, each once.
fn write_originals<W: Write + io::Seek>(
    blobs: &Blobs,
    originals: Vec<ContentHash>,
    archive: &mut Archive<W>,
    summary: &mut ExportSummary,
) -> Result<(), StoreError> {
    let mut written = HashSet::new();
    for content in originals {
        if !written.insert(content) {
            continue;
        }
        // One may be deleted while this runs.
        if let Some(bytes) = blobs.read_now(&content)? {
            archive.file(&format!("files/{}", content.to_hex()), &bytes)?;
            summary.files += 1;
        }
    }
    Ok(())
}

fn value(record: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(record).map_err(|error| StoreError::Invalid(error.to_string()))
}

/// The zip that is being written.
struct Archive<'a, W: Write + io::Seek> {
    zip: ZipWriter<W>,
    failed: &'a dyn Fn(io::Error) -> StoreError,
}

impl<W: Write + io::Seek> Archive<'_, W> {
    fn begin(&mut self, name: &str) -> Result<(), StoreError> {
        // Sizes are not known beforehand, and four gibibytes of conversations must not end an export.
        let options = SimpleFileOptions::default().large_file(true);
        self.zip.start_file(name, options).map_err(|error| (self.failed)(error.into()))
    }

    fn line(&mut self, record: &Value) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.zip, record).map_err(|error| (self.failed)(error.into()))?;
        self.zip.write_all(b"\n").map_err(self.failed)
    }

    fn json(&mut self, name: &str, record: &Value) -> Result<(), StoreError> {
        self.begin(name)?;
        self.line(record)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.begin(name)?;
        self.zip.write_all(bytes).map_err(self.failed)
    }

    /// Writes the directory, without which nothing can read the file.
    fn finish(self) -> Result<(), StoreError> {
        self.zip.finish().map_err(|error| (self.failed)(error.into()))?.flush().map_err(self.failed)
    }
}
