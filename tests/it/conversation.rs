//! Conversations: what a follow-up leaves unsaid, and what a student said of themselves.

use serde_json::{Value, json};

use crate::support::TestApp;

const MODULES: &str = "# First module\n\nThe first module takes three weeks and is about gesso.\n\n\
    # Second module\n\nThe second module takes five weeks and is about glazes.\n\n\
    # Varnish\n\nThe varnish dries for twelve hours, because the resin has to harden.\n";
const REFUNDS: &str = "# Refund policy\n\nYou get a refund within 14 days of the purchase. \
    For gifts the refund goes to the person who paid.\n";

struct Talk {
    test: TestApp,
    conversation: Value,
}

impl Talk {
    async fn begin() -> Self {
        let files = [("lessons/modules.md", MODULES), ("policies/refunds.md", REFUNDS)];
        Self { test: TestApp::with(&files).await, conversation: Value::Null }
    }

    async fn say(&mut self, message: &str) -> Value {
        let mut body = json!({"message": message, "creator_id": "course"});
        if !self.conversation.is_null() {
            body["conversation_id"] = self.conversation.clone();
        }
        let answer = self.test.post("/chat", body).await.json();
        self.conversation = answer["conversation_id"].clone();
        answer
    }

    #[track_caller]
    fn holds(answer: &Value, words: &str) {
        assert!(answer["response"].as_str().unwrap().contains(words), "{answer}");
    }
}

#[tokio::test]
async fn follow_ups_are_understood() {
    let mut talk = Talk::begin().await;
    Talk::holds(&talk.say("How many weeks does the first module take?").await, "three weeks");
    Talk::holds(&talk.say("and the second module?").await, "five weeks");
    Talk::holds(&talk.say("How many hours does the varnish dry?").await, "twelve hours");
    Talk::holds(&talk.say("why?").await, "resin");
    let answer = talk.say("Can I get a refund?").await;
    assert_eq!(answer["agent"], "policy", "{answer}");
    let answer = talk.say("and for gifts?").await;
    assert_eq!(answer["agent"], "policy", "{answer}");
    Talk::holds(&answer, "the person who paid");
    // What has nothing to do with what was said before is not answered from it.
    assert_eq!(talk.say("Who discovered penicillin in London?").await["abstained"], true);
}

#[tokio::test]
async fn what_a_student_said_is_known_after_many_turns_and_goes_with_the_conversation() {
    let mut talk = Talk::begin().await;
    let answer = talk.say("My name is Ana and I am in cohort 3.").await;
    assert_eq!(
        (&answer["agent"], &answer["should_escalate"]),
        (&json!("small_talk"), &json!(false)),
        "{answer}"
    );
    // More turns than are looked back at.
    for number in 0..30 {
        talk.say(["How long does the varnish dry?", "and the second module?", "thanks"][number % 3]).await;
    }
    let answer = talk.say("What is my name?").await;
    assert_eq!(answer["agent"], "small_talk", "{answer}");
    Talk::holds(&answer, "My name is Ana");
    Talk::holds(&answer, "cohort 3");
    Talk::holds(&talk.say("Hello!").await, "Hello, Ana!");
    // Another conversation knows nothing of it, and nobody does when the creator is gone.
    talk.conversation = Value::Null;
    Talk::holds(&talk.say("What is my name?").await, "not told me");
}

#[tokio::test]
async fn the_same_question_is_answered_again_without_work_until_the_content_changes() {
    let mut talk = Talk::begin().await;
    let mut ask = async |message: &str| {
        talk.conversation = Value::Null;
        talk.say(message).await
    };
    let first = ask("How many weeks does the first module take?").await;
    assert_eq!(first["cached"], false);
    let again = ask("how many weeks does the first module take").await;
    assert_eq!((&again["cached"], &again["response"]), (&json!(true), &first["response"]));
    assert_eq!(again["citations"], first["citations"]);
    assert_ne!(again["message_id"], first["message_id"]);
    // In other words too, but never by nearness alone.
    let near = ask("Can you tell me how many weeks module one takes, please?").await;
    assert_eq!((&near["cached"], &near["response"]), (&json!(true), &first["response"]), "{near}");
    let other = ask("How many weeks does the second module take?").await;
    assert_eq!(other["cached"], false);
    Talk::holds(&other, "five weeks");
    // A refusal is found anew each time, so that each fetches a person.
    for _ in 0..2 {
        assert_eq!(ask("Who discovered penicillin in London?").await["cached"], false);
    }
    let more = neverafk::ingest::Item::upload("more.md", b"# More\n\nThe studio has a kiln.\n".to_vec());
    talk.test.app.ingest().one(&TestApp::course(), more).await.unwrap();
    talk.conversation = Value::Null;
    assert_eq!(talk.say("How many weeks does the first module take?").await["cached"], false);
}
