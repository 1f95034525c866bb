"""The reader's export: what its weights become, and what the command writes and says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

from qa.bundled_reader import BundledReader
from tests.small_readers import LENGTHS, save_reader, small_net, small_tokenizer
from training import export_reader, reader_net
from training.export_reader import main, read_weights
from training.reader_batches import Groups
from training.reader_data import PiecesWriter
from training.reader_net import ReaderNet, write_net, write_small

TEXTS = (
    "Le port de Brest compte trois navires. Les autres sont partis. Il pleut.",
    "La ville de Kiel en compte deux, dit le maire. Le char pèse 56 tonnes.",
)
QUESTIONS = ("Combien de navires compte le port ?", "Que pèse le char ?", "Quand pleut-il ?")


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> ReaderNet:
    """A small reader; files of readers are read into one of its sizes."""
    made = small_net()
    monkeypatch.setattr(reader_net, "_config", lambda *_: made.config)
    return made


@pytest.fixture
def options(tmp_path: Path, net: ReaderNet, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The options of the command, which is called with them; the network and the tokenizer are there."""
    places = {name: tmp_path / name for name in ("net.safetensors", "tokenizer.json", "out", "pack")}
    write_net(net, places["net.safetensors"])
    small_tokenizer().save(str(places["tokenizer.json"]))
    chosen = {Path(name).stem: place for name, place in places.items()}
    given = [part for name, place in chosen.items() for part in (f"--{name}", str(place))]
    monkeypatch.setattr("sys.argv", ["export_reader", *given])
    return chosen


def save_pack(folder: Path) -> None:
    """Write three questions about two documents as `training.pack_reader` does."""
    writer = PiecesWriter(small_tokenizer())
    writer.add_documents([{"id": str(n), "text": text, "title": f"Le port {n}"} for n, text in enumerate(TEXTS)])
    asked = np.array(writer.add_questions(list(QUESTIONS)))
    pieces = writer.pieces()
    nowhere = np.full(len(asked), -1)
    near = np.array([[0, 3], [4, -1], [2, 1]])
    groups = Groups(asked[:, None], nowhere, np.stack([nowhere, nowhere], axis=1), near, nowhere, nowhere)
    folder.mkdir()
    save_file(pieces.arrays(), folder / "pieces.safetensors")
    save_file(groups.arrays(), folder / "piaf-dev.safetensors")


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_weights_are_read_back_to_half_a_step(tmp_path: Path) -> None:
    weights = {name: value.numpy() for name, value in small_net().state_dict().items()}
    found = read_weights(onnx.load(save_reader(tmp_path / "reader") / "model.onnx"))
    assert set(found) == set(weights)
    table = "body.embeddings.{}_embeddings.weight"
    kinds = weights.pop(table.format("token_type"))
    weights[table.format("position")] = weights[table.format("position")] + kinds[0]
    for name, value in weights.items():
        if name.startswith("body") and value.ndim == 2 and "position" not in name:
            # A row has 254 steps over twice its largest weight, or twice as wide where neighbours would overflow.
            step = np.abs(value).max(axis=1, keepdims=True) / 127 * (1 if "word" in name else 2)
            assert (np.abs(found[name] - value) <= step / 2 + 1e-6).all(), name
            assert (found[name] != value).any()
        else:
            assert found[name] == pytest.approx(value, abs=1e-6), name
    assert not found[table.format("token_type")].any()


@pytest.mark.usefixtures("net")
def test_the_command_writes_what_the_product_opens(options: dict[str, Path], tmp_path: Path) -> None:
    main()
    assert folder_bytes(options["out"]) == folder_bytes(save_reader(tmp_path / "wanted"))
    settings = json.loads((options["out"] / "config.json").read_text(encoding="utf-8"))
    assert settings == {"format": 1, "n_pieces": small_tokenizer().get_vocab_size(), **LENGTHS}
    assert BundledReader.open(options["out"]).read("Combien ?", []) == []


def test_the_command_reads_a_network_in_eight_bits(net: ReaderNet, options: dict[str, Path], tmp_path: Path) -> None:
    options["net"].unlink()
    write_small(net, tmp_path, "net")
    main()
    exact = read_weights(onnx.load(save_reader(tmp_path / "exact") / "model.onnx"))
    found = read_weights(onnx.load(options["out"] / "model.onnx"))
    assert set(found) == set(exact)
    assert all(np.abs(found[name] - exact[name]).max() < 0.03 for name in exact)


def test_the_command_says_how_far_the_graph_is_from_the_network(
    net: ReaderNet, options: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    save_pack(options["pack"])
    main()
    said = capsys.readouterr().out.splitlines()
    size = sum(path.stat().st_size for path in options["out"].iterdir())
    assert said[0] == f"{options['out']}: {size / 2**20:.1f} MiB"
    number = r"(-?\d+\.\d+)"
    pattern = rf"(\w+): differs by {number}, at most {number}; standard deviation {number}, correlation {number}"
    compared = [re.fullmatch(pattern, line) for line in said[1:]]
    assert [match and match[1] for match in compared] == ["answers", "start"]
    for match in compared:
        assert match is not None
        mean, most, deviation, correlation = map(float, match.groups()[1:])
        assert 0 < mean <= most < 0.2 * deviation
        assert correlation > 0.99


def test_another_network_is_far(
    options: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_pack(options["pack"])
    other = {name: value.numpy() for name, value in small_net(seed=5).state_dict().items()}
    write = export_reader.write_reader
    monkeypatch.setattr(export_reader, "write_reader", lambda _, *places, **heads: write(other, *places, **heads))
    main()
    differs = re.findall(r"differs by (\d\.\d+).*standard deviation (\d\.\d+)", capsys.readouterr().out)
    assert len(differs) == 2
    assert all(float(mean) > 0.5 * float(deviation) for mean, deviation in differs)


def test_a_pack_is_not_needed(options: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert not options["pack"].exists()
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.usefixtures("options")
def test_a_reader_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_reader, "_MOST_BYTES", 1_000)
    with pytest.raises(SystemExit, match=r"found [\d,]+ bytes, expected at most 1,000: train a smaller reader"):
        main()
