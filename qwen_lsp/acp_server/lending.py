"""The tool servers that a client hands over with a session, as the run's own rules take them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from acp import schema
from pydantic import SecretStr, ValidationError

from qwen_lsp.settings import AgentSettings, McpServerSettings

Handed = schema.HttpMcpServer | schema.SseMcpServer | schema.AcpMcpServer | schema.McpServerStdio
_LONGEST_NAME = 32


def lent(
    servers: Sequence[Handed], taken: Collection[str]
) -> tuple[Mapping[str, McpServerSettings], Sequence[str]]:
    """The servers that a run may ask to start, by name, and a sentence for each that it cannot.

    They go through the same questions as those of the user's configuration, and are never trusted: a client's
    list may come from a file of the workspace. `taken` are the names of the user's own.
    """
    found: dict[str, McpServerSettings] = {}
    left_out: list[str] = []
    for server in servers:
        name = re.sub(r"[^A-Za-z0-9]+", "-", server.name).strip("-")[:_LONGEST_NAME].strip("-")
        if not isinstance(server, schema.McpServerStdio):
            left_out.append(f"The MCP server {server.name!r} is not used: only programs are started.")
        elif name in taken:
            left_out.append(f"The MCP server {name} of config.toml is used, not the editor's of that name.")
        elif not name or name in found:
            left_out.append(f"The MCP server {server.name!r} is not used: another one has that name.")
        else:
            try:
                one = McpServerSettings(
                    command=server.command,
                    args=tuple(server.args),
                    env={variable.name: SecretStr(variable.value) for variable in server.env},
                )
                AgentSettings(mcp_servers={name: one})
            except ValidationError as error:
                left_out.append(f"The MCP server {server.name!r} is not used: {error.errors()[0]['msg']}.")
            else:
                found[name] = one
    return found, left_out
