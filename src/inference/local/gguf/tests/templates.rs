//! Published chat templates, where `NEVERAFK_TEST_VOCABULARIES` names llama.cpp's folder `models`, which has them.
//!
//! They belong to others and are not copied here. Without them the test says that it is skipped.

use std::path::Path;

use crate::inference::{ChatMessage, ChatRole, local::gguf::template::ChatTemplate};

#[test]
fn published_templates_render() {
    let Some(folder) = std::env::var_os("NEVERAFK_TEST_VOCABULARIES") else {
        eprintln!("skipped: NEVERAFK_TEST_VOCABULARIES names no folder with llama.cpp's templates");
        return;
    };
    let said = [
        (ChatRole::System, "Be kind."),
        (ChatRole::User, "First question?"),
        (ChatRole::Assistant, "First answer."),
        (ChatRole::User, "Second question?"),
    ];
    let messages: Vec<ChatMessage> =
        said.iter().map(|(role, text)| ChatMessage { role: *role, content: (*text).to_owned() }).collect();
    for (name, ending) in [
        ("Qwen-Qwen3-0.6B", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("Qwen-Qwen2.5-7B-Instruct", "<|im_start|>assistant\n"),
        ("meta-llama-Llama-3.2-3B-Instruct", "<|start_header_id|>assistant<|end_header_id|>\n\n"),
        ("microsoft-Phi-3.5-mini-instruct", "<|assistant|>\n"),
        ("google-gemma-2-2b-it", "<start_of_turn>model\n"),
    ] {
        let path = Path::new(&folder).join("templates").join(format!("{name}.jinja"));
        let source = std::fs::read_to_string(&path).expect("a template");
        let template = ChatTemplate::new(Some(source), "<BOS>".into(), "<EOS>".into(), vec![]).expect(name);
        let text = template.render(&messages).expect(name);
        let mut from = 0;
        for (_, content) in said {
            from += text[from..].find(content).unwrap_or_else(|| panic!("{name} lost {content:?}: {text}"));
        }
        assert!(text.ends_with(ending), "{name} ends otherwise: {text}");
    }
}
