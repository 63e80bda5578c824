"""qwen-lsp: an AI language server that puts Qwen3-Coder behind every editor."""

__version__ = "0.1.0"
