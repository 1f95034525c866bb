"""Reading on a Ray cluster: three real nodes on this machine, of which one is killed, and a store that goes away."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index import CorpusIndex, InputError, StoreError
from index.__main__ import main
from qa import Chatbot
from tests.conftest import write_files

pytest.importorskip("lancedb", reason="lancedb is not installed: pip install -r requirements-scale.txt")
pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-scale.txt")

from index.lance import SharedStore
from index.ray_ingest import ingest
from index.shared import pull, push

pytestmark = [
    pytest.mark.scale,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of ray, which is no part of the product
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The maximum number of concurrent tasks:UserWarning"),
    pytest.mark.filterwarnings("ignore:lancedb fork support:RuntimeWarning"),
]

WITHIN_S = 240.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(2):
        made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    made.shutdown()


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = write_files(
        tmp_path / "docs",
        {
            "a.txt": "date 2022-10 \nLe mot de passe du grenier est tournesol. Il est à Brest.",
            "b.txt": "Le phare de l'île d'Ouessant date de 1863.\nÉté.",
            "empty.pdf": "",
        },
    )
    lines = [
        json.dumps({"id": str(n), "title": f"Navire {n}", "text": f"Le navire {n} quitte Brest."}) for n in range(40)
    ]
    (folder / "many.jsonl").write_text("\n".join([*lines, "{"]), encoding="utf-8")
    return folder


def held(address: str) -> dict[str, tuple[str, dict[bytes, bytes]]]:
    store = SharedStore.open(address)
    snapshot = store.snapshot()
    return {
        each.document.source: (each.document.text, dict(each.vectors))
        for each in store.read(sorted(snapshot.documents), version=snapshot.version)
    }


def test_a_cluster_stores_what_one_machine_does(cluster: Any, documents: Path, tmp_path: Path) -> None:
    address = str(tmp_path / "store")
    report = ingest([documents], address, cluster=cluster.address)
    assert (report.n_put, report.n_removed, report.n_unchanged) == (42, 0, 0)
    assert {Path(problem.source).name for problem in report.problems} == {"empty.pdf", "many.jsonl:41"}
    corpus = CorpusIndex.build([documents], tmp_path / "index")
    push(corpus, str(tmp_path / "pushed"))
    assert held(address) == held(str(tmp_path / "pushed"))
    pull(address, tmp_path / "replica")
    assert "tournesol" in (Chatbot(CorpusIndex.open(tmp_path / "replica")).ask("Quel est le mot de passe ?").text)

    (documents / "b.txt").unlink()
    (documents / "a.txt").write_text("Le grenier est vide.", encoding="utf-8")
    report = ingest([documents], address, cluster=cluster.address)
    assert (report.n_put, report.n_removed, report.n_unchanged) == (1, 1, 40)
    other = ingest([documents / "a.txt"], address, cluster=cluster.address, owner="other")
    assert [problem.reason for problem in other.problems] == [
        "is in the store by another writer (main); remove it from one"
    ]
    assert other.n_put == 0


def test_a_node_that_is_killed_loses_nothing_and_hangs_nothing(cluster: Any, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for part in range(12):
        lines = [
            json.dumps({"id": f"{part}-{n}", "text": f"Le navire {part}-{n} quitte Brest le {n}. " * 20})
            for n in range(250)
        ]
        (folder / f"{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    address = str(tmp_path / "store")
    doomed = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            assert ingest([folder], address, cluster=cluster.address).problems == ()
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)

    run = threading.Thread(target=work, daemon=True)
    run.start()
    end = time.monotonic() + WITHIN_S
    while run.is_alive() and not _n_stored(address):
        assert time.monotonic() < end
        time.sleep(0.05)
    cluster.remove_node(doomed, allow_graceful=False)
    run.join(max(0.0, end - time.monotonic()))
    assert not run.is_alive(), "the run did not end"
    if failures:  # what was stored stays, and the same command goes on from there
        assert isinstance(failures[0], StoreError)
        ingest([folder], address, cluster=cluster.address)
    assert len(SharedStore.open(address).snapshot().documents) == 12 * 250


def _n_stored(address: str) -> int:
    try:
        return len(SharedStore.open(address).snapshot().documents)
    except StoreError:
        return 0


def test_the_commands(cluster: Any, documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, index = str(tmp_path / "store"), str(tmp_path / "index")
    build = ["build", str(documents), "--index", index]
    assert main([*build, "--store", store, "--ray", cluster.address]) == 0
    told = capsys.readouterr()
    assert "42 put, 0 removed, 0 unchanged, 2 not read" in told.out
    assert "empty.pdf" in told.err
    assert not Path(index).exists()
    assert main([*build, "--store", store]) == 0  # by an index of this machine, which finds it all stored
    assert "0 put, 0 removed, 42 unchanged" in capsys.readouterr().out
    source = str(documents / "b.txt")
    assert main(["remove", source, "--index", index, "--store", store]) == 0
    assert source not in held(store)
    assert main([*build, "--ray", "local"]) == 1
    assert "--store" in capsys.readouterr().err


def test_what_cannot_be_is_said(documents: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="ray start --head"):
        ingest([documents], str(tmp_path / "store"), cluster="127.0.0.1:1")
    shutil.rmtree(documents)
    with pytest.raises(InputError):
        ingest([documents], str(tmp_path / "store"))
