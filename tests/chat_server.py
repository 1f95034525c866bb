"""Chat servers that really run: ``transformers serve`` on a tiny model of random weights, and one with a script."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["ChatServer", "ScriptedServer", "chat_server", "free_port", "save_chat_model"]

_WORDS = tuple("le la les port navires compte Brest deux trois mai juin et un une de des . , [1] [2]".split())  # noqa: SIM905
_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }} {{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant {% endif %}"
)
_START_S = 120.0


@dataclass(frozen=True)
class ChatServer:
    """A running server: its OpenAI-compatible address, the model that it serves, its process."""

    url: str
    model: str
    process: subprocess.Popen[bytes]


def save_chat_model(folder: Path) -> Path:
    """Write a causal language model of two layers with random weights, and return its folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    vocabulary = {word: number for number, word in enumerate([*special, *_WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    tokenizer.chat_template = _TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = None  # it writes until it is told to stop
    model.save_pretrained(folder)
    return folder


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def chat_server(model: Path, log: Path) -> Iterator[ChatServer]:
    """Serve a model until the block ends."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/health", process, log)
        yield ChatServer(f"http://127.0.0.1:{port}/v1", str(model), process)
    finally:
        process.kill()
        process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


class ScriptedServer(ThreadingHTTPServer):
    """Answers each request by the next step of its script.

    Attributes:
        script: for each request, seconds of silence before it hangs up; a status and the message of an error; or the
            pieces of a reply, of which a number is seconds of silence.
        keys: the authorization of each request.
        left: for each silence, whether the other side hung up meanwhile.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Scripted)
        self.script: list[object] = []
        self.keys: list[str | None] = []
        self.left: list[bool] = []

    @property
    def url(self) -> str:
        """Its OpenAI-compatible address."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Scripted(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        step = self.server.script.pop(0)
        self.server.keys.append(self.headers["authorization"])
        if isinstance(step, float):
            self._wait(step)
            return
        if isinstance(step, tuple):
            self._refuse(*step)
            return
        assert isinstance(step, list)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for place, piece in enumerate(step):
            if isinstance(piece, float):
                if self._wait(piece):
                    return
                continue
            reason = "stop" if place == len(step) - 1 else None
            choice = {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": reason}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def _refuse(self, status: int, message: str) -> None:
        body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("retry-after", "7")
        self.end_headers()
        self.wfile.write(body)

    def _wait(self, seconds: float) -> bool:
        """Be silent, and return whether the other side hung up."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        gone = bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        self.server.left.append(gone)
        return gone

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass
