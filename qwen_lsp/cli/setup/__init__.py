"""Other programs' configuration, written so that they start ours, and taken back byte for byte.

May import: everything below `cli`. **Invariant:** a file of the user's is replaced as a whole or not at all,
after what it held has been kept, and nothing in it is changed but what is ours (tests/cli/setup).
"""
