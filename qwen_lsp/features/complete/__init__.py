"""Inline completion: when to speak, what to send, when to stop, what to keep.

May import: context, model, predict, index, syntax and below. **Invariant:** knows no editor and no
session; everything but `request` is a pure function of texts (tests/features/complete).
"""
