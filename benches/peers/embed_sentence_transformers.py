"""sentence-transformers on the texts that `neverafk bench embed --keep-input` wrote: INPUT FOLDER _ THREADS SECONDS."""

import sys

import torch
from common import give, lines, repeat, times
from sentence_transformers import SentenceTransformer, models


def main():
    source, folder, _, threads, seconds = sys.argv[1:6]
    torch.set_num_threads(int(threads))
    words = models.Transformer(folder, max_seq_length=256)
    model = SentenceTransformer(modules=[words, models.Pooling(384, pooling_mode="mean")], device="cpu")

    def embed(texts):
        return model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)

    figures = {}
    for group in lines(source):
        texts = group["texts"]
        if group["name"] == "question":
            seconds_each = repeat(lambda call: embed([texts[call % len(texts)]]), float(seconds))
        else:
            seconds_each = repeat(lambda _: embed(texts), float(seconds))
        figures[group["name"]] = times(seconds_each)
    give(figures)


if __name__ == "__main__":
    main()
