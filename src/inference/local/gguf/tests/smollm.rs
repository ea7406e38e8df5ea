//! SmolLM2-135M-Instruct (Q4_1), where `NEVERAFK_TEST_MODELS` names a folder that holds it.

use std::{path::PathBuf, time::Instant};

use crate::inference::{ChatMessage, ChatRequest, ChatRole, Sampling, local::gguf::Model};

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

#[test]
fn speed() {
    let Some(path) = weights() else { return };
    let start = Instant::now();
    let mut model = Model::open(&path, 4096, None).expect("it loads");
    eprintln!("open {:?}", start.elapsed());
    let start = Instant::now();
    model.warm_up().expect("it computes");
    eprintln!("warm {:?}", start.elapsed());
    let evidence = "The refund policy of the course says that a student may ask for the money back within thirty days, \
        if less than half of the lessons have been watched. ".repeat(28);
    let request = ChatRequest {
        messages: vec![
            ChatMessage { role: ChatRole::System, content: "You answer questions about a course.".to_owned() },
            ChatMessage { role: ChatRole::User, content: format!("{evidence}\n\nCan I get my money back?") },
        ],
        sampling: Sampling { max_tokens: 64, ..Sampling::default() },
    };
    for _ in 0..3 {
        model.cache.cut(0);
        let cpu = || { let mut u: libc::rusage = unsafe { std::mem::zeroed() }; unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) }; u.ru_utime.tv_sec as f64 + u.ru_utime.tv_usec as f64 / 1e6 };
        let start = Instant::now();
        let c0 = cpu(); let mut c1 = 0.0;
        let mut first = None;
        let mut text = String::new();
        let mut say = |piece: String| {
            first.get_or_insert_with(|| { c1 = cpu(); start.elapsed() });
            text.push_str(&piece);
        };
        let ending = model.answer(&request, &mut say, &|| false).expect("it answers");
        let all = start.elapsed();
        eprintln!("CPU prefill {:.3} decode {:.3}", c1 - c0, cpu() - c1);
        eprintln!("{ending:?} first {first:?} all {all:?} decode {:?} {text}", all - first.unwrap_or_default());
    }
}
