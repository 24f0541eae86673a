"""The Dockerfile: what its last stage is made of, what it says of itself, and that what it copies reaches the build."""

import fnmatch
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy/docker/Dockerfile").read_text()
STAGES = [one.splitlines() for one in re.split(r"^FROM ", TEXT, flags=re.M)[1:]]
IGNORED = (ROOT / ".dockerignore").read_text().split()


def instructions(stage: list[str]) -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n\s*", " ", "\n".join(stage[1:])).splitlines()
    found = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in found]


def test_nothing_runs_in_the_image_itself_so_that_it_needs_no_shell() -> None:
    last = instructions(STAGES[-1])
    assert [name for name, _ in last if name == "RUN"] == []
    assert all(rest.startswith("--from=build ") for name, rest in last if name in ("COPY", "ADD"))
    commands = [rest for name, rest in last if name in ("ENTRYPOINT", "CMD")]
    assert commands == ['["python", "-m", "herald"]'], "a list is run without a shell"


def test_it_runs_as_nobody_in_particular() -> None:
    [user] = [rest for name, rest in instructions(STAGES[-1]) if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:\d+", user), "a number, or runAsNonRoot cannot be checked"


def test_it_says_what_it_is() -> None:
    [labels] = [rest for name, rest in instructions(STAGES[-1]) if name == "LABEL"]
    wanted = {"title", "description", "licenses", "version", "revision", "created", "source"}
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)) == wanted


def test_its_bill_of_materials_is_made_of_what_is_installed() -> None:
    runs = [rest for name, rest in instructions(STAGES[0]) if name == "RUN"]
    install = next(number for number, one in enumerate(runs) if "-r service.lock" in one)
    bill = next(number for number, one in enumerate(runs) if "cyclonedx-py environment" in one)
    assert install < bill
    assert "/opt/herald/sbom.cdx.json /opt/herald/bin/python" in runs[bill]


def test_every_package_is_a_wheel_of_the_lock_file() -> None:
    installs = re.findall(r"pip install [^&]*", TEXT)
    assert len(installs) == 3
    assert all("--require-hashes" in one for one in installs)
    assert "--only-binary :all:" in installs[-1]


def test_an_index_and_its_authority_are_given_to_the_build_and_stay_out_of_the_image() -> None:
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE", "PIP_CERT"):
        assert any(re.match(rf"{name}\b", rest) for kind, rest in instructions(STAGES[0]) if kind == "ARG")
        assert not any(name in rest for _, rest in instructions(STAGES[-1]))


def test_what_is_copied_is_sent_to_the_build() -> None:
    """.dockerignore leaves everything out but what it names."""
    sources = []
    for name, rest in instructions(STAGES[0]):
        if name == "COPY":
            sources += [one.replace("${SERVICE}", "hub") for one in rest.split()[:-1]]
    allowed = [one.removeprefix("!") for one in IGNORED if one.startswith("!")]
    assert IGNORED[0] == "*"
    assert len(sources) > 8
    for one in sources:
        assert any(fnmatch.fnmatch(one, pattern) or one.startswith(f"{pattern}/") for pattern in allowed), one
        assert (ROOT / one).exists(), one
