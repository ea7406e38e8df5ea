//! `POST /graphql`: the creator's data in the shape that a program asks for. Needs the creator's key, also to look at
//! the schema.
//!
//! Nothing is decided here: each field calls what the REST route of the same thing calls, and a refusal has the same
//! code (`extensions.code`). What a query may cost is bounded before it runs: depth, fields times list lengths, and
//! directives.

use std::sync::OnceLock;

use async_graphql::{
    Context, EmptySubscription, Enum, ErrorExtensions, Object, Request, Response, Result, SimpleObject,
};
use axum::extract::State;

use super::AppState;
use super::auth::Principal;
use super::extract::Json;
use crate::app::Wishes;
use crate::billing::Level;
use crate::domain::{
    AnswerEvent, CreatorId, Document, DocumentId, Feedback, MessageId, Question, Ticket, TicketState, Turn,
};
use crate::events::rfc3339;
use crate::problem::{Kind, Problem};

/// Introspection as tools send it is 13 deep; our own data is 5.
const DEPTH: usize = 15;
/// A hundred answers with all their fields and citations.
const COMPLEXITY: usize = 10_000;
/// Longest list.
const MOST: usize = 500;

type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        Schema::build(Query, Mutation, EmptySubscription)
            .limit_depth(DEPTH)
            .limit_recursive_depth(2 * DEPTH)
            .limit_complexity(COMPLEXITY)
            .limit_directives(8)
            .disable_suggestions()
            .finish()
    })
}

/// One query; lists of queries are not taken.
pub async fn execute(
    State(app): State<AppState>,
    principal: Principal,
    Json(request): Json<Request>,
) -> axum::Json<Response> {
    axum::Json(schema().execute(request.data(app).data(principal)).await)
}

/// Everything that can be read.
struct Query;

/// Everything that changes something: an answer is kept.
struct Mutation;

/// The creator of the key.
#[derive(SimpleObject)]
#[graphql(name = "Creator")]
struct CreatorNode {
    id: String,
    name: String,
    created_at: String,
    /// The embedding model of the collection.
    embedding: Option<String>,
    usage: Usage,
}

/// What there is, and what was used.
#[derive(SimpleObject)]
struct Usage {
    documents: u64,
    chunks: u64,
    conversations: u64,
    /// Tokens of models on other machines in this month.
    tokens_this_month: u64,
    /// Absent where answers have no price.
    credits: Option<CreditsNode>,
}

/// Credits of this calendar month (UTC).
#[derive(SimpleObject)]
#[graphql(name = "Credits")]
struct CreditsNode {
    plan: String,
    month: String,
    used: u64,
    /// Bought credits that stay.
    bought: i64,
    /// Absent without end.
    left: Option<u64>,
    low: bool,
}

#[derive(SimpleObject)]
#[graphql(name = "Document")]
struct DocumentNode {
    id: String,
    external_id: Option<String>,
    title: String,
    source: String,
    media: String,
    language: Option<String>,
    bytes: u64,
    pages: Option<u32>,
    warnings: Vec<String>,
    created_at: String,
}

/// A part of a list, and where the next one begins.
#[derive(SimpleObject)]
struct Documents {
    nodes: Vec<DocumentNode>,
    /// Give it as `after`; absent at the end.
    next: Option<String>,
}

/// One question with its answer.
#[derive(SimpleObject)]
#[graphql(name = "Turn")]
struct TurnNode {
    id: String,
    conversation_id: String,
    question: String,
    answer: AnswerNode,
    reviewed: bool,
    /// What was said of the answer last.
    feedback: Option<FeedbackNode>,
    /// The document that holds the creator's own answer.
    corrected_by: Option<String>,
    created_at: String,
}

/// Whether an answer helped.
#[derive(SimpleObject)]
#[graphql(name = "Feedback")]
struct FeedbackNode {
    helpful: bool,
    reason: Option<String>,
    comment: Option<String>,
    given_at: String,
}

#[derive(SimpleObject)]
struct Turns {
    nodes: Vec<TurnNode>,
    /// Give it as `after`; absent at the end.
    next: Option<String>,
}

#[derive(SimpleObject)]
#[graphql(name = "Answer")]
struct AnswerNode {
    response: String,
    conversation_id: String,
    message_id: String,
    sources: Vec<String>,
    citations: Vec<CitationNode>,
    should_escalate: bool,
    abstained: bool,
    confidence: f32,
    groundedness: f32,
    agent: String,
    model: String,
    cached: bool,
    language: String,
}

#[derive(SimpleObject)]
#[graphql(name = "Citation")]
struct CitationNode {
    number: u32,
    document_id: String,
    title: String,
    /// Verbatim.
    quote: String,
    url: Option<String>,
    score: f32,
}

/// Where a conversation that needs a person stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "EscalationState")]
enum TicketWhere {
    Open,
    Assigned,
    Resolved,
}

