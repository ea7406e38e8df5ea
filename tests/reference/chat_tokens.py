"""Makes tests/fixtures/chat/vocabularies.json and smollm2-tokens.json.

    pip install tokenizers sentencepiece numpy
    python tests/reference/chat_tokens.py SmolLM2-135M-Instruct.Q4_1.gguf

Small vocabularies are trained here on a text of ours, with the settings of the published tokenizers
(Qwen2, Llama 3, SmolLM2: `tokenizers`; Llama 2 and Phi-3: `sentencepiece`), and these packages say which
tokens are right. SmolLM2's own vocabulary is read out of its file. Where `llama_cpp` is installed, its tokens
are compared too.
"""

import io
import json
import struct
import sys
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "chat"

LESSON = """
The refund window is open for thirty days. If you've watched less than half of the lessons, you'll get all of
your money back; otherwise we can't help, but it's worth asking. Lesson 12 begins at 14:30 and lasts 45 minutes.
What's the difference between a list and a tuple? A list can be changed, a tuple can't. They're both sequences.
def refund(days: int, share: float) -> bool:
    return days <= 30 and share < 0.5
Das Zertifikat wird nach der letzten Prüfung verschickt. Wer die Übungen löst, lernt schneller.
Le remboursement est possible pendant trente jours après l'achat. Ça dépend de l'élève.
Курс начинается в понедельник. Вопросы можно задавать в любое время.
コースは月曜日に始まります。質問はいつでもどうぞ。 第１２課を見てください。
The the the lessons lessons lessons of of of the course course course, and and and the certificate certificate.
"""

TEXTS = [
    "Hello world",
    " Hello  world ",
    "",
    " ",
    "   ",
    "\n",
    "\n\n\n",
    "\t\n \t",
    "a\r\nb\r\n\r\nc",
    "I've, you'LL, it's, we'd, THEY'RE; can't won't 'tis",
    "1 22 333 4444 55555 1234567890 3.14159 1,000,000",
    "٣٤٥ １２３ Ⅻ ½ x²",
    "What is the refund policy of the course?",
    "def f(x):\n    if x > 1:\n        return x ** 2  # square\n",
    "naïve café, Ünïcödé, e\u0301 (decomposed), A\u030a",
    "Die Übung beginnt um 14:30 Uhr.",
    "Курс начинается в понедельник.",
    "コースは月曜日に始まります。",
    "本课程的退款政策是什么？",
    "هل يمكنني استرداد المال؟",
    "🚀 (rocket) 👩‍👩‍👧‍👦 🦙.cpp ❤️",
    "https://example.com/a_b?c=d&e=%20#f",
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
    "a<|im_end|>b  <|im_end|> c",
    "{\"key\": [1, null, true]}",
    "-----=====*****_____",
    "word" * 20,
    "ab  cd   ef    gh\n   ij",
    "\u00a0non\u00a0breaking\u2003em\u3000wide",
    "x\u0000y\u0007z",
    "the" + " the" * 10,
    "CamelCaseWordsAND_SCREAMING_snake_case",
    "$100.50 & 20% off!!! (really?)",
    "\ufeffbyte order mark",
]

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_level(pre):
    """The pre-tokenizer and normaliser that the published tokenizer.json of each family has."""
    if pre == "smollm":
        steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        return pre_tokenizers.Sequence(steps), None
    digits = r"\p{N}" if pre == "qwen2" else r"\p{N}{1,3}"
    steps = [
        pre_tokenizers.Split(Regex(LLAMA3 % digits), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    return pre_tokenizers.Sequence(steps), normalizers.NFC() if pre == "qwen2" else None


def with_steps(tokenizer, pre):
    tokenizer.pre_tokenizer, normalizer = byte_level(pre)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return tokenizer


def cases(encode, texts=TEXTS):
    return [{"text": text, "ids": encode(text)} for text in texts]


def trained_byte_level(pre):
    trainer = BpeTrainer(
        vocab_size=420, special_tokens=CONTROLS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learner = with_steps(Tokenizer(BPE()), pre)
    learner.train_from_iterator([LESSON], trainer)
    state = json.loads(learner.to_str())["model"]
    merges = [tuple(merge) for merge in state["merges"]]
    if pre == "llama-bpe":
        # Tokens that no merge leads to: only taking whole words first finds them.
        for word in ["Ġwindow", "Ġcertificate"]:
            state["vocab"].setdefault(word, len(state["vocab"]))
    model = BPE(vocab=state["vocab"], merges=merges, ignore_merges=pre == "llama-bpe")
    tokenizer = with_steps(Tokenizer(model), pre)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CONTROLS])
    tokens = [text for text, _ in sorted(state["vocab"].items(), key=lambda item: item[1])]
    return {
        "model": "gpt2",
        "pre": pre,
        "tokens": tokens,
        "kinds": [3 if text in CONTROLS else 1 for text in tokens],
        "merges": [" ".join(merge) for merge in merges],
        "space_prefix": False,
        "cases": cases(lambda text: tokenizer.encode(text, add_special_tokens=False).ids),
    }


def trained_sentence_piece(space_prefix):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LESSON.splitlines()),
        model_writer=out,
        model_type="bpe",
        vocab_size=560,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=space_prefix,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    ids = range(model.get_piece_size())

    def kind(i):
        if model.is_unknown(i):
            return 2
        return 3 if model.is_control(i) else 6 if model.is_byte(i) else 1

    # SentencePiece drops the null character, and knows no names of control tokens.
    texts = [text for text in TEXTS if "\0" not in text]
    return {
        "model": "llama",
        "pre": "default",
        "tokens": [model.id_to_piece(i) for i in ids],
        "kinds": [kind(i) for i in ids],
        "scores": [round(model.get_score(i), 3) for i in ids],
        "space_prefix": space_prefix,
        "cases": cases(model.encode, texts),
    }


def gguf_values(path):
    """The values of a GGUF header (version 2 or 3)."""
    formats = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    with open(path, "rb") as file:

        def number(form):
            return struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))[0]

        def value(kind):
            if kind == 8:
                return file.read(number("Q")).decode("utf-8", "replace")
            if kind == 9:
                inner, length = number("I"), number("Q")
                return [value(inner) for _ in range(length)]
            return number(formats[kind])

        assert file.read(4) == b"GGUF"
        number("I"), number("Q")
        return {value(8): value(number("I")) for _ in range(number("Q"))}


def smollm2(path):
    values = gguf_values(path)
    tokens = values["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in values["tokenizer.ggml.merges"]]
    tokenizer = with_steps(Tokenizer(BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges)), "smollm")
    kinds = values["tokenizer.ggml.token_type"]
    controls = [text for text, kind in zip(tokens, kinds) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in controls])
    made = cases(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
    try:
        from llama_cpp import Llama
    except ImportError:
        print("llama_cpp is not installed: not compared with it")
        return made
    peer = Llama(str(path), vocab_only=True, verbose=False)
    for case in made:
        ids = peer.tokenize(case["text"].encode(), add_bos=False, special=True)
        if ids != case["ids"]:
            print("llama.cpp differs:", repr(case["text"]), ids, case["ids"])
    return made


def main():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    small = {pre: trained_byte_level(pre) for pre in ["smollm", "qwen2", "llama-bpe"]}
    small["sentencepiece"] = trained_sentence_piece(True)
    small["sentencepiece without prefix"] = trained_sentence_piece(False)
    for name, content in [("vocabularies.json", small), ("smollm2-tokens.json", smollm2(sys.argv[1]))]:
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
        (FIXTURES / name).write_text(text + "\n")


main()
