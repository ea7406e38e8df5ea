"""Trains the guard of questions: a linear model over concepts, hashed words and the static embedding.

    python train_guard.py train --table static-minilm-256.bin --out guard.bin [--docs DIR ...]
    python train_guard.py check --table static-minilm-256.bin --weights guard.bin --data FILE.jsonl
    python train_guard.py cross --table static-minilm-256.bin --data FILE.jsonl

`train` composes its texts with guard_texts.py, fits, and packs. `check` measures packed weights on a set that is not
trained on (the format of `eval injection`, or questions with `text`, all benign). `cross` is an experiment only: it
fits on the composed texts and all but one source of a set, and measures that source. No weights of it are kept.

What a window of 48 words gives the model, the same here and in src/answer/guard/features.rs:
  concepts   which of guard.lexicon it names, 1 each; and which two it names at most ten words apart, in order, 0.7 each
  words      words and pairs of neighbours, CRC-32 into 2^14, 1/sqrt(n) each
  letters    four characters in a row, CRC-32 into 2^15, 1/sqrt(n) each
  meaning    the static embedding of the window
  signs      marks of a forged dialogue, share of shouted words, of digits and of other signs, over the whole text
A text's score is the highest of its windows.

Layout of guard.bin, little-endian: `NVRGUARD`, u32 version, u32 concepts, u32 bits of words, u32 bits of letters, u32
dimensions, u32 signs, f32 bias, f32 scale of each of the groups (concepts, pairs, words, letters), the groups as i8,
then f32 for meaning and signs.
"""
import argparse
import json
import re
import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import guard_texts

HERE = Path(__file__).parent
WINDOW, STRIDE, NEAR, MOST = 48, 24, 10, 1200
WORD_BITS, LETTER_BITS, SIGNS = 14, 15, 4
PAIR_WEIGHT = 0.7
MARKS = ["<|", "|>", "[inst", "[/inst", "<<sys", "###", "---end", "</", "system:", "system]", "assistant:", "human:", "\"role\"", "[system", "<system", "{system"]

# ---- words --------------------------------------------------------------------------------------------------------


def fold(text):
    text = unicodedata.normalize("NFKC", text).lower()
    kept = (c for c in unicodedata.normalize("NFD", text) if not ("\u0300" <= c <= "\u036f" or "\u0591" <= c <= "\u05c7" or "\u064b" <= c <= "\u065f" or c == "\u0670"))
    return unicodedata.normalize("NFC", "".join(kept))


def is_unspaced(c):
    return "\u3040" <= c <= "\u30ff" or "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" or "\u0e00" <= c <= "\u0e7f"


# "j'ai" and "ai-je", French for "I have", are one word each: no talk of an AI.
FRENCH_HAVE = re.compile(r"(?<!\w)(?:(j)['\u2019](ai)|(ai)[-\u2010\u2011](je))(?!\w)")


def words(text):
    out, now = [], []
    for c in FRENCH_HAVE.sub(lambda found: "".join(filter(None, found.groups())), fold(text)):
        if is_unspaced(c):
            if now:
                out.append("".join(now))
                now = []
            out.append(c)
        elif unicodedata.category(c)[0] in "LMN":
            now.append(c)
        elif now:
            out.append("".join(now))
            now = []
    if now:
        out.append("".join(now))
    return out[:MOST]


class Lexicon:
    def __init__(self, path):
        self.names, self.patterns = [], []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            name, phrases = line.split(":", 1)
            for phrase in phrases.split("|"):
                phrase = phrase.strip()
                end = " " if phrase.endswith(".") else ""
                self.patterns.append((" " + " ".join(words(phrase)) + end, len(self.names)))
            self.names.append(name)
        self.patterns = sorted(set(self.patterns))
        by_text = {}
        for pattern, concept in self.patterns:
            by_text.setdefault(pattern, set()).add(concept)
        self.by_text = by_text
        # A trie written as one expression would miss overlaps; a look-ahead at each blank finds the longest only, so
        # the patterns are grouped by their first three characters.
        self.heads = {}
        for pattern, concepts in by_text.items():
            self.heads.setdefault(pattern[:3], []).append((pattern, concepts))

    def find(self, tokens):
        """-> sorted (place of the word, concept)"""
        line = " " + " ".join(tokens) + " "
        found, place = set(), -1
        for at, c in enumerate(line[:-1]):
            if c == " ":
                place += 1
                for head in (line[at : at + 3], line[at : at + 2]):
                    for pattern, concepts in self.heads.get(head, ()):
                        if line.startswith(pattern, at):
                            found.update((place, concept) for concept in concepts)
        return sorted(found)


