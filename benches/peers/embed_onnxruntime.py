"""onnxruntime on the texts that `neverafk bench embed --keep-input` wrote: INPUT FOLDER ONNX THREADS SECONDS.

As a careful user would run it: texts sorted by length, padded within sub-batches of 32, tokenising counted.
"""

import sys
from pathlib import Path

import bert_onnx
import numpy as np
import onnxruntime
from common import give, lines, repeat, times
from tokenizers import Tokenizer

SUB_BATCH = 32


def main():
    source, folder, target, threads, seconds = sys.argv[1:6]
    embedder = Embedder(Path(folder), Path(target), int(threads))
    figures = {}
    for group in lines(source):
        texts = group["texts"]
        if group["name"] == "question":
            seconds_each = repeat(lambda call: embedder.embed([texts[call % len(texts)]]), float(seconds))
        else:
            seconds_each = repeat(lambda _: embedder.embed(texts), float(seconds))
        figures[group["name"]] = times(seconds_each)
    give(figures)


class Embedder:
    def __init__(self, folder, target, threads):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        model = bert_onnx.export(folder, target)
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def embed(self, texts):
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        vectors = [None] * len(ids)
        for first in range(0, len(order), SUB_BATCH):
            some = order[first : first + SUB_BATCH]
            width = len(ids[some[-1]])
            batch = np.zeros((len(some), width), np.int64)
            mask = np.zeros((len(some), width), np.int64)
            for row, at in enumerate(some):
                batch[row, : len(ids[at])] = ids[at]
                mask[row, : len(ids[at])] = 1
            found = self.session.run(None, {"input_ids": batch, "attention_mask": mask})[0]
            for row, at in enumerate(some):
                vectors[at] = found[row]
        return np.stack(vectors)


if __name__ == "__main__":
    main()
