"""Trains and packs the static embedding table: one vector per WordPiece token, fitted to a sentence encoder.

    python train_static.py embed --model DIR --texts texts.txt --work DIR        # the teacher's vector of every text
    python train_static.py fit   --model DIR --texts texts.txt --work DIR        # the table, and how well it does
    python train_static.py pack  --model DIR --work DIR --out static-minilm-256.bin

--model is a folder of a BERT sentence encoder with mean pooling (all-MiniLM-L6-v2): model.safetensors, config.json,
tokenizer.json, vocab.txt. Needs numpy, scipy, safetensors and tokenizers; no GPU. `embed` keeps what it finished
in the work folder and goes on from there.

The fit. A text is the mean of its tokens' rows. With S the matrix of token shares of every text and T the teacher's
unit vectors, centred and turned into their 256 leading principal directions, the table is the ridge solution
min |S X - T|^2 + lambda |X - X0|^2, found by conjugate gradients (Hestenes and Stiefel 1952). X0 is the teacher's
vector of each token alone, weighted by its smooth inverse frequency (Arora, Liang and Ma 2017), so tokens that no
text holds keep a sensible row. Frequency weighting therefore lives in the rows: no weight is needed at run time.
"""
import argparse
import json
import struct
import sys
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

DIMS = 256
LONGEST = 256  # tokens of a text that are looked at, the teacher's own training length
CHUNK = 4000   # texts between two saves

# --- the teacher ---------------------------------------------------------------------------------------------------

