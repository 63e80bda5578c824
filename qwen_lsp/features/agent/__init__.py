"""Agentic edits: a loop of model and tools over a fork of the snapshot, then one reviewed change.

May import: context, model, index, syntax and below. **Invariant:** a tool maps a snapshot to a snapshot
and never writes a file (tests/features/agent/test_tools.py).
"""
