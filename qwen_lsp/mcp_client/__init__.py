"""Programs of the user's that lend tools over the Model Context Protocol: started, asked and stopped.

May import: index and below. **Invariant:** the protocol's library is loaded when a program is started and not
before (tests/mcp_client/test_server.py).
"""
