"""Each command on a real repository, with no model: what it prints, to the key."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

PART = {"path", "kind", "tokens", "why"}


async def test_index_tells_what_was_found(run: Run, repo: Path) -> None:
    ran = await run("index", repo, "--json")
    assert (ran.code, ran.err) == (0, "")
    report = json.loads(ran.out)
    assert set(report) == {
        "files", "bytes", "definitions", "references", "seconds", "cpu_seconds", "languages", "skipped"
    }  # fmt: skip
    assert report["languages"] == {"python": 3, "markdown": 1}
    assert report["files"] == 5
    assert report["definitions"] >= 6
    assert "calc" not in (await run("index", repo)).err


async def test_pack_tells_what_would_be_sent(run: Run, repo: Path) -> None:
    ran = await run("pack", repo, "--at", "calc/report.py:23", "--budget", 500, "--json")
    assert ran.code == 0
    packed = json.loads(ran.out)
    assert packed["tokens"] <= 500
    assert [part["path"] for part in packed["parts"]] == ["calc/money.py"]
    assert all(set(part) == PART and part["why"] for part in packed["parts"])
    assert "class Money" in packed["text"]
    table = await run("pack", repo, "--at", repo / "calc/report.py:23", "--budget", 500)
    assert "calc/money.py" in table.out


async def test_pack_writes_a_page(run: Run, repo: Path, tmp_path: Path) -> None:
    file = tmp_path / "context.html"
    place = ("pack", repo, "--at", "calc/report.py:23", "--budget", 500)
    told = await run(*place, "--html", file)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"{file}: ")
    assert told.out.rstrip().endswith(" of 500 tokens in 1 files")
    page = file.read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "calc/report.py:23" in page
    assert "class Money" in page
    assert (await run(*place, "--html", "-")).out == page
    both = await run(*place, "--html", file, "--json")
    assert [part["path"] for part in json.loads(both.out)["parts"]] == ["calc/money.py"]
    assert file.read_text("utf-8") == page


async def test_pack_answers_requests_line_by_line(run: Run, repo: Path) -> None:
    asked = {"file": "calc/report.py", "line": 19, "budget": 400}
    lines = [
        json.dumps(asked),
        "",
        "no json",
        json.dumps({**asked, "line": 0}),
        json.dumps({**asked, "file": "../x.py"}),
        json.dumps({**asked, "file": str(repo / "calc/report.py")}),
    ]
    ran = await run("pack", repo, "--requests", typed="\n".join(lines))
    assert ran.code == 0
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert [set(answer) for answer in answers] == [
        {"text", "tokens", "seconds", "parts"}, {"error"}, {"error"}, {"error"},
        {"text", "tokens", "seconds", "parts"},
    ]  # fmt: skip
    for answer in (answers[0], answers[4]):
        assert 0 < answer["tokens"] <= 400
        assert answer["parts"]
        assert all(set(part) == PART for part in answer["parts"])
        assert "class Money" in answer["text"]


async def test_pack_reads_files_as_they_are_at_each_request(run: Run, repo: Path) -> None:
    asked = json.dumps({"file": "calc/report.py", "line": 19, "budget": 400}) + "\n"

    class Typed(io.StringIO):
        """Standard input whose second line comes after the files have changed."""

        def readline(self, size: int | None = -1, /) -> str:
            if self.tell():
                (repo / "calc/report.py").write_text("from calc.money import rounded\n\n\nx = rounded(\n" * 6)
                (repo / "calc/money.py").write_text("def rounded(euros: int) -> int:\n    return euros\n")
            return super().readline()

    ran = await run("pack", repo, "--requests", typed=Typed(asked * 2))
    before, after = (json.loads(line)["text"] for line in ran.out.splitlines())
    assert "class Money" in before
    assert "euros" in after
    assert "class Money" not in after


async def test_complete_answers_from_the_workspace(run: Run, repo: Path) -> None:
    # Asked for the rest of a line that the workspace has twice.
    ran = await run("complete", repo / "calc/report.py:23", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {"text": ' %d amounts of money", len(amounts))', "source": "embedded"}
    plain = await run("complete", repo / "calc/report.py:23:25")
    assert plain.out.strip() == '%d amounts of money", len(amounts))'
    silent = await run("complete", repo / "README.md:3:3", "--json")
    assert json.loads(silent.out) is None


async def test_explain_writes_a_page_from_the_index(run: Run, repo: Path) -> None:
    page = await run("explain", repo / "calc/money.py")
    assert page.code == 0
    assert page.out.startswith("# `calc/money.py`")
    assert "rounded" in page.out
    assert "calc/report.py" in page.out
    lines = await run("explain", repo / "calc/money.py:9-13")
    assert "rounded" in lines.out


async def test_actions_are_listed_with_the_reason_that_stops_them(run: Run, repo: Path) -> None:
    listed = await run("action", repo / "calc/money.py:9")
    assert listed.code == 0
    assert "Document `rounded`" in listed.out
    assert "OPENAI_BASE_URL" in listed.out
    refused = await run("action", repo / "calc/money.py:9", "--do", "document:0")
    assert refused.code == 1
    assert "OPENAI_BASE_URL" in refused.err


@pytest.mark.usefixtures("nobody")
async def test_the_doctor_says_what_to_do(run: Run, repo: Path) -> None:
    ran = await run("doctor", repo, "--json")
    assert ran.code == 1
    found = {finding["name"]: finding for finding in json.loads(ran.out)["findings"]}
    assert found["index"]["ok"]
    assert found["grammars"]["ok"]
    assert not found["endpoint"]["ok"]
    assert "OPENAI_BASE_URL" in found["endpoint"]["advice"]
    words = await run("doctor", repo)
    assert "OPENAI_BASE_URL" in words.out


@pytest.mark.slow
@pytest.mark.usefixtures("nobody")
async def test_the_tour_runs_without_a_model(run: Run, repo: Path, tmp_path: Path) -> None:
    ran = await run("tour", repo, "--no-questions", "--record", tmp_path / "tour.svg")
    assert (ran.code, ran.err) == (0, "")
    for heading in (
        "The index",
        "Inline completion",
        "Explain",
        "Code actions",
        "What a model would be sent",
    ):
        assert heading in ran.out
    assert "OPENAI_BASE_URL" in ran.out
    assert (tmp_path / "tour.svg").read_text().startswith("<svg")
