//! Follow-ups that a chat model says in full: when its wording is taken, and that rules stand in for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use neverafk::answer::chain::Chain;
use neverafk::answer::{AnswerOptions, Answering, Asked, turn_of};
use neverafk::domain::{ConversationId, MessageId, Question, Timestamp, Turn};
use neverafk::inference::chain::{Link, LinkOptions};
use neverafk::inference::{ChatModel, ChatPiece, ChatRequest, EndReason, ModelError, TokenStream};
use tokio::sync::mpsc;

use crate::support::TestApp;

const MODULES: &str = "# First module\n\nThe first module takes three weeks and is about gesso.\n\n\
    # Second module\n\nThe second module takes five weeks and is about glazes.\n";

/// Says one thing, whatever it is asked, after a while.
struct Says {
    text: &'static str,
    after: Duration,
}

#[async_trait]
impl ChatModel for Says {
    fn name(&self) -> &str {
        "says"
    }
    fn context_tokens(&self) -> usize {
        4096
    }
    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }
    async fn chat(&self, _: ChatRequest) -> Result<TokenStream, ModelError> {
        let (sender, receiver) = mpsc::channel(2);
        let (text, after) = (self.text.to_owned(), self.after);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let end = ChatPiece::End { prompt_tokens: 9, completion_tokens: 7, reason: EndReason::Stop };
            for piece in [ChatPiece::Text(text), end] {
                // Who asked may have gone.
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }
}

/// The second turn of a conversation that began with the first module.
async fn follow_up(question: &str, model: Says) -> Turn {
    let test = TestApp::with(&[("modules.md", MODULES)]).await;
    let answering = |links, rewriting| Answering {
        finder: test.app.finder(),
        chat: Chain { links, rewriting, ..Chain::none() },
        entailment: None,
        guard: None,
        examples: Arc::default(),
        cache: Arc::new(neverafk::answer::cache::AnswerCache::new(0)),
        options: AnswerOptions {
            threshold: 0.3,
            max_sentences: 3,
            max_tokens: 200,
            passages: 4,
            guard_threshold: 1.0,
            seed: 7,
        },
    };
    let creator = test.app.store().creator(&TestApp::course()).await.unwrap();
    let asked = |question: &str, history: Vec<Turn>, number: u8| Asked {
        variant: None,
        question: Question::parse(question, TestApp::course()).unwrap(),
        creator: creator.clone(),
        conversation: ConversationId::from_bytes([1; 16]),
        history,
        message: MessageId::from_bytes([number; 16]),
        now: Timestamp(u64::from(number)),
        keep: true,
        student: None,
        bill: None,
    };
    let first = asked("How many weeks does the first module take?", Vec::new(), 1);
    let first = turn_of(&answering(Vec::new(), None), first).await.unwrap();
    assert!(first.answer.response.contains("three weeks"), "{}", first.answer.response);
    let link = Arc::new(Link::new(Arc::new(model), LinkOptions::local(|| 0.5)));
    let second = asked(question, vec![first], 2);
    turn_of(&answering(vec![link], Some(Duration::from_millis(500))), second).await.unwrap()
}

fn standalone(turn: &Turn) -> String {
    turn.trace.as_ref().unwrap().standalone.clone().unwrap()
}

#[tokio::test]
async fn a_models_wording_is_looked_for_when_it_keeps_to_what_was_said() {
    let text = "How many weeks does the second module take?";
    let turn = follow_up("and the second module?", Says { text, after: Duration::ZERO }).await;
    assert_eq!(standalone(&turn), text);
    assert!(turn.answer.response.contains("five weeks"), "{}", turn.answer.response);
}

#[tokio::test]
async fn rules_stand_in_for_a_model_that_invents_or_is_late() {
    let invented = "How many weeks does the second module of Anna Miller take?";
    let whole = "How many weeks does the second module take?";
    for (text, after) in [(invented, Duration::ZERO), (whole, Duration::from_secs(1))] {
        let turn = follow_up("and the second module?", Says { text, after }).await;
        let said = standalone(&turn);
        assert!(said != text && said.contains("second"), "{said}");
        assert!(turn.answer.response.contains("five weeks"), "{}", turn.answer.response);
    }
}
