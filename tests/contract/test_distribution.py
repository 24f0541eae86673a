"""`herald-contracts` stands alone: its wheel, in an empty environment, decodes a record."""

import subprocess
import sys
import venv
from pathlib import Path

from herald.contracts.examples import EXAMPLES
from herald.operations.topics import CONTRACTS

UV = CONTRACTS.parent / "tools" / "uv.sh"
PROGRAM = """
import importlib.util, json, sys
from herald_contracts import PostShared, decode
record = json.load(open(sys.argv[1]))
event = decode(record["headers"], json.dumps(record["data"]).encode())
assert isinstance(event.data, PostShared)
assert importlib.util.find_spec("chassis") is importlib.util.find_spec("herald") is None
print(event.id, event.data.network)
"""


def test_it_installs_alone_and_decodes(tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=CONTRACTS)
    (wheel,) = tmp_path.glob("herald_contracts-*.whl")
    python = tmp_path / "empty" / "bin" / "python"
    venv.create(tmp_path / "empty", with_pip=False, symlinks=True)
    run(
        "sh",
        UV,
        "pip",
        "install",
        "-q",
        "--python",
        python,
        "--constraint",
        CONTRACTS.parent / "requirements.lock",
        wheel,
    )
    shown = EXAMPLES / "PostShared/v1/suggested-caption.json"
    assert run(python, "-I", "-c", PROGRAM, shown, cwd=tmp_path).endswith(" linkedin\n")
    installed = run("sh", UV, "pip", "freeze", "--python", python)
    assert {line.partition("=")[0].partition(" ")[0] for line in installed.splitlines()} == {
        "annotated-types",
        "herald-contracts",
        "pydantic",
        "pydantic-core",
        "typing-extensions",
        "typing-inspection",
    }


def run(*command: str | Path, cwd: Path | None = None) -> str:
    ran = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