#[derive(SimpleObject)]
#[graphql(name = "Escalation")]
struct TicketNode {
    /// The conversation's id.
    id: String,
    state: TicketWhere,
    reason: String,
    question: String,
    email: Option<String>,
    assignee: Option<String>,
    taken_over: bool,
    created_at: String,
    updated_at: String,
}

#[derive(SimpleObject)]
struct Hit {
    rank: usize,
    score: f32,
    document_id: String,
    external_id: Option<String>,
    title: String,
    text: String,
    url: Option<String>,
}

#[Object]
impl Query {
    /// The creator of the key.
    async fn creator(&self, ctx: &Context<'_>) -> Result<CreatorNode> {
        let (app, id) = of(ctx)?;
        let creator = app.store().creator(id).await.map_err(refused)?;
        Ok(CreatorNode {
            id: creator.id.to_string(),
            name: creator.name,
            created_at: rfc3339(creator.created_at),
            embedding: creator.embedding.map(|model| model.name),
            usage: usage(app, id).await?,
        })
    }

    /// What there is, and what was used.
    async fn usage(&self, ctx: &Context<'_>) -> Result<Usage> {
        let (app, id) = of(ctx)?;
        usage(app, id).await
    }

    /// The creator's documents, newest first.
    #[graphql(complexity = "first.min(500).saturating_mul(child_complexity)")]
    async fn documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 50)] first: usize,
        after: Option<String>,
    ) -> Result<Documents> {
        let (app, id) = of(ctx)?;
        let after: Option<DocumentId> = after.map(|id| id.parse()).transpose().map_err(refused)?;
        let all = app.store().documents(id).await.map_err(refused)?;
        let begin = match &after {
            None => 0,
            Some(after) => {
                all.iter().position(|document| document.id == *after).map_or(all.len(), |at| at + 1)
            }
        };
        let most = first.clamp(1, MOST);
        let more = all.len() > begin.saturating_add(most);
        let nodes: Vec<DocumentNode> =
            all.into_iter().skip(begin).take(most).map(DocumentNode::from).collect();
        let next = nodes.last().map(|node| node.id.clone()).filter(|_| more);
        Ok(Documents { nodes, next })
    }

    /// What was asked and answered, newest first.
    #[graphql(complexity = "first.min(500).saturating_mul(child_complexity)")]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 50)] first: usize,
        after: Option<String>,
    ) -> Result<Turns> {
        let (app, id) = of(ctx)?;
        let after: Option<MessageId> = after.map(|id| id.parse()).transpose().map_err(refused)?;
        let most = first.clamp(1, MOST);
        let mut turns = app.store().turns_before(id, after.as_ref(), most + 1).await.map_err(refused)?;
        let more = turns.len() > most;
        turns.truncate(most);
        let next = turns.last().map(|turn| turn.id.to_string()).filter(|_| more);
        Ok(Turns { nodes: turns.into_iter().map(TurnNode::from).collect(), next })
    }

    /// Conversations that need a person, newest first.
    #[graphql(complexity = "first.min(500).saturating_mul(child_complexity)")]
    async fn escalations(
        &self,
        ctx: &Context<'_>,
        state: Option<TicketWhere>,
        #[graphql(default = 50)] first: usize,
    ) -> Result<Vec<TicketNode>> {
        let (app, id) = of(ctx)?;
        let state = state.map(|state| match state {
            TicketWhere::Open => TicketState::Open,
            TicketWhere::Assigned => TicketState::Assigned,
            TicketWhere::Resolved => TicketState::Resolved,
        });
        let found = app.store().tickets(id, state, first.clamp(1, MOST)).await.map_err(refused)?;
        Ok(found.into_iter().map(TicketNode::from).collect())
    }

    /// Passages for a question, without an answer.
    #[graphql(complexity = "50 + k.min(100).saturating_mul(child_complexity)")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        query: String,
        #[graphql(default = 10)] k: usize,
    ) -> Result<Vec<Hit>> {
        let (app, id) = of(ctx)?;
        let report = app.search(id, &query, k.clamp(1, 100)).await.map_err(refused)?;
        let hits = report.hits.into_iter().map(|hit| Hit {
            rank: hit.rank,
            score: hit.score,
            document_id: hit.document_id.to_string(),
            external_id: hit.external_id,
            title: hit.title,
            text: hit.text,
            url: hit.url,
        });
        Ok(hits.collect())
    }
}

