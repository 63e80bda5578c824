"""Agents for the command line, the real ones, set up by `qwen-lsp setup` and calling our tools."""
