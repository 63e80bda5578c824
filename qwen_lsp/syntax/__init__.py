"""Text to syntax tree to facts, for every language of one table.

May import: text, settings, errors, workspace. **Invariant:** parsing never fails and always ends
(`tests/syntax/test_guard.py`), does no I/O, and no other package imports tree-sitter (import contract
"Only syntax uses tree-sitter"). Facts that follow edits are those of the whole text
(`test_update_equals_extract`).
"""
