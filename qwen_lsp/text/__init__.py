"""Text as offsets: positions, spans, edits, diffs.

May import: errors. **Invariant:** pure; no I/O, no wire types (import contract "Layers point down").
All offsets are code points of a Python `str`; only `positions` knows UTF-8 and UTF-16 units.
"""
