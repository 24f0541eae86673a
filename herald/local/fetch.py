"""`python -m herald.local.fetch`: fetch what the servers need ahead of time, or renew the lock of Kafka's jars."""

from typing import Annotated

import typer

from herald.local import jars
from herald.local.terminal import one_sentence, progress_bars


def main(
    lock: Annotated[str, typer.Option(metavar="VERSION", help="Write the lock for this Kafka first.")] = "",
) -> None:
    """Fetch Kafka's jars into the user's cache."""
    with one_sentence(), progress_bars() as progress:
        if lock:
            jars.write_lock(lock)
        jars.classpath(progress)


if __name__ == "__main__":
    typer.run(main)
