"""What the index and the agent can do, lent to other agents over the Model Context Protocol (docs/mcp.md).

May import: runs and below. **Invariant:** one tool writes, `apply_edits`, and it writes through
`runs.landing`; whatever a tool answers has passed the secrets gate (tests/mcp_server/test_contract.py).
"""
