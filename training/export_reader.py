"""python -m training.export_reader: writes the reader as the product runs it, a graph of ONNX with weights in 8 bits.

The graph is laid down node by node rather than traced from torch, so that it holds what onnxruntime 1.32 runs fastest
and nothing else. It reads one window: there is no padding, and no window changes what is said of another.

Weights are whole numbers of 8 bits, each row of a matrix with its scale. States become whole numbers as they come:
before both matrices of the inner layer each piece has its own range, since a few pieces have values far beyond those of
the others (Bondarenko and others, "Understanding and overcoming the challenges of efficient transformer quantization",
2021); elsewhere one range serves all pieces of the window.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import ArrayLike, DTypeLike, NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from qa.bundled_reader import READER_FORMAT, open_session
from training.reader_batches import Groups, Pieces, make_batch
from training.reader_net import PAD, ReaderNet, read_net, read_small

__all__ = ["read_weights", "reader_model", "write_reader"]

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]

_LENGTHS = {"question": 40, "heading": 28, "window": 160}
"""Most word pieces of each part: the first two as `training.reader_data` cuts them, a window somewhat longer."""

_MICROSOFT = "com.microsoft"
_OPSET, _IR_VERSION = 18, 9
_EPSILON = 1e-12
_LEAST = 1e-12
_PARTS = ("weight", "bias")
_HEADS = [1, 2, 0, 3]
_MOST_BYTES = 24 * 2**20
_N_COMPARED = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the reader, and say how far it is from the network that it was made of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", type=Path, default=Path("training/runs/reader/nets/student.safetensors"))
    parser.add_argument("--tokenizer", type=Path, default=Path("training/runs/reader/pack/tokenizer.json"))
    parser.add_argument("--out", type=Path, default=Path("qa/models/reader"))
    parser.add_argument("--pack", type=Path, default=Path("training/runs/reader/pack"), help="windows to compare")
    options = parser.parse_args(arguments)
    net = _read_net(options.net)
    weights = {name: value.float().numpy() for name, value in net.state_dict().items()}
    write_reader(weights, options.tokenizer, options.out, n_heads=net.config.num_attention_heads)
    size = sum(path.stat().st_size for path in options.out.iterdir())
    print(f"{options.out}: {size / 2**20:.1f} MiB")
    if size > _MOST_BYTES:
        raise SystemExit(f"found {size:,} bytes, expected at most {_MOST_BYTES:,}: train a smaller reader")
    if (options.pack / "pieces.safetensors").exists():
        print(_compare(net, options.out, options.pack))


def _read_net(path: Path) -> ReaderNet:
    """Read a file of `write_net`, or the two files of `write_small` by the name of that without ``-words``."""
    pair = path.with_name(f"{path.stem}-words.safetensors").exists()
    return (read_small(path.parent, path.stem) if pair else read_net(path)).eval()


def write_reader(weights: Weights, tokenizer: Path, folder: Path, *, n_heads: int) -> None:
    """Write ``model.onnx``, ``tokenizer.json`` and ``config.json``.

    Args:
        weights: by the names of `training.reader_net.ReaderNet`.
        tokenizer: file of the tokenizer.
        folder: made if missing.
        n_heads: attention heads a layer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(reader_model(weights, n_heads=n_heads).SerializeToString())
    (folder / "tokenizer.json").write_text(Tokenizer.from_file(str(tokenizer)).to_str(), encoding="utf-8")
    n_pieces = len(weights["body.embeddings.word_embeddings.weight"])
    config = {"format": READER_FORMAT, "n_pieces": n_pieces, **_LENGTHS}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def reader_model(weights: Weights, *, n_heads: int) -> onnx.ModelProto:
    """Return the graph of a reader.

    Its input is ``ids``, int64, shape ``(length,)``; its outputs are ``answers``, shape ``(1,)``, the log-odds that the
    window answers, and ``start`` and ``end``, shape ``(length,)``, the logits of the answer's first and last piece.

    Args:
        weights: by the names of `training.reader_net.ReaderNet`.
        n_heads: attention heads a layer.
    """
    graph = _Graph(weights)
    states = _embedded(graph)
    layer = 0
    while f"body.encoder.layer.{layer}.output.dense.weight" in weights:
        states = _layer(graph, f"body.encoder.layer.{layer}", states, n_heads)
        layer += 1
    _heads(graph, states)
    outputs = [helper.make_tensor_value_info("answers", TensorProto.FLOAT, [1])]
    outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["length"]) for name in ("start", "end")]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["length"])
    laid = helper.make_graph(graph.nodes, "reader", [ids], outputs, graph.constants)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(laid, opset_imports=opsets, ir_version=_IR_VERSION)