class Table:
    def __init__(self, path):
        raw = Path(path).read_bytes()
        _, dims, rows, _ = struct.unpack_from("<4I", raw, 8)
        self.dims = dims
        scales = np.frombuffer(raw, "<f4", rows, 24)
        values = np.frombuffer(raw, np.int8, rows * dims, 24 + 4 * rows).reshape(rows, dims)
        self.rows = values.astype(np.float32) * scales[:, None]
        tokens = raw[24 + 4 * rows + rows * dims :].decode().rstrip("\n").split("\n")
        pieces = models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=100)
        self.tokenizer = Tokenizer(pieces)
        self.tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def embed(self, text):
        total = self.rows[self.tokenizer.encode(text, add_special_tokens=False).ids].sum(0)
        length = np.linalg.norm(total)
        return total / length if length > 1e-12 else total


# ---- features -----------------------------------------------------------------------------------------------------


class Features:
    def __init__(self, table, lexicon):
        self.table, self.lexicon = table, lexicon
        c = len(lexicon.names)
        self.parts = [c, c * c, 1 << WORD_BITS, 1 << LETTER_BITS, table.dims, SIGNS]
        self.starts = np.concatenate([[0], np.cumsum(self.parts)])

    def signs(self, text):
        lower = text.lower()
        marks = sum(mark in lower for mark in MARKS)
        shouted = [w for w in re.findall(r"[^\W\d_]+", text) if len(w) > 1]
        letters = max(len(text), 1)
        return [
            min(marks, 3) / 3,
            sum(w.isupper() for w in shouted) / max(len(shouted), 1),
            sum(c.isdigit() for c in text) / letters,
            sum(not (c.isalnum() or c.isspace()) for c in text) / letters,
        ]

    def windows(self, text):
        """-> one (columns, values) for each window"""
        tokens, signs = words(text), self.signs(text)
        starts = [0]
        while starts[-1] + WINDOW < len(tokens):
            starts.append(starts[-1] + STRIDE)
        return [self.window(tokens[s : s + WINDOW], signs) for s in starts]

    def window(self, tokens, signs):
        columns, values = [], []

        def add(part, indices, value):
            columns.extend(self.starts[part] + i for i in indices)
            values.extend([value] * len(indices))

        found = self.lexicon.find(tokens)
        c = self.parts[0]
        add(0, {concept for _, concept in found}, 1.0)
        pairs = {a * c + b for i, (p, a) in enumerate(found) for q, b in found[i + 1 :] if p < q <= p + NEAR}
        add(1, pairs, PAIR_WEIGHT)
        hashed = lambda prefix, text, bits: zlib.crc32((prefix + text).encode()) & ((1 << bits) - 1)
        grams = {hashed("w", t, WORD_BITS) for t in tokens} | {hashed("b", a + " " + b, WORD_BITS) for a, b in zip(tokens, tokens[1:])}
        add(2, grams, 1 / np.sqrt(max(len(grams), 1)))
        line = " " + " ".join(tokens) + " "
        letters = {hashed("c", line[i : i + 4], LETTER_BITS) for i in range(len(line) - 3)}
        add(3, letters, 1 / np.sqrt(max(len(letters), 1)))
        columns.extend(range(self.starts[4], self.starts[5]))
        values.extend(self.table.embed(" ".join(tokens)))
        columns.extend(range(self.starts[5], self.starts[6]))
        values.extend(signs)
        return columns, values

    def matrix(self, texts):
        """-> the windows of all texts, and the text that each belongs to"""
        rows, owners = [], []
        for number, text in enumerate(texts):
            for window in self.windows(text):
                rows.append(window)
                owners.append(number)
        indptr = np.concatenate([[0], np.cumsum([len(c) for c, _ in rows])])
        columns = np.concatenate([np.asarray(c, np.int64) for c, _ in rows])
        values = np.concatenate([np.asarray(v, np.float32) for _, v in rows])
        return sp.csr_matrix((values, columns, indptr), shape=(len(rows), self.starts[-1])), np.asarray(owners)


def highest(scores, owners, count):
    out = np.full(count, -np.inf)
    np.maximum.at(out, owners, scores)
    return 1 / (1 + np.exp(-out))


def fit(x, y, c):
    return LogisticRegression(C=c, solver="liblinear", max_iter=300, class_weight={0: 2.0, 1: 1.0}).fit(x, y)


# ---- packing ------------------------------------------------------------------------------------------------------


def pack(features, weights, bias, out):
    parts = [weights[a:b] for a, b in zip(features.starts, features.starts[1:])]
    scales = [max(float(np.abs(p).max()) / 127, 1e-9) for p in parts[:4]]
    head = b"NVRGUARD" + struct.pack("<6I", 1, features.parts[0], WORD_BITS, LETTER_BITS, features.table.dims, SIGNS)
    body = struct.pack("<5f", bias, *scales)
    body += b"".join(np.round(p / s).astype(np.int8).tobytes() for p, s in zip(parts, scales))
    body += np.concatenate(parts[4:]).astype("<f4").tobytes()
    Path(out).write_bytes(head + body)


