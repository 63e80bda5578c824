"""The language server: the only code that speaks the protocol.

May import: everything below it (session, features, context, model, predict, index, syntax, workspace,
text, settings, errors); of these, pydantic, tree-sitter, openai and sqlite3 only after `initialize` was
answered. **Invariant:** no other package imports pygls or lsprotocol (import contract "Only server knows
the language server protocol"), and the start-up path stays light (tests/server/test_app.py).
"""
