"""What the protocol's client asks of an agent: sessions, prompts, modes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acp import PROTOCOL_VERSION, schema
from acp.exceptions import RequestError
from acp.interfaces import Client

from qwen_lsp import __version__
from qwen_lsp.acp_server import slash
from qwen_lsp.acp_server.answers import INVALID, MISSING, sessions, told
from qwen_lsp.acp_server.buffers import usable
from qwen_lsp.acp_server.folder import Folders, root_of
from qwen_lsp.acp_server.lending import Handed, lent
from qwen_lsp.acp_server.prompt import Block, read
from qwen_lsp.acp_server.talk import Talk, allowed
from qwen_lsp.acp_server.updates import note
from qwen_lsp.errors import EndpointMissing, QwenLspError, UserError
from qwen_lsp.runs.record import new_name
from qwen_lsp.runs.stored import StoredRun
from qwen_lsp.settings import AgentMode
from qwen_lsp.workspace.user_config import merged


class QwenAgent:
    """The agent of one client. All methods are called on the event loop."""

    def __init__(self) -> None:
        self._folders = Folders()
        self._talks: dict[str, Talk] = {}
        self._can = schema.ClientCapabilities()
        self._client: Client | None = None
        self._later: set[asyncio.Task[None]] = set()

    def on_connect(self, conn: Client) -> None:
        self._client = conn

    # -- the connection ----------------------------------------------------------------------------------

    async def initialize(
        self,
        protocol_version: int,
        client_capabilities: schema.ClientCapabilities | None = None,
        client_info: schema.Implementation | None = None,
        **kwargs: Any,
    ) -> schema.InitializeResponse:
        """What this agent can do. It speaks one version of the protocol, whatever the client asks for."""
        self._can = client_capabilities or schema.ClientCapabilities()
        self._can.fs = usable(client_capabilities, client_info)
        return schema.InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_info=schema.Implementation(name="qwen-lsp", title="Qwen", version=__version__),
            agent_capabilities=schema.AgentCapabilities(
                load_session=True,
                prompt_capabilities=schema.PromptCapabilities(embedded_context=True),
                mcp_capabilities=schema.McpCapabilities(),
                session_capabilities=schema.SessionCapabilities(
                    list=schema.SessionListCapabilities(),
                    resume=schema.SessionResumeCapabilities(),
                    close=schema.SessionCloseCapabilities(),
                ),
            ),
            auth_methods=[],
        )

    async def authenticate(self, method_id: str, **kwargs: Any) -> schema.AuthenticateResponse:
        """There is nothing to log in to: the endpoint is the user's own configuration."""
        with told():
            if not merged().endpoint.base_url:
                raise EndpointMissing("The agent")
        return schema.AuthenticateResponse()

    # -- sessions ----------------------------------------------------------------------------------------

    async def new_session(
        self,
        cwd: str,
        additional_directories: Sequence[str] | None = None,
        mcp_servers: Sequence[Handed] | None = None,
        **kwargs: Any,
    ) -> schema.NewSessionResponse:
        """A conversation in a folder. Its name is that of the run which it will be."""
        with told():
            talk = await self._begun(new_name(), cwd, additional_directories, mcp_servers)
        return schema.NewSessionResponse(session_id=talk.id, modes=talk.modes)

    async def load_session(
        self,
        cwd: str,
        session_id: str,
        mcp_servers: Sequence[Handed] | None = None,
        additional_directories: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> schema.LoadSessionResponse:
        """An earlier conversation, told again from its record, to be gone on with."""
        with told():
            talk, stored = await self._gone_on(session_id, cwd, additional_directories, mcp_servers)
        talk.tell_again(stored)
        await talk.line.told()
        return schema.LoadSessionResponse(modes=talk.modes)

    async def resume_session(
        self,
        session_id: str,
        cwd: str,
        additional_directories: Sequence[str] | None = None,
        mcp_servers: Sequence[Handed] | None = None,
        **kwargs: Any,
    ) -> schema.ResumeSessionResponse:
        """The same, where the client knows what was said."""
        with told():
            talk, _ = await self._gone_on(session_id, cwd, additional_directories, mcp_servers)
        return schema.ResumeSessionResponse(modes=talk.modes)

    async def list_sessions(
        self, cwd: str | None = None, cursor: str | None = None, **kwargs: Any
    ) -> schema.ListSessionsResponse:
        """The runs that are kept, of a folder or all, the latest first; those of other front ends too."""
        with told():
            root = None if cwd is None else root_of(cwd)
        return schema.ListSessionsResponse(sessions=list(await asyncio.to_thread(sessions, root)))

    async def close_session(self, session_id: str, **kwargs: Any) -> schema.CloseSessionResponse:
        """The conversation is over here; what was done until then can be gone on with."""
        talk = self._talks.pop(session_id, None)
        if talk is not None:
            await _stop(talk)
        return schema.CloseSessionResponse()

    async def fork_session(
        self,
        session_id: str,
        cwd: str,
        additional_directories: Sequence[str] | None = None,
        mcp_servers: Sequence[Handed] | None = None,
        **kwargs: Any,
    ) -> schema.ForkSessionResponse:
        raise RequestError.method_not_found("session/fork")

    async def set_config_option(
        self, config_id: str, session_id: str, value: str | bool, **kwargs: Any
    ) -> schema.SetSessionConfigOptionResponse:
        raise RequestError(INVALID, f"There is no option {config_id!r}: see docs/settings.md.")

    async def set_session_mode(
        self, session_id: str, mode_id: str, **kwargs: Any
    ) -> schema.SetSessionModeResponse:
        """The mode of the next turn, and of the landing of this one. It cannot exceed the user's settings."""
        talk = self._talk(session_id)
        most = talk.folder.session.settings.agent.mode
        modes: dict[str, AgentMode] = {mode: mode for mode in allowed(most)}
        mode = modes.get(mode_id)
        if mode is None:
            raise RequestError(
                INVALID,
                f"The mode {mode_id!r} is not to be had: your configuration says agent.mode = {most!r}, "
                f"and an editor can only lower that ({', '.join(allowed(most))}).",
            )
        talk.mode = mode
        return schema.SetSessionModeResponse()

    # -- turns -------------------------------------------------------------------------------------------

    async def prompt(self, session_id: str, prompt: Sequence[Block], **kwargs: Any) -> schema.PromptResponse:
        """One turn. What goes wrong is an error whose message says what to do; the conversation goes on."""
        talk = self._talk(session_id)
        if talk.turn is not None:
            raise RequestError(INVALID, "This conversation is at work: stop it first, or wait.")
        last = talk.last
        talk.turn = turn = asyncio.create_task(self._turn(talk, prompt), name=f"turn {session_id}")
        try:
            with told():
                stopped = await turn
        except asyncio.CancelledError:
            asking = asyncio.current_task()
            if asking is not None and asking.cancelling():
                raise  # the connection is over
            stopped = "cancelled"
        finally:
            talk.turn = None
            await talk.line.told()
        return schema.PromptResponse(
            stop_reason=stopped, usage=_usage(talk) if talk.last is not last else None
        )

    async def cancel(self, session_id: str, **kwargs: Any) -> None:
        """Stop the turn, down to the request that is under way."""
        talk = self._talks.get(session_id)
        if talk is not None and talk.turn is not None:
            talk.turn.cancel()

    async def _turn(self, talk: Talk, blocks: Sequence[Block]) -> schema.StopReason:
        gate = talk.folder.session.gate

        def admit(name: str, text: str) -> str:
            return gate.admit(name, text).text or "(withheld: it may hold secrets)"

        said = read(blocks, (talk.cwd, talk.folder.root), admit)
        command = slash.typed(said.text)
        if command is not None:
            try:
                await command[0].act(talk, command[1])
            except QwenLspError as error:
                talk.line.tell(note(str(error)))
            return "end_turn"
        if not said.text:
            raise UserError("There is no text in this message: say what to do.")
        return await talk.said(said)

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        raise RequestError.method_not_found(f"_{method}")

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        """Nothing is known to this agent beyond the protocol."""

    async def aclose(self) -> None:
        """Stop all turns and close all folders."""
        talks = list(self._talks.values())
        self._talks.clear()
        await asyncio.gather(*(_stop(talk) for talk in talks))
        await self._folders.aclose()

    # -- conversations -----------------------------------------------------------------------------------

    def _talk(self, session_id: str) -> Talk:
        talk = self._talks.get(session_id)
        if talk is None:
            raise RequestError(MISSING, f"There is no open session {session_id}.")
        return talk

    async def _begun(
        self, id: str, cwd: str, more: Sequence[str] | None, servers: Sequence[Handed] | None
    ) -> Talk:
        assert self._client is not None  # noqa: S101  # a request came over it
        folder = await self._folders.get(root_of(cwd))
        settings = folder.session.settings.agent
        own, left_out = lent(servers or (), settings.mcp_servers)
        talk = Talk(id, Path(cwd), folder, self._client, self._can, settings.mode, own, list(left_out))
        if more:
            talk.notices.append("A session works in one folder: the other ones are not used.")
        self._talks[id] = talk
        # The client knows the session only when it has the answer, which is sent before this runs.
        task = asyncio.create_task(_offer_commands(talk))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return talk

    async def _gone_on(
        self, id: str, cwd: str, more: Sequence[str] | None, servers: Sequence[Handed] | None
    ) -> tuple[Talk, StoredRun]:
        before = self._talks.get(id)
        if before is not None and before.turn is not None:
            raise UserError("This conversation is at work: stop it first, or wait.")
        talk = await self._begun(id, cwd, more, servers)
        stored = await asyncio.to_thread(talk.stored)
        if stored is None or stored.info.meta.root != str(talk.folder.root):
            del self._talks[id]
            where = f"; it belongs to {stored.info.meta.root}" if stored is not None else ""
            raise UserError(f"There is no session {id} in {cwd}{where}.")
        return talk, stored


async def _offer_commands(talk: Talk) -> None:
    talk.line.tell(slash.offered())


def _usage(talk: Talk) -> schema.Usage | None:
    """The tokens of the latest turn, all requests together."""
    if talk.last is None:
        return None
    used = talk.last.result.usage
    return schema.Usage(
        input_tokens=used.prompt,
        output_tokens=used.completion,
        cached_read_tokens=used.cached,
        total_tokens=used.prompt + used.completion,
    )


async def _stop(talk: Talk) -> None:
    if talk.turn is not None:
        talk.turn.cancel()
        await asyncio.gather(talk.turn, return_exceptions=True)
    talk.line.close()
