#!/usr/bin/env python3
"""Post the message on standard input to a site; the exit status and one line of text say how it went.

The shell script ``mailbridge-pipe`` beside this file runs it and turns every end but the three final ones
into "try again later". So nothing is caught here that has no better text than its traceback.
"""

from __future__ import annotations

from base64 import b64encode
from http.client import HTTPConnection
from http.client import HTTPException
from http.client import HTTPSConnection
from urllib.parse import urlsplit
import io
import json
import os
import re
import signal
import sys


# sysexits.h
ACCEPTED, TOO_BIG, UNKNOWN_RECIPIENT, TRY_AGAIN = 0, 65, 67, 75

HELP = """4.3.5 this is the help, no message was delivered (status 75)

mailbridge-pipe --url URL [--token-file F] [--recipient R] [--sender S] [--client-address A]
                [--ca-file F] [--timeout SECONDS]

Posts the message on standard input, as it is, to the site at URL (the site, or its @@mail-in).

  --token-file F      one line: user:password (Basic), or a token (Bearer). Only its owner, the user= of
                      the pipe service, may have access: chmod 600. Without this option: the variable
                      MAILBRIDGE_TOKEN, else nothing
  --recipient R       envelope recipient
  --sender S          envelope sender; empty for a bounce
  --client-address A  address of the SMTP client that brought the message
  --ca-file F         trust these certificates (PEM) for https, and no others
  --timeout SECONDS   for everything together, up to 900, default 300. Keep it below the time limit of the
                      mail host (Postfix: 1000 s): past that limit the message bounces

Exit status: 0 the site has it; 65 too big; 67 unknown recipient; 75 try again later, for any other reason.

Postfix, master.cf and main.cf:
  mailbridge unix - n n - 10 pipe
    user=mailbridge null_sender= argv=/usr/local/bin/mailbridge-pipe --url https://ged.example.be/site
    --token-file /etc/mailbridge/token --recipient ${recipient} --sender ${sender}
    --client-address ${client_address}
  mailbridge_destination_recipient_limit = 1
"""

OPTIONS = ("--url", "--token-file", "--recipient", "--sender", "--client-address", "--ca-file", "--timeout")
ENDPOINTS = ("@@mail-in", "@mail-in")
DEFAULT_TIMEOUT, LONGEST_TIMEOUT, CONNECT_TIMEOUT = 300, 900, 30  # seconds
MEMORY = 2**20  # a longer message is spooled to a file
LONGEST_ANSWER = 2**20

# What an answer that is not final means to the operator of the mail host: first match wins.
ADVICE = (
    (r"2..", "4.3.5", "no acceptance: check that --url leads to the site and not to a portal or proxy"),
    (r"3..", "4.3.5", "redirects are not followed: give --url the address that it leads to"),
    (r"400", "4.3.0", "the site could not read the request: look at its log and at any proxy in between"),
    (r"401", "4.7.8", "check user and password in --token-file"),
    (r"403", "4.7.0", "check that the user in --token-file has the role Mail Gateway, and any proxy"),
    (r"404", "4.3.5", "check --url, and that imio.mailbridge is installed in that site"),
    (r"409", "4.3.0", "the site was busy with the same data, which passes"),
    (r"415", "4.3.5", "check that no proxy changes the Content-Type"),
    (r"429", "4.3.2", "the site or its proxy limits the rate, which passes"),
    (r"50[234]", "4.3.2", "check that the site is running, and its proxy"),
    (r"5..", "4.3.0", "look at the log of the site"),
    (r"...", "4.3.0", "check --url and any proxy in between"),
)