def read_weights(model: onnx.ModelProto) -> dict[str, Floats]:
    """Return the weights in a graph that `reader_model` made, by the names of `training.reader_net.ReaderNet`.

    Matrices come back as their whole numbers times their scales. The vector of the first kind of piece, which was added
    to those of the places, stays there; zeros stand where it was.
    """
    arrays = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    held: dict[str, list[list[Floats]]] = {}
    for node in model.graph.node:
        held.setdefault(node.op_type, []).append([arrays[name] for name in node.input if name in arrays])
    ((words,), (scale,)), ((places, _),) = held["Gather"][:2], held["Slice"]
    table = "body.embeddings.{}_embeddings.weight"
    weights = {table.format("word"): words * scale, table.format("position"): places.copy()}
    weights[table.format("token_type")] = np.zeros((2, places.shape[1]), np.float32)
    whole = [((matrix * scale).T, bias) for matrix, scale, _, bias in held["DynamicQuantizeMatMul"]]
    gemms = iter(held["Gemm"])
    by_piece = [((matrix * scale).T, next(gemms)[0][1]) for matrix, _, scale in held["MatMulIntegerToFloat"]]
    norms, shapes = iter(held["LayerNormalization"]), held["Reshape"][::2]
    parts = {"body.embeddings.LayerNorm": next(norms)}
    for layer, ((weight, bias), seen) in enumerate(zip(whole[::2], whole[1::2], strict=True)):
        name = f"body.encoder.layer.{layer}"
        back = np.sqrt(shapes[layer][0][-1])  # the scale of attention, which is in the weights of the queries
        for each, factor, rows, shift in zip(
            ("query", "key", "value"), (back, 1, 1), np.split(weight, 3), np.split(bias, 3), strict=True
        ):
            parts[f"{name}.attention.self.{each}"] = [rows * factor, shift * factor]
        parts |= {f"{name}.attention.output.dense": list(seen), f"{name}.attention.output.LayerNorm": next(norms)}
        inner, outer = by_piece[2 * layer : 2 * layer + 2]
        parts |= {f"{name}.intermediate.dense": list(inner), f"{name}.output.dense": list(outer)}
        parts[f"{name}.output.LayerNorm"] = next(norms)
    parts |= zip(("answers.0", "answers.2", "span"), gemms, strict=True)
    for name, pair in parts.items():
        weights |= {f"{name}.{part}": value.astype(np.float32) for part, value in zip(_PARTS, pair, strict=True)}
    return weights


