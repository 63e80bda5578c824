"""The workspace as tools of the Model Context Protocol, for agents that bring a model of their own.

May import: `runs` and below, never `server` or `acp_server`. **Invariant:** nothing here asks a model
before a tool that says so is called, and what a tool answers has passed the secrets gate.
"""
