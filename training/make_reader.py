"""python -m training.make_reader: from the shared data to the reader that ships, and to that of half of the questions.

Asks the questions, packs, trains and exports. What stands under ``--runs`` is not made again, so the same command goes
on after an interruption; delete the folder to begin anew, for instance after the analyzer or the search has changed.
Options that are not named here go to `training.train_reader`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from training import export_reader, pack_reader, reader_questions, train_reader

_EXPORTED = {"student": Path("qa/models/reader"), "half": Path("training/models/half-reader")}


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is not there yet, and export both readers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("training/runs/reader"), help="where what is made is kept")
    parser.add_argument("--out", type=Path, default=Path(), help="root of the project that gets the readers")
    options, rest = parser.parse_known_args(arguments)
    pack, nets = options.runs / "pack", options.runs / "nets"
    for name in reader_questions.SETS:
        if not (options.runs / f"{name}.jsonl").exists():
            reader_questions.main([name, "--data", str(options.data), "--out", str(options.runs)])
    if not (pack / pack_reader.PIECES).exists():
        pack_reader.main(["--data", str(options.data), "--runs", str(options.runs)])
    train_reader.main(["--pack", str(pack), "--out", str(nets), *rest])
    for name, folder in _EXPORTED.items():
        paths = {"net": nets / f"{name}.safetensors", "tokenizer": pack / "tokenizer.json", "pack": pack}
        given = [part for key, path in paths.items() for part in (f"--{key}", str(path))]
        export_reader.main([*given, "--out", str(options.out / folder)])


if __name__ == "__main__":
    main()
