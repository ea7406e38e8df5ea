//! What a mail says: looked up when it goes out, so that it tells how things are then. A link in it is made here, and the
//! store gets its hash alone.
//!
//! In the language of the creator's buttons ([`super::words`]), in English where none is chosen, like the dashboard. A reply
//! to a student is in the words of whoever wrote it, and what is quoted below stands under the student's language.

use super::Mailer;
use super::letter::{Letter, mailbox, one_line};
use super::words::Words;
use crate::accounts::{INVITATION_LASTS, RESET_LASTS};
use crate::domain::{
    About, ConversationId, CreatorId, Email, Mail, MessageId, Party, Role, Ticket, TicketState, Timestamp,
    UserId,
};
use crate::store::{Link, Purpose, StoreError};

/// Conversations that one mail names.
const NAMED: usize = 20;
/// Longest question in a mail to the team, and longest part of a conversation that is quoted, in characters.
const MOST_QUESTION: usize = 200;
const MOST_QUOTED: usize = 2_000;
/// Parts of a conversation that a reply quotes.
const QUOTED: usize = 10;

/// What is to be sent, if anything.
#[derive(Debug)]
pub enum Composed {
    Letter(Letter),
    /// What it was about is done.
    Needless,
    /// What it was about is not there any more, or nobody can be reached.
    Gone(&'static str),
    NotNow(&'static str),
}

/// The mail in words.
pub async fn of(mailer: &Mailer, mail: &Mail) -> Result<Composed, StoreError> {
    let composed = match &mail.about {
        About::Reset { user } => reset(mailer, mail, user).await,
        About::Invitation { creator, role, email, by } => {
            invitation(mailer, mail, creator, *role, email, by).await
        }
        About::Escalations { creator, user, conversations } => {
            escalations(mailer, mail, creator, user, conversations).await
        }
        About::Reply { creator, conversation, message } => {
            reply(mailer, mail, creator, conversation, message).await
        }
    };
    match composed {
        Err(StoreError::NoCreator(_)) => Ok(Composed::Gone(ERASED)),
        other => other,
    }
}

const ERASED: &str = "what it was about was erased";
const NO_ADDRESS: &str = "there is no address that mail can go to";
const NO_SECRET: &str = "no link could be made";

async fn reset(mailer: &Mailer, mail: &Mail, user: &UserId) -> Result<Composed, StoreError> {
    let Some(user) = mailer.store.user(user).await? else { return Ok(Composed::Gone(ERASED)) };
    let purpose = Purpose::Reset { user: user.id.clone() };
    let Some(link) = link(mailer, "reset", purpose, RESET_LASTS).await? else {
        return Ok(Composed::NotNow(NO_SECRET));
    };
    // Who belongs to several creators reads the language of one of them.
    let words = match user.roles.keys().next() {
        Some(creator) => Words::of_creator(&mailer.store.creator(creator).await?),
        None => Words::of("en"),
    };
    let values = [("email", user.email.as_str()), ("url", mailer.public_url.as_str()), ("link", &link)];
    let (subject, text) = (words.say("reset_subject", &[]), words.say("reset", &values));
    Ok(letter(mail, Some(&user.name), user.email.as_str(), subject, text, false))
}

async fn invitation(
    mailer: &Mailer,
    mail: &Mail,
    creator: &CreatorId,
    role: Role,
    email: &Email,
    by: &Email,
) -> Result<Composed, StoreError> {
    let creator_is = mailer.store.creator(creator).await?;
    let (name, words) = (one_line(&creator_is.name, 80), Words::of_creator(&creator_is));
    let purpose = Purpose::Invitation { creator: creator.clone(), role, email: email.clone() };
    let Some(link) = link(mailer, "join", purpose, INVITATION_LASTS).await? else {
        return Ok(Composed::NotNow(NO_SECRET));
    };
    let role = words.say(role.as_str(), &[]);
    let values = [("by", by.as_str()), ("name", &name), ("role", &role), ("link", &link)];
    let subject = words.say("invitation_subject", &values);
    Ok(letter(mail, None, email.as_str(), subject, words.say("invitation", &values), false))
}

async fn escalations(
    mailer: &Mailer,
    mail: &Mail,
    creator: &CreatorId,
    user: &UserId,
    conversations: &[ConversationId],
) -> Result<Composed, StoreError> {
    let store = &mailer.store;
    let user = store.user(user).await?.filter(|user| user.roles.contains_key(creator));
    let Some(user) = user else { return Ok(Composed::Gone("the person left the team")) };
    let mut waiting: Vec<Ticket> = Vec::new();
    for conversation in conversations {
        let ticket = store.ticket(creator, conversation).await?;
        waiting.extend(ticket.filter(|ticket| ticket.state == TicketState::Open));
    }
    if waiting.is_empty() {
        return Ok(Composed::Needless);
    }
    let creator_is = store.creator(creator).await?;
    let (name, words) = (one_line(&creator_is.name, 80), Words::of_creator(&creator_is));
    let inbox = format!("{}/dashboard/{creator}/inbox", mailer.public_url);
    let subject = match waiting.len() {
        1 => words.say("one_waits", &[("name", &name)]),
        count => words.say("several_wait", &[("name", &name), ("count", &count.to_string())]),
    };
    let mut text = format!("{subject}.\n\n");
    for ticket in waiting.iter().take(NAMED) {
        let question = one_line(&ticket.question, MOST_QUESTION);
        let question = if question.is_empty() { words.say("wants_person", &[]) } else { question };
        text.push_str(&format!("{question}\n{inbox}/{}\n\n", ticket.conversation));
    }
    if waiting.len() > NAMED {
        text.push_str(&format!("{}\n", words.say("all_waiting", &[("inbox", &inbox)])));
    }
    Ok(letter(mail, Some(&user.name), user.email.as_str(), subject, text, false))
}

async fn reply(
    mailer: &Mailer,
    mail: &Mail,
    creator: &CreatorId,
    conversation: &ConversationId,
    message: &MessageId,
) -> Result<Composed, StoreError> {
    let store = &mailer.store;
    let Some(ticket) = store.ticket(creator, conversation).await? else { return Ok(Composed::Gone(ERASED)) };
    let messages = store.messages(creator, conversation, usize::MAX).await?;
    let Some(said) = messages.iter().find(|found| found.id == *message) else {
        return Ok(Composed::Gone(ERASED));
    };
    let name = one_line(&store.creator(creator).await?.name, 80);
    let by = said.by.as_deref().map(|by| one_line(by, 80)).filter(|by| !by.is_empty());
    let signed = by.as_ref().map_or_else(|| name.clone(), |by| format!("{by}, {name}"));
    let mut text = format!("{}\n\n{signed}\n", said.text.trim_end());
    // Everything before it, as it was said.
    let mut before: Vec<(Timestamp, &'static str, String)> = Vec::new();
    let turns = store.conversation(creator, conversation, QUOTED).await?;
    let last = turns.iter().max_by_key(|turn| turn.created_at);
    let words = Words::of(last.map_or("en", |turn| turn.answer.language.as_str()));
    for turn in turns {
        before.push((turn.created_at, "you_asked", turn.question));
        before.push((turn.created_at, "assistant_answered", turn.answer.response));
    }
    for other in messages.iter().filter(|other| other.id != said.id) {
        let who = if other.from == Party::Student { "you_wrote" } else { "we_wrote" };
        before.push((other.at, who, other.text.clone()));
    }
    before.retain(|(at, _, text)| *at <= said.at && !text.trim().is_empty());
    before.sort_by_key(|(at, ..)| *at);
    for (_, who, quoted) in before.iter().skip(before.len().saturating_sub(QUOTED)) {
        text.push_str(&format!("\n{}\n", words.say(who, &[])));
        let quoted: String = quoted.chars().take(MOST_QUOTED).collect();
        for line in quoted.lines() {
            text.push_str(&format!("> {line}\n"));
        }
    }
    let subject = match one_line(&ticket.question, 80) {
        question if question.is_empty() => words.say("your_question", &[("name", &name)]),
        question => format!("Re: {question}"),
    };
    let contact = ticket.contact.unwrap_or_default();
    let address = contact.email.unwrap_or_default();
    Ok(letter(mail, contact.name.as_deref(), &address, subject, text, true))
}

fn letter(
    mail: &Mail,
    name: Option<&str>,
    address: &str,
    subject: String,
    text: String,
    by_person: bool,
) -> Composed {
    match mailbox(name, address) {
        Some(to) => Composed::Letter(Letter { id: mail.id.clone(), to, subject, text, by_person }),
        None => Composed::Gone(NO_ADDRESS),
    }
}

/// A link that works once, for so long from now.
async fn link(
    mailer: &Mailer,
    path: &str,
    purpose: Purpose,
    lasts: u64,
) -> Result<Option<String>, StoreError> {
    let Some(secret) = (mailer.secret)() else { return Ok(None) };
    let expires_at = Timestamp((mailer.now)().0.saturating_add(lasts));
    mailer.store.add_link(secret.hash(), Link { purpose, expires_at }).await?;
    Ok(Some(format!("{}/{path}?token={}", mailer.public_url, secret.to_text())))
}
