"""Agent runs in an open workspace, from their start to their landing: what every front end calls.

May import: session, features and below. **Invariant:** knows no editor and no terminal; what a person has to
decide comes in as a function (tests/runs).
"""
