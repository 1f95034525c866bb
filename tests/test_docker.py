"""The image and the compose file, as far as that can be told where no Docker runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
START = ROOT / "docker" / "start.sh"


def test_the_linter_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed: pip install -r requirements-dev.txt")
    done = subprocess.run([linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"}
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in kept, source


def test_every_package_that_the_page_needs_is_copied() -> None:
    for folder in ("index", "qa", "ui", "seeds"):
        assert re.search(rf"^COPY {folder} ", DOCKERFILE, re.MULTILINE)


def test_it_runs_as_a_user_of_its_own_and_watches_its_health() -> None:
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.MULTILINE)
    assert "/healthz" in DOCKERFILE


def test_the_script_is_sound_and_its_commands_exist() -> None:
    subprocess.run(["sh", "-n", str(START)], check=True)
    text = START.read_text(encoding="utf-8")
    for module in re.findall(r"python -m (\w+)", text):
        assert (ROOT / module / "__main__.py").exists()
    assert 'exec python app.py --index /data/index --host 0.0.0.0 "$@"' in text


def test_compose_serves_this_machine_only_and_writes_in_its_volume_only() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["sourcier"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["read_only"] is True
    assert "./documents:/documents:ro" in service["volumes"]
    options = {option for option in service["command"] if option.startswith("--")}
    told = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(option in told.stdout for option in options)


def test_the_pages_over_a_store_are_served_to_this_machine_and_their_options_exist() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.scale.yaml").read_text(encoding="utf-8"))["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    told = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for page in ("page-1", "page-2"):
        assert all(word in told.stdout for word in services[page]["entrypoint"] if word.startswith("--"))
        assert (ROOT / services[page]["build"]["args"]["REQUIREMENTS"]).is_file()
    balancer = (ROOT / "docker" / "haproxy.cfg").read_text(encoding="utf-8")
    assert set(re.findall(r"server (\S+) \1:7860 check", balancer)) == {"page-1", "page-2"}


def test_the_kubernetes_manifest_is_valid_and_runs_what_there_is() -> None:
    parts = list(yaml.safe_load_all((ROOT / "docker" / "kubernetes.yaml").read_text(encoding="utf-8")))
    for part in parts:
        kubernetes_validate.validate(part, "1.33", strict=True)
    pod = next(part for part in parts if part["kind"] == "Deployment")["spec"]["template"]["spec"]
    (page,) = pod["containers"]
    told = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(word in told.stdout for word in page["command"] if word.startswith("--"))
    assert f"--uid {pod['securityContext']['runAsUser']} " in DOCKERFILE
    assert page["ports"][0]["containerPort"] == int(re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)[0])
    job = next(part for part in parts if part["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    command = [sys.executable, *job["containers"][0]["command"][1:4], "--help"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
