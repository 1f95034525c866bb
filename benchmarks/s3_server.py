"""An S3 API that really runs on this machine, for what measures and tests shared stores."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import boto3

__all__ = ["BUCKET", "S3", "running"]

BUCKET = "corpus"


class S3:
    """moto's server, which can be made to answer nothing for a while: it keeps its objects in memory."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60.0
        while True:
            try:
                urlopen(self.url, timeout=2).close()
                break
            except HTTPError:
                break
            except (URLError, OSError):
                if self.process.poll() is not None or time.monotonic() > end:
                    self.process.kill()
                    raise RuntimeError(f"{' '.join(command)}: did not answer within a minute") from None
                time.sleep(0.1)

    def pause(self) -> None:
        """Let it answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def running() -> Iterator[S3]:
    """Run one with a bucket, which the environment of this process names meanwhile."""
    server = S3()
    before = dict(os.environ)
    os.environ.update(
        AWS_ENDPOINT_URL=server.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1"
    )
    try:
        boto3.client("s3", endpoint_url=server.url, region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield server
    finally:
        server.resume()
        server.process.kill()
        server.process.wait()
        os.environ.clear()
        os.environ.update(before)
