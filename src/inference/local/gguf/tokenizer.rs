//! The tokenizer that a GGUF file carries, built for the `tokenizers` crate.
//!
//! In: the vocabulary of a file. Out: [`Tokenizer`], text to tokens; [`super::pieces`] does the way back.
//! Called while loading and for each prompt. Two kinds exist: byte-level BPE with merges (`gpt2`: SmolLM2,
//! Qwen, Llama 3), and SentencePiece with scores (`llama`: Llama 2, Phi-3, Gemma), whose merges are derived.
//! A pre-tokenizer that is not known is refused, for another one would give other tokens silently.

use std::collections::HashMap;

use tokenizers::{
    AddedToken, NormalizerWrapper, PreTokenizerWrapper,
    models::bpe::BPE,
    normalizers::{Prepend, Replace, Sequence as Normalizers, unicode::NFC},
    pre_tokenizers::{
        byte_level::ByteLevel, digits::Digits, sequence::Sequence, split::Split, split::SplitPattern,
    },
    tokenizer::SplitDelimiterBehavior,
};

use super::{error::GgufError, file::GgufFile, pieces::Pieces};

pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    pub pieces: Pieces,
    /// Text of the token that begins a prompt, and its id, if prompts begin with one.
    pub begin: Option<(String, u32)>,
    /// Texts of the tokens that a template may name.
    pub begin_text: String,
    pub end_text: String,
    /// Tokens that end an answer.
    pub ends: Vec<u32>,
    /// Texts that stand for control tokens wherever they occur.
    pub controls: Vec<String>,
}

/// What `tokenizer.ggml.token_type` says of a token; numbers as in llama.cpp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// Names that families give to the token which ends a turn.
const ENDS: [&str; 9] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|end|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
];

impl Tokenizer {
    pub fn read(file: &mut GgufFile) -> Result<Self, GgufError> {
        let tokens = file.take_texts("tokenizer.ggml.tokens")?;
        let kinds = match file.numbers("tokenizer.ggml.token_type") {
            Some(kinds) => kinds.into_iter().map(TokenKind::from_number).collect(),
            None => vec![TokenKind::Normal; tokens.len()],
        };
        if kinds.len() != tokens.len() {
            return Err(GgufError::bad("its tokens and their types are not equally many"));
        }
        let sentence_piece = match file.text("tokenizer.ggml.model")? {
            "gpt2" => false,
            "llama" => true,
            other => return Err(GgufError::bad(format!("the tokenizer `{other}` is not built in"))),
        };
        let vocabulary = Vocabulary { tokens, kinds };
        let (mut inner, begins) = if sentence_piece {
            (sentence_piece_bpe(file, &vocabulary)?, true)
        } else {
            let pre = file.text("tokenizer.ggml.pre").unwrap_or("default").to_owned();
            (byte_level_bpe(file, &vocabulary, &pre)?, LLAMA3.contains(&pre.as_str()))
        };
        // Phi-3's converter gives its control tokens the white space behind them.
        let strip = sentence_piece && file.architecture() == "phi3";
        let added = vocabulary.added_tokens(strip);
        inner.add_tokens(added).map_err(|e| GgufError::bad(format!("its special tokens do not fit: {e}")))?;

        let named =
            |id: Option<u32>| id.and_then(|id| Some((vocabulary.tokens.get(id as usize)?.clone(), id)));
        let begin = named(file.unsigned("tokenizer.ggml.bos_token_id"));
        let end = named(file.unsigned("tokenizer.ggml.eos_token_id"));
        let turn_end = named(file.unsigned("tokenizer.ggml.eot_token_id"));
        let mut ends: Vec<u32> = [&end, &turn_end].into_iter().flatten().map(|(_, id)| *id).collect();
        ends.extend((0u32..).zip(&vocabulary.tokens).zip(&vocabulary.kinds).filter_map(
            |((id, text), kind)| (*kind != TokenKind::Normal && ENDS.contains(&text.as_str())).then_some(id),
        ));
        ends.sort_unstable();
        ends.dedup();
        let text_of =
            |token: &Option<(String, u32)>| token.as_ref().map_or(String::new(), |(text, _)| text.clone());
        Ok(Self {
            begin_text: text_of(&begin),
            end_text: text_of(&end),
            begin: begin.filter(|_| file.flag("tokenizer.ggml.add_bos_token").unwrap_or(begins)),
            ends,
            controls: vocabulary.of_kind(TokenKind::Control).map(str::to_owned).collect(),
            pieces: Pieces::new(&vocabulary.tokens, &vocabulary.kinds, sentence_piece),
            inner,
        })
    }

    /// Tokens of a text. The names of control tokens in it become these tokens, as a template needs it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, GgufError> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|e| GgufError::bad(format!("a text has no tokens: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// [`Self::encode`] with the token that begins a prompt, unless the text has it already.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, GgufError> {
        let mut tokens = self.encode(text)?;
        if let Some((_, id)) = &self.begin
            && tokens.first() != Some(id)
        {
            tokens.insert(0, *id);
        }
        Ok(tokens)
    }
}

impl TokenKind {
    fn from_number(number: f32) -> Self {
        match number as u32 {
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => Self::Normal,
        }
    }
}

struct Vocabulary {
    tokens: Vec<String>,
    kinds: Vec<TokenKind>,
}

impl Vocabulary {
    fn ids(&self) -> HashMap<String, u32> {
        // Where a text occurs twice the first id counts.
        self.tokens.iter().enumerate().rev().map(|(id, text)| (text.clone(), id as u32)).collect()
    }

    fn of_kind(&self, kind: TokenKind) -> impl Iterator<Item = &str> {
        self.tokens.iter().zip(&self.kinds).filter(move |(_, k)| **k == kind).map(|(text, _)| text.as_str())
    }

    /// Tokens that are found in a text before it is cut into words.
    fn added_tokens(&self, strip: bool) -> Vec<AddedToken> {
        let control = self.of_kind(TokenKind::Control).map(|text| {
            let strip = strip && !["<s>", "<unk>", "<|endoftext|>"].contains(&text);
            AddedToken::from(text, true).normalized(false).rstrip(strip)
        });
        let user = self
            .of_kind(TokenKind::UserDefined)
            .map(|text| AddedToken::from(text, false).normalized(false).rstrip(strip && text == "</s>"));
        control.chain(user).filter(|token| !token.content.is_empty()).collect()
    }
}

/// Pre-tokenizers with Llama 3's expression, which also take a whole word first if it is a token.
const LLAMA3: [&str; 4] = ["llama-bpe", "llama3", "llama-v3", "smaug-bpe"];

