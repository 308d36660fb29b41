"""kit.json_reply: the same response, in one piece or in the usual two messages."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.kit.json_reply import ANSWER, JsonReply


async def sent(reply: JsonReply, answer: Any = None) -> tuple[list[dict[str, Any]], list[Any]]:
    messages: list[dict[str, Any]] = []
    written: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        raise AssertionError("a response reads nothing")

    def at_once(*parts: Any) -> bool:
        written.append(parts)
        return bool(answer)

    scope = {"type": "http"} if answer is None else {"type": "http", ANSWER: at_once}
    await reply(scope, receive, send)
    return messages, written


async def test_without_the_hook_it_is_two_messages() -> None:
    messages, _ = await sent(JsonReply(b"{}", 503, {"Content-Type": "application/json", "Retry-After": "2"}))
    assert messages[0]["status"] == 503
    assert messages[0]["headers"] == [
        (b"content-length", b"2"),
        (b"content-type", b"application/json"),
        (b"retry-after", b"2"),
    ]
    assert messages[1] == {"type": "http.response.body", "body": b"{}"}


async def test_with_the_hook_it_is_written_at_once() -> None:
    messages, written = await sent(JsonReply(b'{"a":1}', 200, {"Content-Type": "application/json"}), answer=True)
    assert written == [(200, b"content-length: 7\r\ncontent-type: application/json\r\n", b'{"a":1}')]
    assert messages == []


def test_its_headers_are_told_to_who_asks() -> None:
    assert JsonReply(b"{}", 200, {"Retry-After": "2"}).headers.items() == [
        ("content-length", "2"),
        ("content-type", "application/json"),
        ("retry-after", "2"),
    ]
    assert JsonReply(b"{}", 200, {"content-type": "application/json"}).whole_head is not None
    assert JsonReply(b"{}", 200, {"Content-Type": "application/problem+json"}).whole_head is None


@pytest.mark.parametrize("headers", [{"X-Problem": "why"}, None])
async def test_what_the_hook_does_not_take_goes_the_usual_way(headers: dict[str, str] | None) -> None:
    messages, written = await sent(JsonReply(b"{}", 200, headers), answer=False)
    assert len(messages) == 2
    assert len(written) == (0 if headers else 1)