class Temporary(Exception):
    """The message was not taken, which is not final. ``status``: enhanced status code 4.y.z (RFC 3463)."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(f"{status} {text}")


def main(arguments: list[str]) -> int:
    """Deliver standard input, print what became of it, return the exit status."""
    try:
        status, text = deliver(parse(arguments))
    except Temporary as error:
        status, text = TRY_AGAIN, str(error)
    if sys.stdout is not None:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        sys.stdout.write(text + "\n")
    return status


def parse(arguments: list[str]) -> dict[str, str]:
    """Return the options. Errors: ``Temporary``.

    By hand: an address may begin with ``-``, and argparse costs a third of the start.
    """
    options: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name == "--help":
            # Never 0: a pipe that is set up with --help would lose all mail.
            raise Temporary(*HELP.rstrip().split(" ", 1))
        if name not in OPTIONS:
            hint = "see --help; several recipients at once: set ..._destination_recipient_limit = 1"
            raise Temporary("4.3.5", f"unknown argument {word!a} ({hint})")
        if name in options:
            raise Temporary("4.3.5", f"{name} is given twice")
        if not equals:
            following = next(words, None)
            if following is None:
                raise Temporary("4.3.5", f"{name} needs a value")
            value = following
        options[name] = value
    return options


def deliver(options: dict[str, str]) -> tuple[int, str]:
    """Post the message; return the exit status and its text. Errors: ``Temporary``."""
    timeout = seconds(options.get("--timeout", str(DEFAULT_TIMEOUT)))

    def expire(*_: object) -> None:
        raise Temporary("4.4.2", f"not done after {timeout:g} s (--timeout): check the load of the site")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, timeout, 1)  # bounds also a site that answers one byte a minute
    url = endpoint(options.get("--url", ""))
    headers = envelope(options)
    headers["Authorization"] = authorization(options.get("--token-file"))
    message, size = spool()
    headers["Content-Length"] = b"%d" % size
    status, body = post(url, headers, message, options.get("--ca-file"), timeout)
    return judge(url, status, body, options.get("--recipient", ""))


def seconds(text: str) -> float:
    """Return the time budget. Errors: ``Temporary``."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_TIMEOUT:
        raise Temporary("4.3.5", f"--timeout must be up to {LONGEST_TIMEOUT} (seconds), not {text!a}")
    return value


