"""`python -m tests.helm`: render the chart's examples anew, one a set of values."""

from __future__ import annotations

import sys

import yaml

from herald.contracts.chart import CHART
from tests.helm import run

LEFT_OUT = ("--set", "monitoring.rules.enabled=false", "--set", "monitoring.dashboards.enabled=false")
HEAD = "# Rendered from ../ci/{name}.yaml by `python -m tests.helm`, without alerts and dashboards.\n"


def main() -> None:
    """Write `examples/<set>.yaml`; exit 1 with what Helm says against one."""
    (CHART / "examples").mkdir(exist_ok=True)
    for path in sorted((CHART / "ci").glob("*.yaml")):
        ran = run("template", "herald", str(CHART), "--namespace", "herald", "--values", str(path), *LEFT_OUT)
        if ran.returncode != 0:
            sys.exit(ran.stderr)
        documents = [one for one in yaml.load_all(ran.stdout, yaml.CSafeLoader) if one]
        text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False, width=150, default_flow_style=None)
        (CHART / "examples" / path.name).write_text(HEAD.format(name=path.stem) + text)


if __name__ == "__main__":
    main()
