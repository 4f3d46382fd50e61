"""The client of the people's service against its stand-in, and the wire at its worst."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

import stack
from users_pipeline.randomuser import ContractBreak, TransientFault, fetch_page


def fetch(url: str | None = None, *, page: int = 1, results: int = 3, timeout_seconds: float = 10) -> list:
    url = url or stack.server("SLUICE_TEST_RANDOMUSER")
    return fetch_page(url, seed="a seed", page=page, results=results, timeout_seconds=timeout_seconds)


def test_equal_parameters_bring_equal_people() -> None:
    assert fetch() == fetch()
    assert fetch() != fetch(page=2)


@pytest.mark.parametrize(("parameters", "named"), [({"results": 5_001}, "results"), ({"page": 10_001}, "page")])
def test_an_answer_to_other_parameters_breaks_the_contract(parameters: dict[str, int], named: str) -> None:
    with pytest.raises(ContractBreak, match=rf"`info\.{named}` is not what was asked for"):
        fetch(**parameters)


def test_another_address_breaks_the_contract() -> None:
    with pytest.raises(ContractBreak, match="answered 404"):
        fetch(stack.server("SLUICE_TEST_RANDOMUSER") + "/elsewhere")
    with pytest.raises(ContractBreak, match="is no http or https address"):
        fetch("gopher://127.0.0.1")


def test_a_server_that_is_away_is_a_passing_fault() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(TransientFault, match="ConnectError"):
            fetch(f"http://127.0.0.1:{unused.getsockname()[1]}")


@contextmanager
def trickling_server() -> Iterator[str]:
    """Promise a long body and send a byte of it now and then, so that no single read takes long."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def answer() -> None:
            client, _ = listener.accept()
            with client, suppress(OSError):
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not stop.wait(0.05):
                    client.sendall(b" ")

        server = threading.Thread(target=answer)
        server.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            server.join()


def test_the_time_out_covers_the_whole_answer() -> None:
    with trickling_server() as url, pytest.raises(TransientFault, match="within the time-out"):
        fetch(url, timeout_seconds=0.5)
