"""What every service stands on: settings, storage with its outbox, consumers, tokens, problems, telemetry, lifecycle.

It holds no word of the domain. A service brings rules, commands, handlers and routes; everything that is the
same in each of them is here.
"""
