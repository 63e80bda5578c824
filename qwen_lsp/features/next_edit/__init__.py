"""The next edit: what was just edited, where that calls for another edit, and the change to make there.

May import: context, model, index, syntax and below, and the readers of replies in `features`.
**Invariant:** knows no editor and no session; a place is offered only where the old form still stands, and
only `change` asks a model (tests/features/next_edit).
"""