/// The expressions are the published ones of each tokenizer; the last cuts digits in groups as named.
fn word_expression(digits: &str) -> String {
    format!(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
}

/// GPT-4o's, which Phi-4-mini took over: words by their case, contractions with their word.
const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

fn byte_level_bpe(
    file: &mut GgufFile,
    vocabulary: &Vocabulary,
    pre: &str,
) -> Result<tokenizers::Tokenizer, GgufError> {
    let by_expression = |expression: &str| -> Result<PreTokenizerWrapper, GgufError> {
        let pattern = SplitPattern::Regex(expression.to_owned());
        let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
            .map_err(|e| GgufError::bad(format!("its words cannot be cut: {e}")))?;
        Ok(Sequence::new(vec![split.into(), ByteLevel::new(false, true, false).into()]).into())
    };
    let mut normalizer: Option<NormalizerWrapper> = None;
    let words: PreTokenizerWrapper = match pre {
        "smollm" => {
            Sequence::new(vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()]).into()
        }
        "gpt-2" => ByteLevel::new(false, true, true).into(),
        "qwen2" | "deepseek-r1-qwen" => {
            normalizer = Some(NFC.into());
            by_expression(&word_expression(r"\p{N}"))?
        }
        "gpt-4o" => by_expression(GPT_4O)?,
        "dbrx" => by_expression(&word_expression(r"\p{N}{1,3}"))?,
        llama3 if LLAMA3.contains(&llama3) => by_expression(&word_expression(r"\p{N}{1,3}"))?,
        other => return Err(GgufError::bad(format!("the pre-tokenizer `{other}` is not built in"))),
    };
    let merges = file
        .take_texts("tokenizer.ggml.merges")?
        .into_iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
            None => Err(GgufError::bad(format!("its merge `{merge}` is not a pair"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bpe = BPE::builder()
        .vocab_and_merges(vocabulary.ids().into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges)
        .ignore_merges(LLAMA3.contains(&pre))
        .build()
        .map_err(|e| GgufError::bad(format!("its merges do not fit its tokens: {e}")))?;
    let mut tokenizer = tokenizers::Tokenizer::new(bpe);
    tokenizer.with_pre_tokenizer(Some(words));
    with_normalizer(&mut tokenizer, normalizer)?;
    Ok(tokenizer)
}

fn sentence_piece_bpe(file: &GgufFile, vocabulary: &Vocabulary) -> Result<tokenizers::Tokenizer, GgufError> {
    let scores = file
        .numbers("tokenizer.ggml.scores")
        .filter(|scores| scores.len() == vocabulary.tokens.len())
        .ok_or_else(|| GgufError::bad("its tokens have no scores"))?;
    let ids = vocabulary.ids();
    let merges = merges_by_score(vocabulary, &scores, &ids);
    let mut builder = BPE::builder()
        .vocab_and_merges(ids.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges)
        .byte_fallback(true)
        .fuse_unk(true);
    let unknown = file.unsigned("tokenizer.ggml.unknown_token_id").unwrap_or(0);
    if let Some(text) = vocabulary.tokens.get(unknown as usize) {
        builder = builder.unk_token(text.clone());
    }
    let bpe = builder.build().map_err(|e| GgufError::bad(format!("its tokens do not fit together: {e}")))?;
    let mut tokenizer = tokenizers::Tokenizer::new(bpe);
    let spaces =
        Replace::new(" ", SPACE).map_err(|e| GgufError::bad(format!("spaces cannot be replaced: {e}")))?;
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if file.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true) {
        steps.push(Prepend::new(SPACE.to_owned()).into());
    }
    steps.push(spaces.into());
    with_normalizer(&mut tokenizer, Some(Normalizers::new(steps).into()))?;
    Ok(tokenizer)
}

/// What SentencePiece writes for a space.
pub const SPACE: &str = "\u{2581}";

/// SentencePiece joins the neighbours whose union has the best score. As merges: all ways to cut each token
/// into two others, best score first.
fn merges_by_score(
    vocabulary: &Vocabulary,
    scores: &[f32],
    ids: &HashMap<String, u32>,
) -> Vec<(String, String)> {
    let mut by_score: Vec<usize> = (0..vocabulary.tokens.len())
        .filter(|id| {
            matches!(vocabulary.kinds[*id], TokenKind::Normal | TokenKind::UserDefined | TokenKind::Unused)
        })
        .collect();
    by_score.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let mut merges = Vec::new();
    for id in by_score {
        let token = &vocabulary.tokens[id];
        for (cut, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(cut);
            if ids.contains_key(left) && ids.contains_key(right) {
                merges.push((left.to_owned(), right.to_owned()));
            }
        }
    }
    merges
}

fn with_normalizer(
    tokenizer: &mut tokenizers::Tokenizer,
    normalizer: Option<NormalizerWrapper>,
) -> Result<(), GgufError> {
    tokenizer
        .with_normalizer(normalizer)
        .map(|_| ())
        .map_err(|e| GgufError::bad(format!("its texts cannot be normalised: {e}")))
}
