"""Attacks on a running Herald, by requests alone. Each family is one module: data, and what must not happen.

python -m tests.attack                     against a Herald that it starts; all cases
python -m tests.attack --url URL --home .herald   against one that runs with the development issuer
"""
