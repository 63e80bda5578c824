"""Programs run so that nothing outside a scratch copy changes, whatever they are.

May import: index and below. **Invariant:** where there is no sandbox nothing is run
(tests/sandbox/test_absent.py).
"""