#[Object]
impl Mutation {
    /// Asks the creator's assistant; the answer is kept.
    #[graphql(complexity = "500 + child_complexity")]
    async fn ask(
        &self,
        ctx: &Context<'_>,
        message: String,
        conversation_id: Option<String>,
        lang: Option<String>,
    ) -> Result<AnswerNode> {
        let (app, id) = of(ctx)?;
        let _place = app.admit().map_err(refused)?;
        let mut question = Question::parse(&message, id.clone())
            .and_then(|question| question.in_language(lang.as_deref().unwrap_or_default()))
            .map_err(refused)?;
        question.conversation = conversation_id.map(|id| id.parse()).transpose().map_err(refused)?;
        let wishes = Wishes { paid: true, ..Wishes::default() };
        let mut events = app.answer_with(question, wishes).await.map_err(refused)?;
        while let Some(event) = events.recv().await {
            if let AnswerEvent::Done(answer) = event.map_err(refused)? {
                return Ok((*answer).into());
            }
        }
        Err(refused(Problem::internal("an answer ended without its last event")))
    }
}

/// Who asks, and of what.
fn of<'a>(ctx: &'a Context<'_>) -> Result<(&'a AppState, &'a CreatorId)> {
    Ok((ctx.data::<AppState>()?, &ctx.data::<Principal>()?.creator))
}

async fn usage(app: &AppState, id: &CreatorId) -> Result<Usage> {
    let counts = app.store().counts(id).await.map_err(refused)?;
    Ok(Usage {
        documents: counts.documents,
        chunks: counts.chunks,
        conversations: counts.conversations,
        tokens_this_month: app.tokens_this_month(id).await.map_err(refused)?,
        credits: app.standing(id).await.map_err(refused)?.map(|standing| CreditsNode {
            month: standing.month_text(),
            used: standing.account.month.credits(),
            bought: standing.account.wallet.balance,
            left: standing.left,
            low: standing.level != Level::Enough,
            plan: standing.plan.id,
        }),
    })
}

/// A problem as GraphQL tells it: the sentence, and code and hint beside it.
fn refused(error: impl Into<Problem>) -> async_graphql::Error {
    let problem: Problem = error.into();
    let busy = match problem.kind {
        Kind::Busy(wait) => Some(wait.as_secs().max(1)),
        _ => None,
    };
    async_graphql::Error::new(problem.message.clone()).extend_with(|_, extensions| {
        extensions.set("code", problem.code);
        extensions.set("hint", problem.hint.to_string());
        if let Some(seconds) = busy {
            extensions.set("retry_after", seconds);
        }
    })
}

impl From<Document> for DocumentNode {
    fn from(document: Document) -> Self {
        Self {
            id: document.id.to_string(),
            external_id: document.external_id,
            title: document.title,
            source: document.source,
            media: document.media.as_str().to_owned(),
            language: document.language,
            bytes: document.bytes,
            pages: document.pages,
            warnings: document.warnings,
            created_at: rfc3339(document.created_at),
        }
    }
}

impl From<Turn> for TurnNode {
    fn from(turn: Turn) -> Self {
        Self {
            id: turn.id.to_string(),
            conversation_id: turn.conversation.to_string(),
            question: turn.question,
            answer: turn.answer.into(),
            reviewed: turn.reviewed,
            feedback: turn.feedback.map(FeedbackNode::from),
            corrected_by: turn.correction.map(|correction| correction.document.to_string()),
            created_at: rfc3339(turn.created_at),
        }
    }
}

impl From<Feedback> for FeedbackNode {
    fn from(given: Feedback) -> Self {
        Self {
            helpful: given.helpful,
            reason: given.reason.map(|reason| reason.to_string()),
            comment: given.comment,
            given_at: rfc3339(given.at),
        }
    }
}

impl From<crate::domain::Answer> for AnswerNode {
    fn from(answer: crate::domain::Answer) -> Self {
        let citations = answer.citations.into_iter().map(|citation| CitationNode {
            number: citation.id,
            document_id: citation.document_id.to_string(),
            title: citation.title,
            quote: citation.quote,
            url: citation.url,
            score: citation.score,
        });
        Self {
            response: answer.response,
            conversation_id: answer.conversation_id.to_string(),
            message_id: answer.message_id.to_string(),
            sources: answer.sources,
            citations: citations.collect(),
            should_escalate: answer.should_escalate,
            abstained: answer.abstained,
            confidence: answer.confidence,
            groundedness: answer.groundedness,
            agent: answer.agent,
            model: answer.model,
            cached: answer.cached,
            language: answer.language,
        }
    }
}

impl From<Ticket> for TicketNode {
    fn from(ticket: Ticket) -> Self {
        Self {
            id: ticket.conversation.to_string(),
            state: match ticket.state {
                TicketState::Open => TicketWhere::Open,
                TicketState::Assigned => TicketWhere::Assigned,
                TicketState::Resolved => TicketWhere::Resolved,
            },
            reason: ticket.reason,
            question: ticket.question,
            email: ticket.contact.and_then(|contact| contact.email),
            assignee: ticket.assignee,
            taken_over: ticket.taken_over,
            created_at: rfc3339(ticket.created_at),
            updated_at: rfc3339(ticket.updated_at),
        }
    }
}
