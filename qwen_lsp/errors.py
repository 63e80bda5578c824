"""Every error raised on purpose, drawn as one tree.

QwenLspError                    a sentence for the user, with what to do next
├── SettingsError               a setting has the wrong type or value
├── WorkspaceError
│   ├── OutsideWorkspace        a path that leaves the root, or that cannot be named inside it
│   ├── FileUnreadable          missing, binary, too large, not text
│   ├── ProtectedPath           a path that nothing here may write (.git, editor and agent settings)
│   └── ConflictError           the file changed since the edit was computed
├── EndpointError
│   ├── EndpointMissing         no endpoint is configured
│   ├── EndpointUnreachable     DNS, refused, TLS, proxy
│   ├── EndpointTimeout         no first byte, or no next byte, in time
│   ├── AuthenticationFailed    401, 403: never retried with the same key
│   ├── RateLimited             429: carries the seconds to wait
│   ├── ContextOverflow         the prompt does not fit the model's window
│   ├── RequestRefused          any other 4xx
│   ├── EndpointFailed          5xx after all retries, or the breaker is open
│   └── MalformedReply          not JSON, not a stream, cut in the middle
├── SandboxFailed               a sandbox that cannot be set up; nothing was run
├── ExternalFailed              a program that lends tools cannot be started, or does not answer
├── EditRejected                an edit that matches nothing or too much; the text is written for the model
├── ToolRefused                 a tool call that may not run; the text is written for the model
├── BudgetTooSmall              the fixed parts of a prompt alone exceed the budget
└── UserError                   a command called with arguments that make no sense

Everything else that escapes is a defect and is reported as "internal error" at the top of a front end.
"""

from __future__ import annotations


class QwenLspError(Exception):
    """Base of all deliberate errors; `str(error)` is a sentence a user can act on."""


class SettingsError(QwenLspError):
    """A setting has the wrong type or value; the message names the setting."""


class WorkspaceError(QwenLspError):
    """Something about a file or folder of the workspace."""


class OutsideWorkspace(WorkspaceError):
    """A path that is not below the workspace's root."""


class FileUnreadable(WorkspaceError):
    """A file that cannot be read as text; `reason` is short enough for a list."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class ProtectedPath(WorkspaceError):
    """A path that no edit may touch, whoever asks."""


class ConflictError(WorkspaceError):
    """A file is not what the edit was computed from; nothing was written."""


class EndpointError(QwenLspError):
    """Something between here and the model."""


class EndpointMissing(EndpointError):
    """No endpoint is configured."""

    def __init__(self, what: str = "This") -> None:
        super().__init__(
            f"{what} needs a model: set OPENAI_BASE_URL and OPENAI_MODEL (and OPENAI_API_KEY if the "
            "endpoint asks for one), or endpoint.base_url in the settings; `qwen-lsp doctor` looks for a "
            "local server."
        )


class EndpointUnreachable(EndpointError):
    """DNS failure, connection refused, TLS or proxy error."""


class EndpointTimeout(EndpointError):
    """No first byte, or no next byte, within the time allowed."""


class AuthenticationFailed(EndpointError):
    """The endpoint refused the key; it is not tried again with the same one."""


class RateLimited(EndpointError):
    """The endpoint asks to wait; `retry_after` is in seconds, None when it did not say."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ContextOverflow(EndpointError):
    """The prompt does not fit; `limit` is the window in tokens when the endpoint told it."""

    def __init__(self, message: str, limit: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit


class RequestRefused(EndpointError):
    """A 4xx that is neither authentication, rate nor window; `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class EndpointFailed(EndpointError):
    """A 5xx after all retries, or the breaker is open after a run of them."""


class MalformedReply(EndpointError):
    """A reply that is not what the protocol says: HTML, invalid JSON, a cut stream."""


class SandboxFailed(QwenLspError):
    """The sandbox could not be set up, so nothing was run in it."""


class ExternalFailed(QwenLspError):
    """A program of the user's that lends tools (MCP) cannot be started, has ended, or does not answer."""


class EditRejected(QwenLspError):
    """An edit that cannot be applied safely; the message is written for the model."""


class ToolRefused(QwenLspError):
    """A tool call that may not run; the message is written for the model."""


class BudgetTooSmall(QwenLspError):
    """The parts of a prompt that must be there already exceed the budget."""


class UserError(QwenLspError):
    """A command or request whose arguments make no sense."""
