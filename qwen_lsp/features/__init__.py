"""What the product does, one verb each: complete, explain, act on code, carry out a task.

May import: context, model, predict and everything below. **Invariant:** features take a snapshot, an
endpoint and settings, never the thing that owns them, and know no editor protocol (import contract
"Layers point down"). Adding a code action is one row in `actions.ACTIONS` and one file in `prompts/`.
"""
