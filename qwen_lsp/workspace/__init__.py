"""The files of one workspace: their names, which count, which are secret, and how they are written.

May import: text, settings, errors. **Invariant:** the only package that opens files of the user's
(tests/test_architecture.py), and it never follows a link out of the root (tests/workspace/test_disk.py).
"""
