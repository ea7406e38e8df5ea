"""Writes tests/fixtures/cross/: a tiny BERT and a tiny RoBERTa with classifiers, and what transformers makes of pairs.

    pip install torch transformers tokenizers
    python tests/reference/cross_encoders.py

The weights are random and mean nothing: they prove that the forward pass of src/inference/local/ is that of transformers,
for pairs from one word to more than the window holds. They are numbers of 16 bits, so that a processor which keeps
weights in 16 bits computes with the same ones. The tokenizers know letters and the words of the texts below.

`bert` has one label, as rerankers have; `roberta` has the three of natural language inference, in an order of its own, so
that whoever takes the order for granted is found out. `reference.json` holds pairs and logits; `documents` in it are the
texts of the integration tests, in the form in which the program gives a passage to a reranker.
"""
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForSequenceClassification, RobertaConfig, RobertaForSequenceClassification

OUT = Path(__file__).parent.parent / "fixtures" / "cross"

QUESTION = "How do I get a refund?"
# Title and text of small documents; the program puts the title above the text.
DOCUMENTS = [
    ("Refunds", "You can ask for a full refund within 23 days of buying the course."),
    ("Brushes", "Rinse the brushes in cold water. No refund for brushes."),
    ("Studio", "The studio opens early on Saturdays. How do I get there? Get the tram."),
    ("Certificates", "A certificate is sent when you get to the last lesson, refund or not."),
    ("Paints", "I do not get a refund for paints that were opened."),
    ("Kiln", "The kiln is hot. Do not get near it. A refund of the fee is possible."),
]
LONG = "In this lesson we split every page into passages and count how often each word occurs in the whole course. " * 12
PAIRS = [
    ("a", "b"), ("refund", "refund"), ("?", "."), ("How do I get a refund?", ""), ("", "Rinse the brushes."),
    ("HOW DO I GET A REFUND???", "how do i get a refund"), ("What does it cost?", "The course costs 79 euros, paid once."),
    ("Wie bekomme ich mein Geld zurück?", "Das Geld gibt es innerhalb von 23 Tagen zurück."),
    ("naïve café", "Ångström Übergröße ŁÓDŹ"), ("E = mc²", "∑ xᵢ ≤ 10⁻³ and 50 % of ½"), ("学生", "我怎样才能退款？这门课什么时候开始？"),
    ("a refund", "tab\tnew\nline\r\nnbsp\u00a0thin\u2009end"), ("emoji 😀", "symbols © ® ™ € £ ¥"),
    ("supercalifragilistic", "antidisestablishmentarianism " * 3), (QUESTION, LONG[:100]), (QUESTION, LONG[:300]), (QUESTION, LONG),
    (LONG, "The course has passages."), (LONG, LONG), (LONG[:40], LONG[:41]),
]


def texts():
    for first, second in PAIRS:
        yield first
        yield second
    for title, text in DOCUMENTS:
        yield f"{title}\n{text}"


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(texts(), trainers.WordPieceTrainer(vocab_size=400, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def byte_pairs():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts(), trainer)
    ends = [("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>"))]
    tokenizer.post_processor = processors.RobertaProcessing(*ends, trim_offsets=True, add_prefix_space=False)
    return tokenizer


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            wide = torch.randn(parameter.shape, generator=generator)
            if "LayerNorm.weight" in name:
                value = 1 + 0.2 * wide
            elif name.endswith("bias"):
                value = 0.1 * wide
            elif "embeddings" in name:
                value = 0.5 * wide
            else:
                value = wide * (1.5 / parameter.shape[-1] ** 0.5)
            parameter.copy_(value.half().float())
    model.eval()


def logits(model, tokenizer, window, first, second):
    tokenizer.enable_truncation(window)
    encoding = tokenizer.encode(first, second)
    assert len(encoding.ids) <= window
    inputs = {"input_ids": torch.tensor([encoding.ids])}
    if model.config.model_type == "bert":
        inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
    with torch.no_grad():
        return [round(float(value), 6) for value in model(**inputs).logits[0]]


def write(name, model, tokenizer, window):
    folder = OUT / name
    model.half().save_pretrained(folder)
    model.float()
    # Only what a loader reads; the rest differs from release to release of transformers.
    kept = (
        "architectures", "model_type", "hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers",
        "vocab_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act", "pad_token_id",
        "id2label",
    )
    config = {"architectures": [type(model).__name__], "model_type": model.config.model_type}
    for key in kept[2:]:
        config[key] = getattr(model.config, key)
    config["id2label"] = {str(key): value for key, value in config["id2label"].items()}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    pairs = [
        {"first": first, "second": second, "logits": logits(model, tokenizer, window, first, second)}
        for first, second in PAIRS
    ]
    documents = [
        {"title": title, "text": text, "logits": logits(model, tokenizer, window, QUESTION, f"{title}\n{text}")}
        for title, text in DOCUMENTS
    ]
    labels = [config["id2label"][str(at)] for at in range(len(config["id2label"]))]
    reference = {"labels": labels, "question": QUESTION, "pairs": pairs, "documents": documents}
    (folder / "reference.json").write_text(json.dumps(reference, ensure_ascii=True, indent=0) + "\n")
    for file in sorted(folder.iterdir()):
        print(file, file.stat().st_size, "bytes")
    print([row["logits"] for row in documents])


def main():
    shape = dict(
        hidden_size=32, intermediate_size=64, num_attention_heads=2, num_hidden_layers=2, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    tokenizer = wordpiece()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=96, type_vocab_size=2, num_labels=1, **shape
    )
    model = BertForSequenceClassification(config)
    randomise(model, 3)
    write("bert", model, tokenizer, 96)

    tokenizer = byte_pairs()
    labels = {0: "neutral", 1: "entailment", 2: "contradiction"}
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=98, type_vocab_size=1, id2label=labels,
        label2id={value: key for key, value in labels.items()}, pad_token_id=1, layer_norm_eps=1e-5, **shape
    )
    model = RobertaForSequenceClassification(config)
    randomise(model, 5)
    write("roberta", model, tokenizer, 96)


if __name__ == "__main__":
    main()
