"""How much an installation takes, computed of what the benches measured: `python -m bench.capacity`.

`measured.json` keeps the measured figures, each with the command and the machine that it was measured with
(`python -m bench.capacity --keep` takes them from the last results). `assumptions.py` says what is assumed of people
and of servers. Everything else is arithmetic (`model.py`).
"""