def unpack(features, path):
    raw = Path(path).read_bytes()
    bias, *scales = struct.unpack_from("<5f", raw, 32)
    at, weights = 52, []
    for part, scale in zip(features.parts[:4], scales):
        weights.append(np.frombuffer(raw, np.int8, part, at) * np.float32(scale))
        at += part
    weights.append(np.frombuffer(raw, "<f4", sum(features.parts[4:]), at))
    return np.concatenate(weights), bias


# ---- commands -----------------------------------------------------------------------------------------------------


def read(path):
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line.strip()]
    return [r["text"] for r in rows], np.array([not r.get("benign", "benign" not in r) for r in rows]), [str(r.get("id", r.get("_id"))) for r in rows]


def tell(name, scores, attacks, thresholds=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8)):
    line = [f"{name:18} {attacks.sum():5} attacks {(~attacks).sum():5} benign"]
    for t in thresholds:
        blocked = f"{(scores[attacks] >= t).mean():.3f}" if attacks.any() else "  -  "
        false = f"{(scores[~attacks] >= t).mean():.4f}" if (~attacks).any() else "  -   "
        line.append(f"{t}: {blocked}/{false}")
    print("  ".join(line), flush=True)


def train(options, features):
    rows = guard_texts.texts(options.seed, options.each, options.docs, options.prose)
    y = np.array([label for label, _, _ in rows], bool)
    families = np.array([family for _, family, _ in rows])
    x, owners = features.matrix([text for _, _, text in rows])
    print(f"{len(rows)} texts, {x.shape[0]} windows", flush=True)
    if options.families:
        # How well a family is known that was not trained on: attacks of a kind (or in a language) left out in turn.
        for family in sorted(set(families)):
            held = families == family
            window = held[owners]
            model = fit(x[~window], y[owners][~window], options.c)
            scores = highest(model.decision_function(x), owners, len(rows))
            tell(family, scores[held], y[held])
    model = fit(x, y[owners], options.c)
    pack(features, model.coef_[0], float(model.intercept_[0]), options.out)
    weights, bias = unpack(features, options.out)
    tell("in-sample, packed", highest(x @ weights + bias, owners, len(rows)), y)


def check(options, features):
    weights, bias = unpack(features, options.weights)
    for path in options.data:
        texts, attacks, ids = read(path)
        x, owners = features.matrix(texts)
        scores = highest(x @ weights + bias, owners, len(texts))
        tell(Path(path).parent.name + "/" + Path(path).stem, scores, attacks)
        if options.scores:
            Path(options.scores).write_text("".join(f"{s:.4f}\t{int(a)}\t{i}\t{t[:160]!r}\n" for s, a, i, t in zip(scores, attacks, ids, texts)))
        for source in sorted({i.rsplit("-", 1)[0] for i in ids}) if attacks.any() else []:
            held = np.array([i.rsplit("-", 1)[0] == source for i in ids])
            tell(f"  {source}", scores[held], attacks[held])


def cross(options, features):
    rows = guard_texts.texts(options.seed, options.each, options.docs, options.prose)
    x, owners = features.matrix([text for _, _, text in rows])
    y = np.array([label for label, _, _ in rows], bool)[owners]
    texts, attacks, ids = read(options.data[0])
    other, others = features.matrix(texts)
    sources = np.array([i.rsplit("-", 1)[0] for i in ids])
    scores = np.zeros(len(texts))
    for source in sorted(set(sources)):
        held = sources == source
        window = held[others]
        # Of a long attack most windows say little by themselves: only its whole is known to be one.
        use = ~window & ~(attacks[others] & (np.bincount(others)[others] > 3))
        model = fit(sp.vstack([x, other[use]]), np.concatenate([y, attacks[others][use]]), options.c)
        scores[held] = highest(model.decision_function(other), others, len(texts))[held]
        tell(source, scores[held], attacks[held])
    tell("all, cross-validated", scores, attacks)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("command", choices=["train", "check", "cross"])
    arguments.add_argument("--table", default=HERE / "static-minilm-256.bin")
    arguments.add_argument("--lexicon", default=HERE / "guard.lexicon", type=Path)
    arguments.add_argument("--out", default=HERE / "guard.bin")
    arguments.add_argument("--weights", default=HERE / "guard.bin")
    arguments.add_argument("--data", nargs="*", default=[])
    arguments.add_argument("--docs", nargs="*", default=[])
    arguments.add_argument("--scores")
    arguments.add_argument("--families", action="store_true", help="also hold out each family in turn")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--each", type=int, default=60)
    arguments.add_argument("--prose", type=int, default=4000)
    arguments.add_argument("--c", type=float, default=1.0)
    options = arguments.parse_args()
    features = Features(Table(options.table), Lexicon(options.lexicon))
    {"train": train, "check": check, "cross": cross}[options.command](options, features)


if __name__ == "__main__":
    main()
