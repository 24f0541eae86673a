"""The local stack: real Kafka, MongoDB and Redis as child processes, and Herald's own processes on top.

Every server is one small module behind one interface (`herald.local.server.Server`: start, ready, stop),
which the supervisor of `herald up` and the tests share. What is downloaded is pinned, verified and cached.
"""
