"""The workspace at one moment, and everything known about its files.

May import: text, settings, errors, workspace, syntax. **Invariant:** `Store.current` is the one mutable
cell; a Snapshot never changes, and the cache on disk can be deleted at any time
(tests/index/test_snapshot.py, tests/index/test_cache.py).
"""
