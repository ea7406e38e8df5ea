//! SmolLM2-135M-Instruct (Q4_1), where `NEVERAFK_TEST_MODELS` names a folder that holds it.
//!
//! `tests/reference/chat_greedy.py` made the fixture with llama.cpp. Without the weights these tests say that
//! they are skipped.

use std::path::PathBuf;

use serde::Deserialize;

use crate::inference::{
    ChatMessage, ChatRequest, ChatRole, EndReason, Sampling,
    local::gguf::{Ending, Model, sample::Sampler},
};

/// The file, or a sentence about what is not tested.
pub fn weights() -> Option<PathBuf> {
    let found = std::env::var_os("NEVERAFK_TEST_MODELS").and_then(|folder| {
        let folder = PathBuf::from(folder).join("SmolLM2-135M-Instruct");
        let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "gguf"))
    });
    if found.is_none() {
        eprintln!("skipped: NEVERAFK_TEST_MODELS names no folder with SmolLM2-135M-Instruct");
    }
    found
}

#[derive(Deserialize)]
struct Answer {
    messages: Vec<Turn>,
    prompt: Vec<u32>,
    /// llama.cpp with the file as it is: it rounds activations to eight bits.
    quantised: Greedy,
    /// llama.cpp with the same weights written out in 32 bits.
    wide: Greedy,
}

#[derive(Deserialize)]
struct Greedy {
    tokens: Vec<u32>,
    /// How far the first choice lies above the second.
    gaps: Vec<f32>,
}

#[derive(Deserialize)]
struct Turn {
    role: String,
    content: String,
}

fn messages(turns: &[Turn]) -> Vec<ChatMessage> {
    let role = |name: &str| match name {
        "system" => ChatRole::System,
        "user" => ChatRole::User,
        _ => ChatRole::Assistant,
    };
    turns.iter().map(|turn| ChatMessage { role: role(&turn.role), content: turn.content.clone() }).collect()
}

/// A gap that the rounding of the weights to 16 bits can turn over.
const TIE: f32 = 0.02;
/// A gap that llama.cpp's rounding of activations to eight bits can turn over: its own answers from the file and
/// from the wide weights part at gaps up to here.
const NEAR_TIE: f32 = 0.35;

#[test]
fn greedy_answers_are_those_of_llama_cpp() {
    let Some(path) = weights() else { return };
    let answers: Vec<Answer> =
        serde_json::from_str(include_str!("../../../../../tests/fixtures/chat/smollm2-greedy.json"))
            .expect("it parses");
    assert_eq!(answers.len(), 10);
    let mut model = Model::open(&path, 2048, None).expect("it loads");
    for (number, answer) in answers.iter().enumerate() {
        let text = model.template.render(&messages(&answer.messages)).expect("a prompt");
        assert_eq!(model.tokenizer.encode_prompt(&text).expect("tokens"), answer.prompt, "prompt {number}");
        let ours =
            greedy(&mut model, &answer.prompt, answer.wide.tokens.len().max(answer.quantised.tokens.len()));
        for (of, theirs, tie) in [("wide", &answer.wide, TIE), ("quantised", &answer.quantised, NEAR_TIE)] {
            let same = ours.iter().zip(&theirs.tokens).take_while(|(a, b)| a == b).count();
            let gap = theirs.gaps.get(same);
            eprintln!(
                "answer {number}, {of}: {same} of {} tokens are the same, then {gap:?}",
                theirs.tokens.len()
            );
            assert!(
                gap.is_none_or(|gap| *gap < tie),
                "answer {number}, {of}, parts at token {same}: gap {gap:?}"
            );
        }
    }
}

fn greedy(model: &mut Model, prompt: &[u32], most: usize) -> Vec<u32> {
    model.cache.cut(0);
    model.read(prompt, true).expect("it computes");
    let mut sampler = Sampler::new(&Sampling::default());
    let mut tokens = Vec::new();
    while tokens.len() < most {
        let token = sampler.draw(&mut model.logits, &[]);
        tokens.push(token);
        if model.tokenizer.ends.contains(&token) {
            break;
        }
        model.read(&[token], true).expect("it computes");
    }
    tokens
}

fn ask(question: &str, sampling: Sampling) -> ChatRequest {
    ChatRequest {
        messages: vec![
            ChatMessage {
                role: ChatRole::System,
                content: "You answer questions about a course.".to_owned(),
            },
            ChatMessage { role: ChatRole::User, content: question.to_owned() },
        ],
        sampling,
    }
}

