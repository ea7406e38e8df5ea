"""Makes the ONNX model of a BERT encoder from the safetensors that neverafk runs, so that both compute the same weights.

The graph uses onnxruntime's own fused operators (attention, skip with layer norm, biased GELU): what its optimiser makes
of an exported model at best. Output: mean of the token vectors under the mask, of length 1.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

MICROSOFT = "com.microsoft"


def export(folder: Path, target: Path) -> Path:
    """Writes the model to `target`, unless it is there."""
    if target.exists():
        return target
    config = json.loads((folder / "config.json").read_text())
    weights = {
        name.removeprefix("bert."): value.astype(np.float32)
        for name, value in load_file(folder / "model.safetensors").items()
        if value.dtype.kind == "f"
    }
    graph = Graph(weights)
    epsilon, heads = config["layer_norm_eps"], config["num_attention_heads"]

    words = graph.node("Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"])
    places = weights["embeddings.position_embeddings.weight"]
    length = graph.node("Gather", [graph.node("Shape", ["input_ids"]), graph.constant(np.array([1], np.int64))])
    row = graph.constant(np.array([0], np.int64))
    place = graph.node("Slice", [graph.constant(places), row, length, row])
    kind = graph.constant(weights["embeddings.token_type_embeddings.weight"][0])
    hidden = graph.node("Add", [words, graph.node("Add", [place, kind])])
    hidden = graph.node(
        "LayerNormalization",
        [hidden, graph.weight("embeddings.LayerNorm.weight"), graph.weight("embeddings.LayerNorm.bias")],
        axis=-1,
        epsilon=epsilon,
    )
    mask = graph.node("Cast", ["attention_mask"], to=TensorProto.INT32)
    for layer in range(config["num_hidden_layers"]):
        hidden = encoder_layer(graph, f"encoder.layer.{layer}.", hidden, mask, heads, epsilon)

    weight = graph.node("Unsqueeze", [graph.node("Cast", ["attention_mask"], to=TensorProto.FLOAT), graph.constant(np.array([2], np.int64))])
    total = graph.node("ReduceSum", [graph.node("Mul", [hidden, weight]), graph.constant(np.array([1], np.int64))], keepdims=0)
    count = graph.node("ReduceSum", [weight, graph.constant(np.array([1], np.int64))], keepdims=0)
    mean = graph.node("Div", [total, count])
    norm = graph.node("ReduceL2", [mean, graph.constant(np.array([1], np.int64))], keepdims=1)
    graph.nodes.append(helper.make_node("Div", [mean, norm], ["vectors"]))

    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")]
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", config["hidden_size"]])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "bert", ids, [vectors], graph.initializers),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)],
        ir_version=9,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
    return target


def encoder_layer(graph, prefix, hidden, mask, heads, epsilon):
    own = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([graph.weights[f"{name}.weight"].T for name in own], axis=1)
    bias = np.concatenate([graph.weights[f"{name}.bias"] for name in own])
    attended = graph.node(
        "Attention", [hidden, graph.constant(weight), graph.constant(bias), mask], domain=MICROSOFT, num_heads=heads
    )
    out = graph.node("MatMul", [attended, graph.turned(f"{prefix}attention.output.dense.weight")])
    hidden = skip(graph, out, hidden, f"{prefix}attention.output", epsilon)
    wide = graph.node("MatMul", [hidden, graph.turned(f"{prefix}intermediate.dense.weight")])
    wide = graph.node("BiasGelu", [wide, graph.weight(f"{prefix}intermediate.dense.bias")], domain=MICROSOFT)
    out = graph.node("MatMul", [wide, graph.turned(f"{prefix}output.dense.weight")])
    return skip(graph, out, hidden, f"{prefix}output", epsilon)


def skip(graph, new, old, prefix, epsilon):
    names = [f"{prefix}.LayerNorm.weight", f"{prefix}.LayerNorm.bias", f"{prefix}.dense.bias"]
    inputs = [new, old, *[graph.weight(name) for name in names]]
    return graph.node("SkipLayerNormalization", inputs, domain=MICROSOFT, epsilon=epsilon)


class Graph:
    """Nodes and weights, named as they come."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers, self.known = weights, [], [], set()

    def node(self, kind, inputs, domain="", **attributes):
        out = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], domain=domain, **attributes))
        return out

    def constant(self, value, name=None):
        name = name or f"constant_{len(self.initializers)}"
        if name not in self.known:
            self.known.add(name)
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name):
        return self.constant(self.weights[name], name)

    def turned(self, name):
        return self.constant(self.weights[name].T, f"{name}.turned")
