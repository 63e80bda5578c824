"""Text to syntax tree to facts, for every language of one table.

May import: text, settings, errors, workspace. **Invariant:** parsing never fails, does no I/O, and no
other package imports tree-sitter (import contract "Only syntax uses tree-sitter").
"""
