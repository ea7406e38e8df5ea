"""Makes tests/fixtures/chat/smollm2-greedy.json: what llama.cpp answers when it always takes the likeliest token.

    pip install llama-cpp-python numpy
    python tests/reference/chat_greedy.py SmolLM2-135M-Instruct.Q4_1.gguf

For each prompt: its messages, its tokens, up to 64 tokens of the answer, and for each of these how far the
logit of the likeliest token lies above the second. This twice: with the file as it is (`quantised`), where
llama.cpp rounds activations to eight bits, so that a program which does not may differ where the gap is small;
and with the same weights written out in 32 bits (`wide`), where nothing is rounded.
"""

import ctypes
import json
import sys
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "chat" / "smollm2-greedy.json"
MOST = 64
EVIDENCE = (
    "[1] Refunds: you may ask for your money back within 30 days, if you have watched less than half of the "
    "lessons. Write to the creator from the page of the course.\n"
    "[2] Certificates: a certificate is sent by mail when all exercises are handed in and the final quiz has "
    "at least 70 points.\n"
    "[3] Access: the course stays open for two years after the purchase, on any number of devices, but one at a time."
)
SYSTEM = "You are a helpful assistant of an online course. Answer from the sources only and cite them."
PROMPTS = [
    [("user", "What is the capital of France?")],
    [("user", "Write a Python function that adds two numbers.")],
    [("system", SYSTEM), ("user", f"{EVIDENCE}\n\nQuestion: How long do I have to ask for a refund?")],
    [("system", SYSTEM), ("user", f"{EVIDENCE}\n\nQuestion: When do I get my certificate?")],
    [("system", SYSTEM), ("user", f"{EVIDENCE}\n\nQuestion: On how many devices can I watch?")],
    [("user", "Explain photosynthesis to a child in three sentences.")],
    [
        ("user", "My name is Ada."),
        ("assistant", "Hello Ada! How can I help you?"),
        ("user", "What is my name, and who was the first programmer?"),
    ],
    [("system", "You answer in one word."), ("user", "Is the sky blue?")],
    [("user", "Translate into French: The lesson begins at nine o'clock.")],
    [("user", "List five tips for learning a new language, with a short reason for each.")],
]


def rendered(messages):
    if messages[0][0] != "system":
        default = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
        messages = [("system", default), *messages]
    turns = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in messages)
    return turns + "<|im_start|>assistant\n"


def answers(path):
    model = llama_cpp.Llama(str(path), n_ctx=2048, n_threads=2, verbose=False)
    for messages in PROMPTS:
        model.reset()
        prompt = model.tokenize(rendered(messages).encode(), add_bos=False, special=True)
        model.eval(prompt)
        tokens, gaps = [], []
        while len(tokens) < MOST:
            pointer = llama_cpp.llama_get_logits_ith(model.ctx, -1)
            logits = np.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), (model.n_vocab(),))
            second, first = np.sort(logits)[-2:]
            tokens.append(int(np.argmax(logits)))
            gaps.append(round(float(first - second), 3))
            if tokens[-1] == model.token_eos():
                break
            model.eval(tokens[-1:])
        print(model.detokenize(tokens).decode("utf-8", "replace"), "\n---")
        yield prompt, {"tokens": tokens, "gaps": gaps}


def main():
    quantised = list(answers(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        wide_path = Path(folder) / "wide.gguf"
        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype = llama_cpp.LLAMA_FTYPE_ALL_F32
        params.allow_requantize = True
        if llama_cpp.llama_model_quantize(sys.argv[1].encode(), str(wide_path).encode(), ctypes.byref(params)) != 0:
            raise SystemExit("the weights could not be written in 32 bits")
        wide = list(answers(wide_path))
    lines = []
    for messages, (prompt, narrow_answer), (_, wide_answer) in zip(PROMPTS, quantised, wide):
        turns = [{"role": role, "content": content} for role, content in messages]
        answer = {"messages": turns, "prompt": prompt, "quantised": narrow_answer, "wide": wide_answer}
        lines.append(json.dumps(answer, separators=(",", ":")))
    FIXTURE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
