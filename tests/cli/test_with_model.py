"""Commands with a model behind them: the scripted endpoint is all they may talk to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.cli.doctor import completion_finding
from qwen_lsp.model.routing import RouteReport, Trial
from tests.cli.conftest import FILES, Run
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint, echo

Configure = Callable[[ScriptedEndpoint], None]
MONEY = FILES["calc/money.py"]
CALLS: list[tuple[str, Any]] = [
    ("edit", {"file_path": "calc/money.py", "old_string": "2 >= step", "new_string": "2 > step"}),
    ("edit", {"file_path": "README.md", "old_string": "Rounds money.", "new_string": "Rounds half down."}),
    ("write_file", {"file_path": "calc/rule.py", "content": 'RULE = "half down"\n'}),
]  # fmt: skip


def changed(repo: Path) -> list[str]:
    done = subprocess.run(
        ("git", "status", "--porcelain", "-uall"), cwd=repo, capture_output=True, text=True, check=True
    )
    return sorted(line[3:] for line in done.stdout.splitlines())


async def test_complete_and_explain_ask_the_model(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(' %d sums", len(amounts))\n')
        ran = await run("complete", repo / "calc/report.py:23", "--json")
        assert json.loads(ran.out) == {"text": ' %d sums", len(amounts))', "source": "model"}
        model.reply("It rounds to a step.")
        ran = await run("explain", repo / "calc/money.py:9-13")
        assert (ran.code, ran.out.strip()) == (0, "It rounds to a step.")


async def test_complete_says_why(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(' %d sums", len(amounts))\n')
        ran = await run("complete", repo / "calc/report.py:23", "--why")
        assert ran.out.startswith("# Why this suggestion: calc/report.py:23\n")
        assert ' %d sums", len(amounts))' in ran.out
        assert model.model in ran.out
        model.reply("")
        ran = await run("complete", repo / "calc/report.py:23", "--why", "--json")
        told = json.loads(ran.out)
        assert told["completion"] is None
        assert "had nothing to say" in told["nothing"]
        model.reply(status=500)
        ran = await run("complete", repo / "calc/report.py:23", "--why")
        assert "The endpoint gave no answer: " in ran.out
        assert "HTTP 500" in ran.out


async def test_an_action_is_shown_then_written(run: Run, repo: Path, configured: Configure) -> None:
    answer = '```python\ndef rounded(amount: Money, step: int) -> Money:\n    """To the nearest step."""\n```'
    async with ScriptedEndpoint() as model:
        configured(model)
        listed = await run("action", repo / "calc/money.py:9")
        assert "OPENAI_BASE_URL" not in listed.out
        assert not model.requests
        model.reply(answer)
        shown = await run("action", repo / "calc/money.py:9", "--do", "document:0")
        assert shown.code == 0
        assert '+    """To the nearest step."""' in shown.out
        assert changed(repo) == []
        model.reply(answer)
        written = await run("action", repo / "calc/money.py:9", "--do", "document:0", "--apply")
        assert written.code == 0
        assert changed(repo) == ["calc/money.py"]
        assert '"""To the nearest step."""' in (repo / "calc/money.py").read_text()


async def test_the_agent_edits_applies_and_takes_back(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("I change the rule.", tool_calls=CALLS)
        model.reply("Done: halves go down.")
        ran = await run("agent", repo, "-p", "Round halves down.", "--yes", "--json")
        assert ran.code == 0
        events = [json.loads(line) for line in ran.out.splitlines()]
        kinds = [event["event"] for event in events]
        assert set(kinds) >= {"said", "called", "observed", "turned", "stopped", "diff", "result"}
        assert [event["tool"] for event in events if event["event"] == "called"] == [
            name for name, _ in CALLS
        ]
        assert all(event["ok"] for event in events if event["event"] == "observed")
        assert "+RULE" in events[kinds.index("diff")]["text"]
        result = events[-1]
        assert (result["event"], result["ended"], result["applied"]) == ("result", "done", True)
        assert result["files"] == ["README.md", "calc/money.py", "calc/rule.py"]
        assert changed(repo) == ["README.md", "calc/money.py", "calc/rule.py"]
        assert "rest * 2 > step" in (repo / "calc/money.py").read_text()
        back = await run("agent", repo, "--undo")
        assert back.code == 0
        assert "calc/money.py" in back.out
        assert changed(repo) == []
        assert (repo / "calc/money.py").read_text() == MONEY


async def test_the_agent_asks_before_it_applies(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=CALLS)
        model.reply("Done.")
        ran = await run("agent", repo, typed="Round halves down.\n")
        assert ran.code == 1
        assert "--yes" in ran.out
        assert changed(repo) == []
        assert "Round halves down." in model.requests[0].prompt


async def test_a_run_that_breaks_off_is_not_applied(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=CALLS)
        model.reply(status=400, text="no")
        ran = await run("agent", repo, "-p", "Round halves down.", "--yes", "--json")
        assert ran.code == 1
        assert json.loads(ran.out.splitlines()[-1])["applied"] is False
        assert changed(repo) == []


async def test_the_doctor_tries_what_is_configured(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("ready", match="one word")
        model.reply(tool_calls=[("report", {"number": 7})], match="number 7")
        model.reply("a + b\n")
        ran = await run("doctor", repo, "--json")
        findings = json.loads(ran.out)["findings"]
        bad = [finding["name"] for finding in findings if not finding["ok"]]
        # This machine may have no sandbox; that it is said is looked at in another test.
        assert bad in ([], ["sandbox"])
        assert ran.code == len(bad)
        (endpoint,) = [finding for finding in findings if finding["name"] == "endpoint"]
        assert "vLLM" in endpoint["found"]
        assert "262,144" in endpoint["found"]
        (completion,) = [finding for finding in findings if finding["name"] == "completion"]
        assert completion["found"].startswith("fill-in-the-middle through /completions, first text after ")


async def test_the_doctor_says_by_which_route_completions_go_and_why(
    run: Run, repo: Path, configured: Configure
) -> None:
    def answer(request: Recorded) -> Reply:
        if "number 7" in request.prompt:
            return Reply(tool_calls=[("report", {"number": 7})])
        return Reply("a + b" if request.messages else "Here is the completed function:")

    async with ScriptedEndpoint(responder=answer) as model:
        configured(model)
        ran = await run("doctor", repo, "--json")
        *_, completion = json.loads(ran.out)["findings"]
        assert (completion["name"], completion["ok"]) == ("completion", True)
        assert completion["found"].startswith(
            "an ordinary question through chat, since fill-in-the-middle through /completions answered "
            "'Here is the completed function:', which is no code"
        )
        assert "/completions" in completion["advice"]


async def test_the_doctor_tells_a_model_that_cannot_complete(
    run: Run, repo: Path, configured: Configure
) -> None:
    async with ScriptedEndpoint(responder=lambda _: Reply("I am sorry.")) as model:
        configured(model)
        ran = await run("doctor", repo, "--json")
        *_, completion = json.loads(ran.out)["findings"]
        assert (ran.code, completion["ok"]) == (1, False)
        assert "'I am sorry.', which is no code" in completion["found"]
        assert "completion_model" in completion["advice"]


def test_the_doctor_tells_a_model_that_is_too_slow_to_complete() -> None:
    report = RouteReport("completions", (Trial("completions", "a + b", seconds=3.25),))
    slow = completion_finding(report, first_token=2.0)
    assert not slow.ok
    assert slow.found.endswith("first text after 3.25 s")
    assert "waits 2 s" in slow.advice
    assert "completion.first_token_timeout" in slow.advice
    assert completion_finding(report, first_token=4.0).ok


async def test_the_doctor_tells_an_endpoint_that_is_away(
    run: Run, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_MODEL", "none")
    ran = await run("doctor", repo, "--json")
    assert ran.code == 1
    bad = [finding for finding in json.loads(ran.out)["findings"] if not finding["ok"]]
    assert bad
    assert all(finding["advice"] for finding in bad)


@pytest.mark.slow
async def test_the_tour_uses_the_endpoint(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint(responder=echo) as model:
        configured(model)
        model.reply(tool_calls=CALLS, match="short doc comment")
        model.reply("Done.", match="short doc comment")
        ran = await run("tour", repo, "--no-questions")
        assert (ran.code, ran.err) == (0, "")
        assert model.model in ran.out
        assert "An agentic edit" in ran.out
        assert "half down" in ran.out
        assert changed(repo) == []
