//! Layers, refusals, secrets: what the settings of one run become.

use super::*;

#[test]
fn the_example_names_every_default() {
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                rest.split_once(" = ")
                    .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            });
            format!("{}\n", setting.unwrap_or(line))
        })
        .collect();
    let parsed: Settings = toml::from_str(&uncommented).unwrap();
    assert_eq!(parsed, Settings::default());
    let names = |value: &Settings| -> Vec<String> {
        layers::flatten(&toml::Value::try_from(value).unwrap()).into_iter().map(|(name, _)| name).collect()
    };
    let in_file: Vec<String> =
        layers::flatten(&toml::from_str(&uncommented).unwrap()).into_iter().map(|(name, _)| name).collect();
    for name in names(&Settings::default()) {
        assert!(in_file.contains(&name), "assets/default-config.toml does not name {name}");
    }
    assert_eq!(toml::from_str::<Settings>(EXAMPLE).unwrap(), Settings::default());
}

#[test]
fn later_layers_win_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("neverafk.toml"), "[server]\nlisten = \"127.0.0.1:4001\"\n").unwrap();
    let mut flags = Flags { data_dir: Some(dir.path().into()), ..Flags::default() };
    let resolve = |flags: &Flags, env: &[(&str, &str)]| {
        let env: Vec<_> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::resolve(flags, &env)
    };
    let config = resolve(&flags, &[]).unwrap();
    assert_eq!(
        (config.listen.port(), config.layers.get("server.listen").unwrap().origin.to_string()),
        (4001, format!("file {}", dir.path().join("neverafk.toml").display()))
    );
    let env = [("NEVERAFK_SERVER__LISTEN", "127.0.0.1:4002"), ("NEVERAFK_ANSWER__THRESHOLD", "0.25")];
    let config = resolve(&flags, &env).unwrap();
    assert_eq!((config.listen.port(), config.settings.answer.threshold), (4002, 0.25));
    flags.settings.push(("server.listen", "127.0.0.1:4003".into()));
    assert_eq!(resolve(&flags, &env).unwrap().listen.port(), 4003);
    let changed =
        config.with(&[("answer.threshold", "0.5".into()), ("answer.fusion", "rrf".into())]).unwrap();
    assert_eq!((changed.settings.answer.threshold, changed.listen.port()), (0.5, 4002));
    assert!(config.with(&[("answer.fusion", "sum".into())]).is_err());
}

#[test]
fn wrong_settings_are_refused_with_their_name() {
    let dir = tempfile::tempdir().unwrap();
    let flags = Flags { data_dir: Some(dir.path().into()), ..Flags::default() };
    for (name, value, word) in [
        ("NEVERAFK_SERVER__LISTEN", "nowhere", "server.listen"),
        ("NEVERAFK_ANSWER__THRESHOLD", "7", "answer.threshold"),
        ("NEVERAFK_ANSWER__PASSAGES", "none", "answer.passages"),
        ("NEVERAFK_ANSWER__FUSION", "min-max", "answer.fusion"),
        ("NEVERAFK_ANSWER__RERANKER", "openai:model", "answer.reranker"),
        ("NEVERAFK_ANSWER__NONSENSE", "1", "answer.nonsense"),
        ("NEVERAFK_ANSWER__MODELS", "nobody:model", "answer.models"),
        ("NEVERAFK_PROVIDERS__GPU__URL", "gpu", "providers.gpu.url"),
        ("NEVERAFK_PROVIDERS__LOCAL__URL", "http://gpu/v1", "providers.local.url"),
        ("NEVERAFK_PROVIDERS__GPU__NONSENSE", "1", "providers.gpu.nonsense"),
        ("NEVERAFK_CHAIN__FAILURE_RATE", "0", "chain.failure_rate"),
        ("NEVERAFK_MAIL__HOST", "mail.school.example", "mail.host"),
        ("NEVERAFK_MAIL__TIMEOUT_MS", "0", "mail.timeout_ms"),
    ] {
        let error = Config::resolve(&flags, &[(name.to_owned(), value.to_owned())]).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn providers_and_chains_come_from_every_layer_and_keys_stay_hidden() {
    let dir = tempfile::tempdir().unwrap();
    let file = "[answer]\nmodels = [\"gpu:llama\", \"openai:gpt-4o-mini\"]\n[providers.gpu]\nurl = \"http://gpu:8000/v1\"\n";
    std::fs::write(dir.path().join("neverafk.toml"), file).unwrap();
    let flags = Flags { data_dir: Some(dir.path().into()), ..Flags::default() };
    let environment = [
        ("NEVERAFK_PROVIDERS__OPENAI__KEY".to_owned(), "sk-hidden".to_owned()),
        ("NEVERAFK_ANSWER__OFFERED".to_owned(), "local:SmolLM2, ollama:qwen".to_owned()),
    ];
    let config = Config::resolve(&flags, &environment).unwrap();
    let settings = &config.settings;
    assert_eq!(settings.answer.models, ["gpu:llama", "openai:gpt-4o-mini"]);
    assert_eq!(settings.answer.offered, ["local:SmolLM2", "ollama:qwen"]);
    assert_eq!(settings.providers["gpu"].url, "http://gpu:8000/v1");
    assert_eq!(settings.providers["openai"].key.reveal(), "sk-hidden");
    let shown: Vec<String> =
        config.layers.iter().map(|setting| format!("{} {}", setting.name, setting.shown())).collect();
    let shown = format!("{} {config:?}", shown.join("\n"));
    assert!(shown.contains("providers.openai.key") && !shown.contains("sk-hidden"), "{shown}");
}
