"""`python -m qwen_lsp`: the command line, for editors that know an interpreter but no script."""

from qwen_lsp.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