def endpoint(url: str) -> str:
    """Return the URL to post to, of a site's URL or of the endpoint itself. Errors: ``Temporary``."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or not re.fullmatch(r"[!-~]+", url):
        raise Temporary("4.3.5", "--url must be the http(s) address of the site, no password, no query")
    path = parts.path.rstrip("/")
    if path.rpartition("/")[2] not in ENDPOINTS:
        path += "/@@mail-in"
    return f"{parts.scheme}://{parts.netloc}{path}"


def envelope(options: dict[str, str]) -> dict[str, bytes]:
    """Return the header fields for what the mail host knows of the message. Errors: ``Temporary``."""
    fields = {
        "X-Envelope-Recipient": options.get("--recipient"),
        # Present and empty is the null sender of RFC 5321 §4.5.5; some proxies drop a field without a value.
        "X-Envelope-Sender": "<>" if options.get("--sender") == "" else options.get("--sender"),
        "X-Client-Address": options.get("--client-address"),
    }
    for name, value in fields.items():
        if value and re.search(r"[\x00-\x1f\x7f]", value):
            raise Temporary("4.3.0", f"line break or control character in the value for {name}: {value!a}")
    return {name: os.fsencode(value) for name, value in fields.items() if value}


def authorization(token_file: str | None) -> bytes:
    """Return the value of the Authorization header field, empty for none. Errors: ``Temporary``."""
    source = token_file or "MAILBRIDGE_TOKEN"
    token = os.environb.get(b"MAILBRIDGE_TOKEN", b"") if token_file is None else read_token(token_file)
    token = token.strip(b"\r\n")
    if not token and token_file is None:
        return b""
    if not re.fullmatch(rb"[^\x00-\x1f\x7f]+", token):
        raise Temporary("4.3.5", f"{source} must hold one line: user:password, or a token")
    return b"Basic " + b64encode(token) if b":" in token else b"Bearer " + token


def read_token(path: str) -> bytes:
    """Return what the token file holds. Errors: ``Temporary`` when it is missing or others could read it."""
    try:
        with open(path, "rb") as file:
            others = os.fstat(file.fileno()).st_mode & 0o077
            token = file.read(65536)
    except OSError as error:
        raise Temporary("4.3.5", f"{error}: the user= of the pipe service must own the token file") from error
    if others:
        raise Temporary("4.3.5", f"{path} is open to other users than its owner: chmod 600 {path}")
    return token


def spool() -> tuple[io.BufferedIOBase, int]:
    """Return the message as a file, and its size: Content-Length must be exact. Errors: ``Temporary``."""
    if sys.stdin is None:
        raise Temporary("4.3.0", "standard input is closed, there is no message")
    try:
        start = sys.stdin.buffer.read(MEMORY)
        message: io.BufferedIOBase = io.BytesIO(start)
        if len(start) == MEMORY:
            import shutil
            import tempfile

            message = tempfile.TemporaryFile()  # noqa: SIM115 # has no name, goes with the process
            message.write(start)
            shutil.copyfileobj(sys.stdin.buffer, message)
    except OSError as error:
        raise Temporary("4.3.0", f"the message could not be read or spooled: {error}") from error
    size = message.seek(0, io.SEEK_END)
    message.seek(0)
    if not size:
        raise Temporary("4.3.0", "standard input is empty, there is no message")
    return message, size


def post(
    url: str, headers: dict[str, bytes], message: io.BufferedIOBase, ca_file: str | None, timeout: float
) -> tuple[int, bytes]:
    """Send the request; return the status of the answer and its body. Errors: ``Temporary``."""
    parts = urlsplit(url)
    try:
        connection = connect(parts.scheme, parts.netloc, ca_file, min(timeout, CONNECT_TIMEOUT))
        connection.connect()
    except (OSError, HTTPException, ValueError) as error:
        advice = "check --url, --ca-file, the network, and that the site is running"
        raise Temporary("4.4.1", f"no connection to {url}: {error} ({advice})") from error
    connection.sock.settimeout(timeout)
    headers = {"Accept": b"application/json", "Content-Type": b"message/rfc822", **headers}
    refused = None
    try:
        connection.putrequest("POST", parts.path)
        for name, value in headers.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders()
        try:
            while chunk := message.read(65536):
                connection.send(chunk)
        except OSError as error:
            refused = error  # a server may answer 413 and close without reading the rest
        response = connection.getresponse()
        body = response.read(LONGEST_ANSWER)
    except (OSError, HTTPException) as error:
        broken = refused or error
        raise Temporary("4.4.2", f"{url} gave no answer: {broken!a} (check the site, any proxy)") from error
    if refused is not None and response.status < 400:
        raise Temporary("4.4.2", f"{url} answered HTTP {response.status} before it had the whole message")
    return response.status, body


def connect(scheme: str, netloc: str, ca_file: str | None, timeout: float) -> HTTPConnection:
    """Return the connection, not yet opened."""
    if scheme == "http":
        return HTTPConnection(netloc, timeout=timeout)
    import ssl

    return HTTPSConnection(netloc, timeout=timeout, context=ssl.create_default_context(cafile=ca_file))


def judge(url: str, status: int, body: bytes, recipient: str) -> tuple[int, str]:
    """Return the exit status and the text for an answer of the site. Errors: ``Temporary``."""
    if status == 413:
        return TOO_BIG, f"5.3.4 the message is too big for {url} (HTTP 413)"
    if status == 422:
        return UNKNOWN_RECIPIENT, f"5.1.1 {recipient!a} is not an address that takes mail (HTTP 422)"
    if 200 <= status <= 299:
        try:
            answer = json.loads(body)
            state, record = answer["state"], answer["id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            state = record = None
        if state and record and isinstance(state, str) and isinstance(record, str):
            return ACCEPTED, f"2.0.0 {state!a} as {record!a} (HTTP {status})"
    for pattern, code, advice in ADVICE:
        if re.fullmatch(pattern, str(status)):
            raise Temporary(code, f"{url} answered HTTP {status}: {advice}")
    raise Temporary("4.3.0", f"{url} answered HTTP {status}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