fn answer(model: &mut Model, request: &ChatRequest) -> (String, Ending) {
    let mut text = String::new();
    let ending = model.answer(request, &mut |piece| text.push_str(&piece), &|| false).expect("it answers");
    (text, ending)
}

#[test]
fn answers_end_where_they_should_and_repeat_with_their_seed() {
    let Some(path) = weights() else { return };
    let mut model = Model::open(&path, 256, None).expect("it loads");
    let question = "Count from one to twenty, each number on its own line.";
    let (free, ending) =
        answer(&mut model, &ask(question, Sampling { max_tokens: 40, ..Sampling::default() }));
    assert!(matches!(ending, Ending::Complete { completion_tokens: 1..=40, .. }), "{ending:?}");
    let stop = free[free.len() / 2..].chars().take(5).collect::<String>();
    let stopped = Sampling { max_tokens: 40, stop: vec![stop.clone()], ..Sampling::default() };
    let (text, ending) = answer(&mut model, &ask(question, stopped));
    assert_eq!(text, free[..free.find(&stop).expect("it is from there")]);
    assert!(matches!(ending, Ending::Complete { reason: EndReason::Stop, .. }));

    let warm = Sampling {
        temperature: 0.9,
        top_p: 0.95,
        repeat_penalty: 1.1,
        max_tokens: 20,
        ..Sampling::default()
    };
    let first = answer(&mut model, &ask(question, warm.clone()));
    assert_eq!(answer(&mut model, &ask(question, warm.clone())), first);
    model.cache.cut(0);
    assert_eq!(answer(&mut model, &ask(question, warm.clone())), first, "a known beginning changes nothing");
    assert_ne!(answer(&mut model, &ask(question, Sampling { seed: 1, ..warm })), first);

    let endless = Sampling { max_tokens: 5000, repeat_penalty: 1.0, ..Sampling::default() };
    let (_, ending) =
        answer(&mut model, &ask("Write a very long story about a river, with many details.", endless));
    let Ending::Complete { prompt_tokens, completion_tokens, reason } = ending else { panic!("{ending:?}") };
    assert!(reason == EndReason::Stop || prompt_tokens + completion_tokens == 257, "{ending:?}");
    let (_, ending) = answer(&mut model, &ask(&"word ".repeat(400), Sampling::default()));
    assert!(matches!(ending, Ending::TooLong { tokens: 400.. }), "{ending:?}");
}

/// Prints what an answer costs. Times depend on the machine, so only nonsense fails.
#[test]
fn an_answer_with_a_thousand_tokens_of_evidence() {
    let Some(path) = weights() else { return };
    let mut model = Model::open(&path, 4096, None).expect("it loads");
    model.warm_up().expect("it computes");
    let evidence =
        "A student may ask for the money back within thirty days, if less than half was watched. ".repeat(48);
    let question = |question: &str| {
        let sampling = Sampling { max_tokens: 65, ..Sampling::default() };
        ask(&format!("{evidence}\n\nQuestion: {question}"), sampling)
    };
    for (what, question) in [
        ("cold", question("Can I get my money back?")),
        ("the same evidence", question("When is it too late?")),
    ] {
        let known = model.cache.tokens().len();
        let (start, busy) = (std::time::Instant::now(), processor_seconds());
        let mut first = None;
        let mut say = |_| {
            first.get_or_insert_with(|| (start.elapsed(), processor_seconds() - busy));
        };
        let ending = model.answer(&question, &mut say, &|| false).expect("it answers");
        let (all, all_busy) = (start.elapsed(), processor_seconds() - busy);
        let (first, first_busy) = first.expect("some text");
        let Ending::Complete { prompt_tokens, completion_tokens, .. } = ending else { panic!("{ending:?}") };
        assert!(prompt_tokens > 900 && completion_tokens > 1);
        let rest = (completion_tokens - 1) as f64;
        eprintln!(
            "{what} ({known} tokens in the cache): {prompt_tokens} tokens, first after {first:?} (processor \
             {first_busy:.2} s), then {:.1} tokens/s (processor {:.1} ms each)",
            rest / (all - first).as_secs_f64(),
            1000.0 * (all_busy - first_busy) / rest,
        );
    }
}

/// Seconds of all threads together: less noisy than time where others compute too.
#[cfg(unix)]
fn processor_seconds() -> f64 {
    // SAFETY: a zeroed struct of numbers is valid, and getrusage only writes to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    usage.ru_utime.tv_sec as f64 + usage.ru_utime.tv_usec as f64 / 1e6
}

#[cfg(not(unix))]
fn processor_seconds() -> f64 {
    f64::NAN
}
