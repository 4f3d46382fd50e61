"""A client of randomuser.me, or of anything that answers like it."""

import json
import time
from typing import NoReturn

import httpx

from users_pipeline.person import Json

API_VERSION = "1.4"

MAX_RESULTS = 5_000
"""The most people of a page; the service answers greater numbers with one person."""

MAX_PAGE = 10_000
"""The last page; the service answers greater numbers with the first."""

MAX_ANSWER_BYTES = 64 * 2**20
"""The longest answer that is read. 5,000 people, the most the service gives at once, take about 6 MB."""

_TOO_MANY_REQUESTS = 429
_OK = 200
_FIRST_SERVER_ERROR = 500


class TransientFault(Exception):
    """Trying again later may help: quota, server error, time-out, an answer that broke off."""


class ContractBreak(Exception):
    """The service answered something that it does not promise, or refused the request: trying again cannot help."""


def fetch_page(base_url: str, *, seed: str, page: int, results: int, timeout_seconds: float) -> list[Json]:
    """Fetch one page of people in one request. Equal seed, page and results give equal people.

    Args:
        base_url: scheme, host and port.
        seed: any text, but not one of 18 characters: the service reads the last two of those as a nationality.
        page: from 1 to `MAX_PAGE`.
        results: people of the page, from 1 to `MAX_RESULTS`.
        timeout_seconds: limit of the whole exchange, not only between two bytes.

    Raises:
        TransientFault: see there.
        ContractBreak: see there; also if the answer is to other parameters than those asked with.

    """
    url = f"{base_url.rstrip('/')}/api/{API_VERSION}/"
    parameters = {"seed": seed, "page": page, "results": results}
    body = _get(url, parameters, time.monotonic() + timeout_seconds)
    answer = _parse(body)
    people, info = answer.get("results"), answer.get("info")
    if not isinstance(people, list) or not isinstance(info, dict):
        _break("the answer has no `results` list or no `info` object")
    for name, asked in parameters.items():
        if info.get(name) != asked:
            _break(f"`info.{name}` is not what was asked for, `{asked}`")
    if len(people) != results:
        _break(f"{len(people)} people came, {results} were asked for")
    return people


def _get(url: str, parameters: dict[str, str | int], deadline: float) -> bytes:
    timeout = httpx.Timeout(max(deadline - time.monotonic(), 0.001))
    try:
        with httpx.stream("GET", url, params=parameters, timeout=timeout) as response:
            _check_status(response.status_code, url)
            return _read(response, deadline)
    except httpx.UnsupportedProtocol as error:
        raise ContractBreak(f"`{url}` is no http or https address: correct the connection `randomuser`") from error
    except httpx.TransportError as error:
        raise TransientFault(f"`{url}` gave no complete answer: {type(error).__name__}") from error


def _check_status(status: int, url: str) -> None:
    if status == _TOO_MANY_REQUESTS:
        raise TransientFault(f"`{url}` answered 429: the quota of this address is used up for some minutes")
    if status >= _FIRST_SERVER_ERROR:
        raise TransientFault(f"`{url}` answered {status}")
    if status != _OK:
        _break(f"`{url}` answered {status}, which is neither 200 nor a passing fault")


def _read(response: httpx.Response, deadline: float) -> bytes:
    """Read the body. The time-outs of httpx start anew with every chunk, so the deadline is kept here."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > deadline:
            raise TransientFault("the answer was not complete within the time-out")
        if len(body) > MAX_ANSWER_BYTES:
            _break(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _parse(body: bytes) -> dict[str, Json]:
    try:
        answer = json.loads(body)
    except ValueError:
        # The cause would show a part of the answer.
        raise TransientFault(
            "the answer is no JSON: it broke off, or something else than the service sent it"
        ) from None
    if not isinstance(answer, dict):
        _break("the answer is no object")
    if "error" in answer:
        _break("the answer is an error with status 200")
    return answer


def _break(what: str) -> NoReturn:
    raise ContractBreak(f"{what}; compare the address and version of the service with API {API_VERSION}")
