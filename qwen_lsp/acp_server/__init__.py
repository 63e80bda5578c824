"""The agent for editors that speak the Agent Client Protocol.

May import: `runs` and below, never `server` or `mcp_server`. **Invariant:** the only code that knows `acp`
(import contract).
"""
