"""What to show the model: candidates with a score and a reason, packed into a token budget.

May import: index, syntax, workspace, text, settings, errors. **Invariant:** a pack never exceeds its
budget by one token and never contains what the secrets gate withholds
(tests/context/test_pack.py, `test_a_pack_keeps_its_promises`).
Tokens are counted by a function that the caller gives; this package knows no tokenizer and no model.
"""
