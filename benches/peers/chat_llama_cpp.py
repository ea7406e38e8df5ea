"""llama.cpp on the prompts that `neverafk bench chat --keep-input` wrote: INPUT GGUF _ THREADS _.

The model's own template, greedy, one question after the other; each prompt begins with other words, and the state is
cleared before each, so that nothing of it was read before.
"""

import collections
import sys
import time

from common import give, lines, median
from llama_cpp import Llama

# As many as neverafk measured at least; more would only take longer.
PROMPTS = 3


def main():
    source, gguf, _, threads, _ = sys.argv[1:6]
    model = Llama(gguf, n_ctx=2048, n_threads=int(threads), n_threads_batch=int(threads), verbose=False)
    groups = collections.defaultdict(list)
    for line in lines(source):
        groups[line["prompt_tokens"]].append(line)
    figures = {}
    for tokens, prompts in groups.items():
        answers = [answer(model, prompt) for prompt in prompts[: PROMPTS + 1]][1:]
        figures[str(tokens)] = {name: median([one[name] for one in answers if name in one]) for name in answers[0]}
    give(figures)


def answer(model, prompt):
    model.reset()
    messages = [{"role": "user", "content": prompt["content"]}]
    began, first, pieces = time.perf_counter(), None, 0
    stream = model.create_chat_completion(messages, max_tokens=prompt["max_tokens"], temperature=0.0, stream=True)
    for event in stream:
        if event["choices"][0]["delta"].get("content"):
            pieces += 1
            first = first or time.perf_counter() - began
    whole = time.perf_counter() - began
    first = first or whole
    read = model.n_tokens - pieces
    figures = {"first_token": 1000 * first, "prefill_tokens_per_second": read / first, "prompt_tokens": read}
    if pieces > 1:
        figures["decode_tokens_per_second"] = (pieces - 1) / (whole - first)
    return figures


if __name__ == "__main__":
    main()
