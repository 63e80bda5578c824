"""The suite of multi-file tasks: each carried out by the real program, landed, and checked by hidden tests.

python -m bench.tasks
"""

from __future__ import annotations

import asyncio

from tests.support.tasks import main

if __name__ == "__main__":
    asyncio.run(main())
