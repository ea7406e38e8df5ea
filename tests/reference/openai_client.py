"""The OpenAI-compatible routes, asked by OpenAI's own client.

    pip install openai
    python3 openai_client.py http://127.0.0.1:8000 KEY COURSE "How do I get a refund?" 30

The last argument is what the answer must contain. Prints one line for each thing that held, and fails at the first
that did not.
"""

import sys

import openai

base, key, course, question, fact = sys.argv[1:6]
client = openai.OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0)
ask = {"model": course, "messages": [{"role": "user", "content": question}]}


def held(what, truth):
    assert truth, what
    print("held:", what)


def refused(kind, what, call):
    try:
        call()
    except kind as error:
        print("held:", what, "->", error.status_code, error.code, error.type)
    else:
        raise AssertionError(f"{what}: not refused")


held("models.list", course in [model.id for model in client.models.list()])
held("models.retrieve", client.models.retrieve(course).id == course)

answer = client.chat.completions.create(**ask, temperature=0.2, seed=7, max_tokens=200, stop=["\n\n\n"])
held("chat", fact in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop")
held("citations", answer.model_extra["neverafk"]["citations"][0]["quote"])
held("usage", answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens)

said, usage, proof = "", None, None
for chunk in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}):
    usage = chunk.usage or usage
    proof = (chunk.model_extra or {}).get("neverafk") or proof
    said += "".join(choice.delta.content or "" for choice in chunk.choices)
held("stream", said == client.chat.completions.create(**ask).choices[0].message.content)
held("stream usage and proof", usage.total_tokens >= 0 and proof["message_id"])

with client.chat.completions.stream(**ask) as stream:
    final = stream.get_final_completion()
held("stream helper", fact in final.choices[0].message.content)

short = client.chat.completions.create(**ask, max_completion_tokens=3)
held("length", short.choices[0].finish_reason == "length" and len(short.choices[0].message.content.split()) == 3)

# The client asks for base64 by default and decodes it.
vectors = [row.embedding for row in client.embeddings.create(model=course, input=["brush", "paper"]).data]
floats = client.embeddings.create(model=course, input="brush", encoding_format="float").data[0].embedding
held("embeddings", len(vectors) == 2 and max(abs(a - b) for a, b in zip(vectors[0], floats)) < 1e-6)

refused(openai.BadRequestError, "n=2", lambda: client.chat.completions.create(**ask, n=2))
refused(
    openai.BadRequestError,
    "json",
    lambda: client.chat.completions.create(**ask, response_format={"type": "json_object"}),
)
refused(openai.NotFoundError, "no such model", lambda: client.models.retrieve("No Slug"))
stranger = openai.OpenAI(base_url=f"{base}/v1", api_key="wrong", max_retries=0)
refused(openai.AuthenticationError, "wrong key", stranger.models.list)
