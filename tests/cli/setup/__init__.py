"""`qwen-lsp setup`."""