class _Graph:
    """A graph that grows by one operator at a time; values go by their names, states have the shape (length, width)."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype, order="C"), name))
        return name

    def add(self, kind: str, *inputs: str, own: bool = False, name: str | None = None, **attributes: Any) -> str:
        """Add an operator of one output and return the name of that.

        Args:
            kind: of the operator.
            inputs: what it takes.
            own: whether it is one of onnxruntime rather than of ONNX.
            name: of the output; made up where not given.
            attributes: of the operator.
        """
        name = name or f"{kind}_{len(self.nodes)}"
        domain = _MICROSOFT if own else ""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def weight(self, name: str) -> str:
        """Add a weight as it is."""
        return self.constant(self.weights[name])

    def joined(self, *names: str) -> tuple[Floats, Floats]:
        """Return the weights and biases of linear layers as those of one, ``(n_out, n_in)`` and ``(n_out,)``."""
        weight, bias = (np.concatenate([self.weights[f"{each}.{part}"] for each in names]) for part in _PARTS)
        return weight, bias

    def normed(self, states: str, name: str) -> str:
        """Add a layer norm."""
        scale, bias = (self.weight(f"{name}.{part}") for part in _PARTS)
        return self.add("LayerNormalization", states, scale, bias, axis=-1, epsilon=_EPSILON)

    def summed_and_normed(self, states: str, more: str, name: str) -> str:
        """Add a layer norm of a sum."""
        return self.normed(self.add("Add", states, more), name)


def _embedded(graph: _Graph) -> str:
    table = "body.embeddings.{}_embeddings.weight"
    words = graph.weights[table.format("word")]
    scale = np.maximum(np.abs(words).max(axis=1, keepdims=True), _LEAST) / 127
    whole = graph.add("Gather", graph.constant(np.rint(words / scale), np.int8), "ids")
    states = graph.add("Cast", whole, to=TensorProto.FLOAT)
    states = graph.add("Mul", states, graph.add("Gather", graph.constant(scale), "ids"))
    places = graph.weights[table.format("position")] + graph.weights[table.format("token_type")][0]
    held = graph.add("Slice", graph.constant(places), graph.constant([0], np.int64), graph.add("Shape", "ids"))
    return graph.normed(graph.add("Add", states, held), "body.embeddings.LayerNorm")


def _layer(graph: _Graph, name: str, states: str, n_heads: int) -> str:
    seen = _linear(graph, _attended(graph, f"{name}.attention.self", states, n_heads), f"{name}.attention.output.dense")
    states = graph.summed_and_normed(states, seen, f"{name}.attention.output.LayerNorm")
    inner = _linear_by_piece(graph, states, f"{name}.intermediate.dense")
    inner = _linear_by_piece(graph, graph.add("Gelu", inner, own=True), f"{name}.output.dense")
    return graph.summed_and_normed(states, inner, f"{name}.output.LayerNorm")


def _attended(graph: _Graph, name: str, states: str, n_heads: int) -> str:
    """Scaled dot-product attention (Vaswani and others, 2017); the scale is in the weights of the queries."""
    weight, bias = graph.joined(*(f"{name}.{each}" for each in ("query", "key", "value")))
    width = weight.shape[1]
    weight[:width] /= np.sqrt(width / n_heads)
    bias[:width] /= np.sqrt(width / n_heads)
    shape = graph.constant([-1, 3, n_heads, width // n_heads], np.int64)
    heads = graph.add(
        "Transpose", graph.add("Reshape", _whole_product(graph, states, weight, bias), shape), perm=_HEADS
    )
    query, key, value = (graph.add("Gather", heads, graph.constant(each, np.int64), axis=0) for each in range(3))
    shares = graph.add("Softmax", graph.add("FusedMatMul", query, key, own=True, transB=1), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", shares, value), perm=[1, 0, 2])
    return graph.add("Reshape", seen, graph.constant([-1, width], np.int64))


def _linear(graph: _Graph, states: str, name: str) -> str:
    """A linear layer; one range of whole numbers serves all pieces."""
    return _whole_product(graph, states, *graph.joined(name))


def _whole_product(graph: _Graph, states: str, weight: Floats, bias: Floats) -> str:
    whole, scale = _whole(weight)
    zero = graph.constant(np.zeros(len(bias)), np.int8)
    parts = (graph.constant(whole.T, np.int8), graph.constant(scale), zero, graph.constant(bias))
    return graph.add("DynamicQuantizeMatMul", states, *parts, own=True)


def _linear_by_piece(graph: _Graph, states: str, name: str) -> str:
    """A linear layer; each piece has its own range of whole numbers.

    A piece x is scale * (whole - zero), so its product is scale * (whole W) - scale * zero * (sum of W's rows) + bias.
    The last two terms are one product of two columns, (scale * zero, 1).
    """
    weight, bias = graph.joined(name)
    whole, scale = _whole(weight)
    last = graph.constant([1], np.int64)
    low = graph.add("Min", graph.add("ReduceMin", states, last), graph.constant(0.0))
    high = graph.add("Max", graph.add("ReduceMax", states, last), graph.constant(_LEAST))
    step = graph.add("Mul", graph.add("Sub", high, low), graph.constant(1 / 255))
    zero = graph.add("Round", graph.add("Neg", graph.add("Div", low, step)))
    ranges = (
        graph.add("Squeeze", step, last),
        graph.add("Squeeze", graph.add("Cast", zero, to=TensorProto.UINT8), last),
    )
    pieces = graph.add("QuantizeLinear", states, *ranges, axis=0)
    matrix = (graph.constant(whole.T, np.int8), graph.constant(1.0), graph.constant(scale))
    product = graph.add("Mul", graph.add("MatMulIntegerToFloat", pieces, *matrix, own=True), step)
    pads = graph.constant([0, 0, 0, 1], np.int64)
    columns = graph.add("Pad", graph.add("Mul", zero, step), pads, graph.constant(1.0))
    return graph.add("Gemm", columns, graph.constant([-scale * whole.sum(axis=1), bias]), product)


def _whole(weight: Floats) -> tuple[Floats, Floats]:
    """Return a matrix as whole numbers in [-127, 127], ``(n_out, n_in)``, and the scale of each row, ``(n_out,)``.

    Two neighbours of a row sum to at most 128: processors without VNNI add up to 255 times each in 16 bits, and what is
    beyond is lost (onnxruntime's documentation of quantization, "When and why do I need to try U8U8?").
    """
    pairs = np.abs(weight[:, 0::2] + weight[:, 1::2]).max(axis=1)
    scale = np.maximum(np.maximum(np.abs(weight).max(axis=1), pairs), _LEAST) / 127
    whole = np.rint(weight / scale[:, None])
    return whole.astype(np.float32), scale.astype(np.float32)


def _heads(graph: _Graph, states: str) -> None:
    first = graph.add("Gather", states, graph.constant([0], np.int64), axis=0)
    first = graph.add("Gemm", first, graph.weight("answers.0.weight"), graph.weight("answers.0.bias"), transB=1)
    last = (graph.weight("answers.2.weight"), graph.weight("answers.2.bias"))
    answers = graph.add("Gemm", graph.add("Tanh", first), *last, transB=1)
    graph.add("Reshape", answers, graph.constant([1], np.int64), name="answers")
    where = graph.add("Gemm", states, graph.weight("span.weight"), graph.weight("span.bias"), transB=1)
    for place, name in enumerate(("start", "end")):
        graph.add("Gather", where, graph.constant(place, np.int64), name=name, axis=1)


def _compare(net: ReaderNet, folder: Path, pack: Path) -> str:
    """Say in words how far the graph is from the network, on windows about held-out questions."""
    pieces = Pieces(**load_file(pack / "pieces.safetensors"))
    groups = Groups(**load_file(pack / "piaf-dev.safetensors"))
    groups = groups.take(np.arange(min(_N_COMPARED, len(groups))))
    draw = np.random.default_rng(0)
    batch = make_batch(pieces, groups.questions[:, 0], groups.near[:, 0], groups.answer, draw, most=_LENGTHS["window"])
    with torch.inference_mode():
        read = net(torch.from_numpy(batch.ids), torch.from_numpy(batch.inside))
    session = open_session(folder / "model.onnx")
    found = [session.run(None, {"ids": ids[ids != PAD]}) for ids in batch.ids]
    odds, wanted = np.concatenate([each[0] for each in found]), read.answers.numpy()
    starts, wanted_starts = (
        np.concatenate([row[: len(inside)][inside[: len(row)]] for row, inside in zip(rows, batch.inside, strict=True)])
        for rows in ([each[1] for each in found], read.start.numpy())
    )
    return "\n".join(
        f"{name}: differs by {np.abs(ours - theirs).mean():.4f}, at most {np.abs(ours - theirs).max():.4f}; "
        f"standard deviation {theirs.std():.4f}, correlation {np.corrcoef(ours, theirs)[0, 1]:.4f}"
        for name, ours, theirs in (("answers", odds, wanted), ("start", starts, wanted_starts))
    )


if __name__ == "__main__":
    main()
