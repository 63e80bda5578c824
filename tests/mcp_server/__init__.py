"""Tests of qwen_lsp.mcp_server."""
