"""The lock files pin and verify everything and name no registry."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-bootstrap.lock", "requirements-audit.lock"]


def entries(lock: str) -> list[str]:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("lock", LOCKS)
def test_holds_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_and_hashed(lock: str) -> None:
    found = entries(lock)
    assert found
    for entry in found:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def declared() -> set[str]:
    herald = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = tomllib.loads((ROOT / "contracts/pyproject.toml").read_text())
    groups = [
        herald["project"]["dependencies"],
        contracts["project"]["dependencies"],
        *herald["project"]["optional-dependencies"].values(),
        *herald["dependency-groups"].values(),
    ]
    names = {str(canonicalize_name(Requirement(line).name)) for group in groups for line in group}
    return names - {"herald-contracts"}


def test_every_declared_dependency_is_locked() -> None:
    locked = {canonicalize_name(entry.split("==")[0]) for entry in entries("requirements.lock")}
    assert declared() <= locked
