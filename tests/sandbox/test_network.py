"""Without leave there is no network at all; with it there is the network, and still nobody's socket."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.sandbox.canaries import canaries
from tests.sandbox.hostile import NETWORK, Attack
from tests.sandbox.places import Place

_SERVER = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
listener.accept()[0].sendall(b"over loopback")
print(client.recv(99).decode())
"""


async def test_programs_of_one_command_can_talk_to_each_other(place: Place) -> None:
    done = await place.run(f"python3 -c {shlex.quote(_SERVER)}")
    assert done.output == "over loopback\n"


@pytest.mark.parametrize(
    "attack", [a for a in NETWORK if a.name.startswith(("TCP", "UDP"))], ids=lambda a: a.name
)
async def test_with_leave_the_network_is_there(place: Place, attack: Attack) -> None:
    with canaries(place) as about:
        before = place.untouched()
        done = await place.run(about.fill_in(attack), network=True)
        assert about.effects(before, done.output) in (["AF_INET was connected to"], ["a datagram came"])


@pytest.mark.parametrize(
    "attack",
    [a for a in NETWORK if not a.name.startswith(("TCP", "UDP", "a question"))],
    ids=lambda a: a.name,
)
async def test_with_leave_nobodys_socket_is(place: Place, attack: Attack) -> None:
    with canaries(place) as about:
        before = place.untouched()
        done = await place.run(about.fill_in(attack), network=True)
        assert about.effects(before, done.output) == [], done.output


async def test_with_leave_pairs_of_sockets_still_work(place: Place) -> None:
    line = "python3 -c 'import socket; a, b = socket.socketpair(); a.send(b\"x\"); print(b.recv(1))'"
    assert (await place.run(line, network=True)).output == "b'x'\n"


@pytest.mark.parametrize(
    "name", ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt", "/etc/nsswitch.conf"]
)
async def test_with_leave_names_can_be_looked_up_and_certificates_checked(place: Place, name: str) -> None:
    if not Path(name).is_file():  # noqa: ASYNC240 (a test waits for nobody)
        pytest.skip(f"this machine has no {name}")
    assert (await place.run(f"cat {name}", network=True)).output != ""
