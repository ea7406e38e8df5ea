//! What the creator's policies say: refunds, access, certificates, prices.
//!
//! Comes in: a question. Goes out: evidence from documents that are marked as policies, or `None` where none of what is
//! found is one. A document is a policy by the creator's setting `policies`, by its folder, its name, its title or the
//! heading of the passage. Its words are quoted and never phrased anew: `agents/mod.rs` sees to that.

use serde_json::Value;

use crate::answer::find::Passage;
use crate::answer::judge;
use crate::answer::route::pattern_tokens;
use crate::answer::{AnswerError, Answering, Asked, EVIDENCE, Evidence};
use crate::domain::Document;
use crate::index::analyze::Language;
use crate::store::Creator;

/// Name of the setting that marks documents: beginnings of sources, titles or ids.
pub const SETTING: &str = "policies";

/// Chunks among which policies are looked for: a question about a refund has the refund policy among the first.
const LOOKED_AT: usize = 40;

/// Evidence of policies alone. A follow-up is looked for as it was written and as `whole`.
pub async fn evidence(
    answering: &Answering,
    asked: &Asked,
    text: &str,
    whole: Option<&str>,
    language: Option<Language>,
) -> Result<Option<Evidence>, AnswerError> {
    let alone = search(answering, asked, text, language).await?;
    let Some(whole) = whole else { return Ok(alone) };
    let together = search(answering, asked, whole, language).await?;
    let sure = |evidence: &Option<Evidence>| evidence.as_ref().map_or(-1.0, |evidence| evidence.confidence);
    Ok(if sure(&together) > sure(&alone) { together } else { alone })
}

async fn search(
    answering: &Answering,
    asked: &Asked,
    text: &str,
    language: Option<Language>,
) -> Result<Option<Evidence>, AnswerError> {
    let finder = &answering.finder;
    let mut ranked = finder.rank(&asked.creator, text, language, LOOKED_AT).await?;
    let passages = finder.passages(&asked.creator.id, &ranked.hits).await?;
    let policies: Vec<_> = passages
        .iter()
        .filter(|passage| is_policy(passage, &asked.creator))
        .map(|passage| passage.hit)
        .take(EVIDENCE)
        .collect();
    if policies.is_empty() {
        return Ok(None);
    }
    ranked.hits = policies;
    let passages = finder.passages_with_blocks(&asked.creator.id, &ranked.hits).await?;
    let similarity_counts = finder.similarity_counts(&asked.creator, ranked.language);
    let most = answering.options.max_sentences;
    judge::judge(finder, text, ranked, passages, similarity_counts, most).await.map(Some)
}

/// Whether a document is a policy, as far as its own names and the creator's list tell.
pub fn is_policy_document(document: &Document, creator: &Creator) -> bool {
    is_marked(document, creator)
        || source_parts(&document.source).any(names_policies)
        || names_policies(&document.title)
}

/// Whether a passage is of a policy.
fn is_policy(passage: &Passage, creator: &Creator) -> bool {
    is_policy_document(&passage.document, creator)
        || passage
            .chunk
            .anchor
            .heading
            .as_deref()
            .is_some_and(|heading| heading.split('›').any(names_policies))
}

/// By the creator's own list.
fn is_marked(document: &Document, creator: &Creator) -> bool {
    let marks = creator.settings.get(SETTING).and_then(Value::as_array).into_iter().flatten();
    marks.filter_map(Value::as_str).filter(|mark| !mark.is_empty()).any(|mark| {
        document.source.starts_with(mark) || document.title == mark || document.id.as_str() == mark
    })
}

/// Folders and the name of the file without its kind; of an address, what follows the host.
fn source_parts(source: &str) -> impl Iterator<Item = &str> {
    let path = source
        .split_once("://")
        .map_or(source, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    path.split(['/', '\\']).map(|part| part.rsplit_once('.').map_or(part, |(name, _)| name))
}

/// Whether a name is one of policies: it holds a word that only policies are called by, or nothing but words of what
/// policies are about.
fn names_policies(name: &str) -> bool {
    let words: Vec<String> = pattern_tokens(&name.replace(['-', '_'], " "));
    let is_filler = |word: &str| word.len() <= 3 || word.bytes().all(|byte| byte.is_ascii_digit());
    let telling: Vec<&str> = words.iter().map(String::as_str).filter(|word| !is_filler(word)).collect();
    words.iter().any(|word| STRONG.contains(&word.as_str()))
        || (telling.iter().any(|word| !WEAK.contains(word))
            && telling.iter().all(|word| SUBJECTS.contains(word)))
}

/// Without accents. Words that a lesson is hardly called by.
#[rustfmt::skip]
const STRONG: &[&str] = &[
    "policy", "policies", "tos", "agb", "terms", "impressum", "widerruf", "widerrufsbelehrung", "datenschutz",
    "datenschutzerklarung", "nutzungsbedingungen", "geschaftsbedingungen", "teilnahmebedingungen", "politicas", "politica", "cgv", "cgu",
    "politique", "condizioni", "voorwaarden", "privacybeleid", "retourbeleid", "termos",
];

/// What policies are about; each alone may be the name of a lesson too, so that nothing else may stand beside it.
#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "policy", "policies", "rules", "legal", "conditions", "terms", "service", "use", "refund", "refunds", "returns", "cancellation",
    "cancellations", "cancelling", "access", "certificate", "certificates", "payment", "payments", "pricing", "prices", "fees",
    "discounts", "invoices", "privacy", "gdpr", "licence", "license", "billing", "subscription", "subscriptions",
    "money", "back", "guarantee", "erstattung", "erstattungen", "ruckerstattung", "ruckerstattungen", "kundigung", "zugang", "zertifikat",
    "zertifikate", "zahlung", "preise", "gebuhren", "rechtliches", "reembolso", "reembolsos", "devoluciones", "acceso",
    "certificado", "certificados", "pagos", "precios", "condiciones", "privacidad", "remboursement", "remboursements",
    "acces", "certificat", "certificats", "paiement", "tarifs", "conditions", "confidentialite", "acesso", "pagamentos", "precos",
    "condicoes", "privacidade", "rimborso", "rimborsi", "accesso", "certificati", "pagamenti", "prezzi", "recesso",
    "terugbetaling", "terugbetalingen", "toegang", "certificaat", "certificaten", "betaling", "prijzen", "annuleren",
];

/// Of these, which say nothing without another: `Money back guarantee` is a policy, `Money` may be a lesson.
const WEAK: &[&str] = &["money", "back", "service", "use"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_told_by_their_names() {
        for (name, expected) in [
            ("Refund policy", true),
            ("refunds", true),
            ("Terms and Conditions 2026", true),
            ("Access", true),
            ("AGB", true),
            ("certificates-of-the-course", false),
            ("Refunds in Stripe", false),
            ("lessons", false),
            ("01-money", false),
            ("Money-back guarantee", true),
            ("Rückerstattungen", true),
            ("Rückerstattung", true),
            ("2026", false),
            ("", false),
        ] {
            assert_eq!(names_policies(name), expected, "{name}");
        }
    }

    #[test]
    fn sources_are_read_by_folder_and_name() {
        let is = |source: &str| source_parts(source).any(names_policies);
        assert!(is("policies/access.md") && is("/home/mara/course/policies/x.pdf"));
        assert!(is("https://school.example/legal/refund-policy.html") && is("C:\\course\\terms.docx"));
        assert!(!is("https://policy.example/lessons/one.html") && !is("lessons/03-finding-your-way.md"));
    }
}
