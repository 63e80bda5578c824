"""How to speak to Qwen3-Coder: messages, tokens, FIM prompts, tool calls, endpoints, costs.

May import: text, settings, errors. **Invariant:** knows no workspace, no index and no editor; only
`endpoint` imports the openai package (import contracts).
"""