class Teacher:
    """A BERT encoder in numpy: mean pooling, unit length. Texts of one length go through together, so none is padded."""

    def __init__(self, folder):
        w = load_file(folder / "model.safetensors")
        self.w = {k.removeprefix("bert."): v.astype(np.float32) for k, v in w.items()}
        config = json.loads((folder / "config.json").read_text())
        self.layers, self.heads, self.eps = (config[k] for k in ("num_hidden_layers", "num_attention_heads", "layer_norm_eps"))

    def norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt(np.einsum("...i,...i->...", x, x)[..., None] / x.shape[-1] + self.eps)
        return x * self.w[name + ".weight"] + self.w[name + ".bias"]

    def linear(self, x, name):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def embed(self, ids):
        """ids: [texts, length] of token ids with [CLS] and [SEP] -> [texts, hidden], unit length."""
        texts, length = ids.shape
        e = "embeddings."
        x = self.w[e + "word_embeddings.weight"][ids] + self.w[e + "position_embeddings.weight"][:length] \
            + self.w[e + "token_type_embeddings.weight"][0]
        x = self.norm(x, e + "LayerNorm").reshape(texts * length, -1)
        wide = x.shape[1]
        head = wide // self.heads
        for i in range(self.layers):
            p = f"encoder.layer.{i}."
            q, k, v = (self.linear(x, p + f"attention.self.{n}").reshape(texts, length, self.heads, head).transpose(0, 2, 1, 3)
                       for n in ("query", "key", "value"))
            s = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(head))
            s = np.exp(s - s.max(-1, keepdims=True))
            s /= s.sum(-1, keepdims=True)
            y = (s @ v).transpose(0, 2, 1, 3).reshape(texts * length, wide)
            x = self.norm(x + self.linear(y, p + "attention.output.dense"), p + "attention.output.LayerNorm")
            f = self.linear(x, p + "intermediate.dense")
            f *= 0.5 * (1 + erf(f * np.float32(0.70710678)))
            x = self.norm(x + self.linear(f, p + "output.dense"), p + "output.LayerNorm")
        pooled = x.reshape(texts, length, wide).mean(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def embed_all(self, ids, tokens_at_once=3072):
        out = np.zeros((len(ids), self.w["embeddings.LayerNorm.weight"].size), np.float32)
        by_length = {}
        for i, x in enumerate(ids):
            by_length.setdefault(len(x), []).append(i)
        for length, rows in by_length.items():
            step = max(1, tokens_at_once // length)
            for at in range(0, len(rows), step):
                part = rows[at : at + step]
                out[part] = self.embed(np.array([ids[i] for i in part]))
        return out

def tokenizer(folder):
    t = Tokenizer.from_file(str(folder / "tokenizer.json"))
    t.no_padding()
    t.no_truncation()
    return t

def encode(folder, texts, special):
    keep = LONGEST - 2
    ids = [e.ids[:keep] for e in tokenizer(folder).encode_batch(texts, add_special_tokens=False)]
    return [[101, *x, 102] for x in ids] if special else ids

def embed(given):
    texts = given.texts.read_text(encoding="utf-8").splitlines()
    teacher = Teacher(given.model)
    given.work.mkdir(parents=True, exist_ok=True)
    alone = given.work / "tokens.npy"
    if not alone.exists():
        size = tokenizer(given.model).get_vocab_size()
        np.save(alone, teacher.embed_all([[101, i, 102] for i in range(size)]))
    start, done = time.time(), 0
    for at in range(0, len(texts), CHUNK):
        path = given.work / f"teacher-{at:07}.npy"
        if path.exists():
            continue
        ids = encode(given.model, texts[at : at + CHUNK], special=True)
        np.save(path, teacher.embed_all(ids).astype(np.float16))
        done += sum(map(len, ids))
        print(f"{at + len(ids)} of {len(texts)} texts, {done / (time.time() - start):.0f} tokens/s", flush=True)

# --- the fit -------------------------------------------------------------------------------------------------------

def shares(ids, size):
    rows = np.repeat(np.arange(len(ids)), [len(x) for x in ids])
    values = np.repeat([1 / len(x) for x in ids], [len(x) for x in ids])
    return sparse.csr_matrix((values.astype(np.float32), (rows, np.concatenate(ids))), shape=(len(ids), size))

def ridge(S, T, start, strength, steps=60):
    """min |S X - T|^2 + strength |X - a start|^2, a being the best scalar for `start`; all columns at once."""
    now = S @ start
    start = start * float((now * T).sum() / (now * now).sum())
    residual = S.T @ (T - S @ start)
    X, direction, size = np.zeros_like(start), residual.copy(), (residual**2).sum(0)
    for _ in range(steps):
        A = S.T @ (S @ direction) + strength * direction
        step = size / np.maximum((direction * A).sum(0), 1e-20)
        X += step * direction
        residual -= step * A
        new = (residual**2).sum(0)
        if np.sqrt(new.max()) < 1e-4:
            break
        direction = residual + (new / np.maximum(size, 1e-20)) * direction
        size = new
    return (start + X).astype(np.float32)

def agreement(S, T, X):
    """Mean cosine between the table's text vectors and the teacher's."""
    Y = S @ X
    return float(((Y * T).sum(1) / np.maximum(np.linalg.norm(Y, axis=1) * np.linalg.norm(T, axis=1), 1e-9)).mean())

def fit(given):
    texts = given.texts.read_text(encoding="utf-8").splitlines()
    parts = sorted(given.work.glob("teacher-*.npy"))
    T = np.concatenate([np.load(p).astype(np.float32) for p in parts])
    texts = texts[: len(T)]
    ids = encode(given.model, texts, special=False)
    kept = np.array([len(x) > 1 for x in ids])
    ids, T = [x for x, k in zip(ids, kept) if k], T[kept]
    tokens = np.load(given.work / "tokens.npy")
    size = len(tokens)
    mean = T.mean(0)
    _, vectors = np.linalg.eigh(np.cov((T - mean).T))
    basis = vectors[:, ::-1][:, :DIMS].astype(np.float32)
    T = (T - mean) @ basis
    S = shares(ids, size)
    counts = np.bincount(np.concatenate(ids), minlength=size)
    frequency = (counts + 0.5) / counts.sum()
    sif = 1e-3 / (1e-3 + frequency)
    words = tokenizer(given.model)
    real = np.array([not (words.id_to_token(i) or "[").startswith("[") for i in range(size)])
    real |= np.isin(np.arange(size), [words.token_to_id("["), words.token_to_id("]")])
    start = ((tokens - tokens[real].mean(0)) @ basis) * sif[:, None].astype(np.float32)
    start[~real] = 0
    order = np.random.default_rng(0).permutation(len(ids))
    held = max(1, len(ids) // 20)
    test, train = order[:held], order[held:]
    print(f"{len(ids)} texts, {S.nnz} token shares; start {agreement(S[test], T[test], start):.4f}", flush=True)
    best = (-1, None)
    for strength in given.strength:
        X = ridge(S[train], T[train], start, strength)
        score = agreement(S[test], T[test], X)
        print(f"lambda {strength}: held-out cosine {score:.4f}", flush=True)
        best = max(best, (score, strength))
    X = ridge(S, T, start, best[1])
    X[~real] = 0
    np.save(given.work / "table.npy", X)
    print(f"lambda {best[1]} kept, {given.work / 'table.npy'}")

# --- the file ------------------------------------------------------------------------------------------------------

MAGIC, VERSION = b"NVRSTAT1", 1

def quantised(X):
    scale = np.maximum(np.abs(X).max(1) / 127, 1e-12).astype(np.float32)
    return scale, np.clip(np.rint(X / scale[:, None]), -127, 127).astype(np.int8)

def pack(given):
    """Little-endian: magic, u32 version, u32 dims, u32 rows, u32 vocabulary bytes; f32 scale per row; int8 rows;
    the vocabulary, one token a line in row order."""
    X = np.load(given.work / "table.npy")
    scale, rows = quantised(X)
    vocabulary = (given.model / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    if len(vocabulary) != len(X):
        sys.exit(f"the vocabulary has {len(vocabulary)} tokens, the table {len(X)} rows")
    words = "\n".join(vocabulary).encode()
    given.out.write_bytes(MAGIC + struct.pack("<4I", VERSION, X.shape[1], X.shape[0], len(words)) + scale.tobytes() + rows.tobytes() + words)
    print(given.out, given.out.stat().st_size, "bytes")

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("step", choices=["embed", "fit", "pack"])
    ask.add_argument("--model", type=Path, required=True)
    ask.add_argument("--texts", type=Path)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--out", type=Path)
    ask.add_argument("--strength", type=float, nargs="+", default=[0.01, 0.03, 0.1], help="lambda values to try")
    given = ask.parse_args()
    {"embed": embed, "fit": fit, "pack": pack}[given.step](given)

if __name__ == "__main__":
    main()
