#!/usr/bin/env python3
"""Post the message on standard input to a site; exit status and one line of text tell the result.

The shell script ``mailbridge-pipe`` beside this file runs it and turns every result but the three final ones
into "try again later". So exceptions are caught only where there is a better text than their traceback.
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
import time


# sysexits.h
ACCEPTED, TOO_BIG, UNKNOWN_RECIPIENT, TRY_AGAIN = 0, 65, 67, 75

HELP = """4.3.5 this is the help, no message was delivered (status 75)

mailbridge-pipe --url URL [--token-file F] [--recipient R]... [--sender S] [--client-address A]
                [--ca-file F] [--timeout SECONDS] [--retries N] [--dry-run | --selftest]
mailbridge-pipe --spool DIR [--recipient R]... [--sender S] [--client-address A]
mailbridge-pipe --flush --spool DIR --url URL [--token-file F] [--ca-file F] [--timeout SECONDS]

Posts the message on standard input, as it is, to the site at URL (the site, or its @@mail-in).

  --token-file F      one line: user:password (Basic), or a token (Bearer). Only its owner, the user= of
                      the pipe service, may have access: chmod 600. Without this option: the variable
                      MAILBRIDGE_TOKEN, else nothing
  --recipient R       envelope recipient; given more than once, the message is posted for each
  --sender S          envelope sender; empty for a bounce
  --client-address A  address of the SMTP client that brought the message
  --ca-file F         trust these certificates (PEM) for https, and no others
  --timeout SECONDS   for everything together, up to 900, default 300. Keep it below the time limit of the
                      mail host (Postfix: 1000 s): past that limit the message bounces
  --retries N         how often to try again at once what will pass by itself, default 2, after 1, 2, 4 ... s
  --spool DIR         store the message in DIR (chmod 700) and answer 0; nothing is posted
  --flush             post what is in DIR, run by a timer; what the site refuses for good goes to DIR/refused
  --dry-run           say what would be posted, post nothing; always status 75
  --selftest          check URL, certificate, token, recipient and size limit; print the lines for Postfix.
                      Status 0 only without a message on standard input

Exit status: 0 the site (or the spool) has it; 65 too big; 67 unknown recipient; 75 try again later, for any
other reason.

Postfix, master.cf and main.cf:
  mailbridge unix - n n - 10 pipe
    user=mailbridge null_sender= argv=/usr/local/bin/mailbridge-pipe --url https://ged.example.be/site
    --token-file /etc/mailbridge/token --recipient ${recipient} --sender ${sender}
    --client-address ${client_address}
  mailbridge_destination_recipient_limit = 1
"""

VALUES = (
    "--url",
    "--token-file",
    "--sender",
    "--client-address",
    "--ca-file",
    "--timeout",
    "--retries",
    "--spool",
)
FLAGS = ("--flush", "--dry-run", "--selftest")
REPEATED = "--recipient"
ENDPOINTS = ("@@mail-in", "@mail-in")
DEFAULT_TIMEOUT, LONGEST_TIMEOUT, CONNECT_TIMEOUT = 300, 900, 30  # seconds
DEFAULT_RETRIES = 2
MEMORY = 2**20  # a longer message is spooled to a file
LONGEST_ANSWER = 2**20
PASSES = (409, 429, 502, 503, 504)  # a try shortly afterwards may succeed

# What an answer that is not final means for the operator of the mail host; the first match wins.
ADVICE = (
    (r"2..", "4.3.5", "no acceptance: check that --url leads to the site and not to a portal or proxy"),
    (r"3..", "4.3.5", "redirects are not followed: give --url the address that it leads to"),
    (r"400", "4.3.0", "the site could not read the request: look at its log and at any proxy in between"),
    (r"401", "4.7.8", "check the token, or user and password, in --token-file"),
    (r"403", "4.7.0", "check that the user in --token-file has the role Mail Gateway, and any proxy"),
    (r"404", "4.3.5", "check --url, and that imio.mailbridge is installed in that site"),
    (r"409", "4.3.0", "the site was busy with the same data, which passes"),
    (r"415", "4.3.5", "check that no proxy changes the Content-Type"),
    (r"429", "4.7.0", "the site or its proxy limits the rate, which passes"),
    (r"50[234]", "4.3.2", "check that the site is running, and its proxy"),
    (r"5..", "4.3.0", "look at the log of the site"),
    (r"...", "4.3.0", "check --url and any proxy in between"),
)


class Temporary(Exception):
    """The message was not accepted for now. ``status`` is an enhanced status code 4.y.z (RFC 3463).

    ``passes``: the next try may succeed without anybody doing anything.
    """

    def __init__(self, status: str, text: str, passes: bool = False) -> None:
        super().__init__(f"{status} {text}")
        self.passes = passes


def main(arguments: list[str]) -> int:
    """Deliver standard input, print the result, return the exit status."""
    try:
        status, text = deliver(parse(arguments))
    except Temporary as error:
        status, text = TRY_AGAIN, str(error)
    if sys.stdout is not None:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        sys.stdout.write(text + "\n")
    return status


class Options(dict[str, str]):
    """The options of the command line, and the envelope ``recipients``."""

    def __init__(self) -> None:
        super().__init__()
        self.recipients: list[str] = []


def parse(arguments: list[str]) -> Options:
    """Return the options. Errors: ``Temporary``.

    Not argparse: an address may begin with ``-``, and importing it takes a third of the start-up time.
    """
    options = Options()
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name == "--help":
            # Never 0: a pipe that is set up with --help would lose all mail.
            status, text = HELP.rstrip().split(" ", 1)
            raise Temporary(status, text)
        if name not in (*VALUES, *FLAGS, REPEATED) or (name in FLAGS and equals):
            hint = f"see --help; several recipients at once: {REPEATED} before each"
            raise Temporary("4.3.5", f"unknown argument {word!a} ({hint})")
        if name in options:
            raise Temporary("4.3.5", f"{name} is given twice")
        if not equals and name not in FLAGS:
            following = next(words, None)
            if following is None:
                raise Temporary("4.3.5", f"{name} needs a value")
            value = following
        if name == REPEATED:
            options.recipients.append(value)
        else:
            options[name] = value
    return options


def deliver(options: Options) -> tuple[int, str]:
    """Do what the options ask for; return exit status and text. Errors: ``Temporary``."""
    timeout = seconds(options.get("--timeout", str(DEFAULT_TIMEOUT)))
    end = time.monotonic() + timeout

    def expire(*_: object) -> None:
        raise Temporary("4.4.2", f"not done after {timeout:g} s (--timeout): check the load of the site")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, timeout, 1)  # even if the site answers one byte a minute
    if "--flush" in options:
        return flush(options, end)
    envelopes = [envelope(options, recipient) for recipient in options.recipients or [""]]
    if "--spool" in options:
        return store(options["--spool"], envelopes)
    site = Site(options, end)
    if "--selftest" in options:
        return selftest(site, options)
    message, size = spool()
    if "--dry-run" in options:
        to = ", ".join(options.recipients) or "the only mail-in address"
        raise Temporary(
            "4.3.5", f"dry run: {size} bytes would be posted to {site.url} for {to!a}; nothing was"
        )
    return together([site.deliver(fields, message, size) for fields in envelopes])


def together(answers: list[tuple[int, str]]) -> tuple[int, str]:
    """Return one answer for all recipients: it names those that were refused and counts those that were accepted."""
    refused = [answer for answer in answers if answer[0] != ACCEPTED]
    if not refused or len(answers) == 1:
        return answers[0]
    text = refused[0][1] + "".join(f"; {text}" for _status, text in refused[1:])
    return refused[0][0], f"{text}; accepted for {len(answers) - len(refused)} of {len(answers)} recipients"


def seconds(text: str) -> float:
    """Return the time limit in seconds. Errors: ``Temporary``."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_TIMEOUT:
        raise Temporary("4.3.5", f"--timeout must be up to {LONGEST_TIMEOUT} (seconds), not {text!a}")
    return value


def endpoint(url: str) -> str:
    """Return the URL to post to, given the URL of the site or of the endpoint. Errors: ``Temporary``."""
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


def retries(text: str) -> int:
    """Return the number of retries. Errors: ``Temporary``."""
    if not re.fullmatch(r"\d{1,3}", text):
        raise Temporary("4.3.5", f"--retries must be a number, not {text!a}")
    return int(text)


def envelope(options: Options, recipient: str) -> dict[str, bytes]:
    """Return the header fields that hold the envelope. Errors: ``Temporary``."""
    fields = {
        "X-Envelope-Recipient": recipient,
        # An empty option is the null sender of RFC 5321 §4.5.5; some proxies drop a field without a value.
        "X-Envelope-Sender": "<>" if options.get("--sender") == "" else options.get("--sender"),
        "X-Client-Address": options.get("--client-address"),
    }
    for name, value in fields.items():
        if value and re.search(r"[\x00-\x1f\x7f]", value):
            raise Temporary("4.3.0", f"line break or control character in the value for {name}: {value!a}")
    return {name: os.fsencode(value) for name, value in fields.items() if value}


def authorization(token_file: str | None) -> bytes:
    """Return the value of the Authorization header field, or an empty one. Errors: ``Temporary``."""
    source = token_file or "MAILBRIDGE_TOKEN"
    token = os.environb.get(b"MAILBRIDGE_TOKEN", b"") if token_file is None else read_token(token_file)
    token = token.strip(b"\r\n")
    if not token and token_file is None:
        return b""
    if not re.fullmatch(rb"[^\x00-\x1f\x7f]+", token):
        raise Temporary("4.3.5", f"{source} must hold one line: user:password, or a token")
    return b"Basic " + b64encode(token) if b":" in token else b"Bearer " + token


def read_token(path: str) -> bytes:
    """Return the content of the token file. Errors: ``Temporary`` if it is missing or readable for others."""
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
    """Return the message as a file, and its size, for Content-Length must be exact. Errors: ``Temporary``."""
    if sys.stdin is None:
        raise Temporary("4.3.0", "standard input is closed, there is no message")
    try:
        start = sys.stdin.buffer.read(MEMORY)
        message: io.BufferedIOBase = io.BytesIO(start)
        if len(start) == MEMORY:
            import shutil
            import tempfile

            message = tempfile.TemporaryFile()  # noqa: SIM115 # has no name, ends with the process
            message.write(start)
            shutil.copyfileobj(sys.stdin.buffer, message)
        size = message.seek(0, io.SEEK_END)
        message.seek(0)
    except OSError as error:
        raise Temporary("4.3.0", f"the message could not be read or spooled: {error}") from error
    if not size:
        raise Temporary("4.3.0", "standard input is empty, there is no message")
    return message, size


class Site:
    """The site to post to, until ``end`` (``time.monotonic``). Errors of all methods: ``Temporary``."""

    def __init__(self, options: Options, end: float) -> None:
        self.url = endpoint(options.get("--url", ""))
        self.authorization = authorization(options.get("--token-file"))
        self.ca_file = options.get("--ca-file")
        self.retries = retries(options.get("--retries", str(DEFAULT_RETRIES)))
        self.end = end

    def deliver(self, fields: dict[str, bytes], message: io.BufferedIOBase, size: int) -> tuple[int, str]:
        """Post the last ``size`` bytes of ``message``, with retries; return exit status and text."""
        recipient = os.fsdecode(fields.get("X-Envelope-Recipient", b""))
        for number in range(self.retries + 1):
            message.seek(-size, io.SEEK_END)
            try:
                return judge(self.url, *self.post(fields, message, size), recipient)
            except Temporary as error:
                pause = 2**number
                if not error.passes or number == self.retries or time.monotonic() + pause > self.end:
                    raise
                time.sleep(pause)
        raise AssertionError

    def post(self, fields: dict[str, bytes], message: io.BufferedIOBase, size: int) -> tuple[int, bytes]:
        """Send one request; return status and body of the answer."""
        parts = urlsplit(self.url)
        left = max(1.0, self.end - time.monotonic())
        try:
            connection = connect(parts.scheme, parts.netloc, self.ca_file, min(left, CONNECT_TIMEOUT))
            connection.connect()
        except (OSError, HTTPException, ValueError) as error:
            advice = "check --url, --ca-file, the network, and that the site is running"
            raise Temporary("4.4.1", f"no connection to {self.url}: {error} ({advice})", True) from error
        connection.sock.settimeout(left)
        headers = {
            "Accept": b"application/json",
            "Content-Type": b"message/rfc822",
            **fields,
            "Authorization": self.authorization,
            "Content-Length": b"%d" % size,
        }
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
            advice = "check the site, any proxy"
            raise Temporary("4.4.2", f"{self.url} gave no answer: {broken!a} ({advice})", True) from error
        finally:
            connection.close()
        if refused is not None and response.status < 400:
            text = f"{self.url} answered HTTP {response.status} before it had the whole message"
            raise Temporary("4.4.2", text, True)
        return response.status, body


def connect(scheme: str, netloc: str, ca_file: str | None, timeout: float) -> HTTPConnection:
    """Return a connection that is not yet open."""
    if scheme == "http":
        return HTTPConnection(netloc, timeout=timeout)
    import ssl

    return HTTPSConnection(netloc, timeout=timeout, context=ssl.create_default_context(cafile=ca_file))


def judge(url: str, status: int, body: bytes, recipient: str) -> tuple[int, str]:
    """Return exit status and text for an answer of the site. Errors: ``Temporary``."""
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
            raise Temporary(code, f"{url} answered HTTP {status}: {advice}", status in PASSES)
    raise Temporary("4.3.0", f"{url} answered HTTP {status}")


# A spool: one file for each message and recipient, with the envelope as JSON on its first line, then the message as it came.
#
#     DIR/tmp/<name>  ── fsync, rename, fsync of DIR/new ──>  DIR/new/<name>  ── posted ──>  removed
#                                                                   └── refused for good ──>  DIR/refused/<name>


def store(folder: str, envelopes: list[dict[str, bytes]]) -> tuple[int, str]:
    """Store the message for all recipients or for none; return exit status and text. Errors: ``Temporary``."""
    message, size = spool()
    stem = f"{time.time_ns():020d}.{os.getpid()}"
    names = [f"{stem}.{number}" for number in range(len(envelopes))]
    try:
        folders(folder)
        for name, fields in zip(names, envelopes):
            message.seek(0)
            write(os.path.join(folder, "tmp", name), fields, message)
        for name in names:
            os.rename(os.path.join(folder, "tmp", name), os.path.join(folder, "new", name))
        sync(os.path.join(folder, "new"))
    except OSError as error:
        for path in (os.path.join(folder, place, name) for place in ("tmp", "new") for name in names):
            if os.path.exists(path):  # nothing was acknowledged: the mail host tries again
                os.unlink(path)
        raise Temporary("4.3.1", f"the message could not be stored in {folder}: {error}") from error
    return ACCEPTED, f"2.0.0 'spooled' as {names[0]!a} ({size} bytes)"


def folders(folder: str) -> None:
    """Create the missing folders of a spool. Errors: ``Temporary`` if it is readable for others, ``OSError``."""
    if not os.path.isabs(folder):
        raise Temporary("4.3.5", f"--spool must be an absolute path, not {folder!a}")
    os.umask(0o077)
    for path in (folder, *(os.path.join(folder, name) for name in ("tmp", "new", "refused"))):
        if not os.path.isdir(path):
            os.makedirs(path, exist_ok=True)
            sync(os.path.dirname(path))
    if os.stat(folder).st_mode & 0o077:
        raise Temporary("4.3.5", f"{folder} is open to other users than its owner: chmod 700 {folder}")


def write(path: str, fields: dict[str, bytes], message: io.BufferedIOBase) -> None:
    """Write one file of the spool and sync it to disk. Errors: ``OSError``."""
    with open(path, "xb") as file:
        head = {name: os.fsdecode(value) for name, value in fields.items()}
        file.write(json.dumps(head).encode("ascii") + b"\n")
        while chunk := message.read(65536):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: str) -> None:
    """Sync the names in a folder to disk. Errors: ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush(options: Options, end: float) -> tuple[int, str]:
    """Post the files in the spool, oldest first; return exit status and text. Errors: ``Temporary``."""
    import fcntl

    if "--spool" not in options:
        raise Temporary("4.3.5", "--flush needs --spool")
    folder, site = options["--spool"], Site(options, end)
    delivered, deferred, refused = 0, [], 0
    try:
        folders(folder)
        with open(os.path.join(folder, "lock"), "wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Temporary("4.3.0", f"another --flush of {folder} is running") from None
            for name in sorted(os.listdir(os.path.join(folder, "new"))):
                path = os.path.join(folder, "new", name)
                try:
                    status, text = post_file(site, path)
                except Temporary as error:
                    deferred.append(f"{name}: {error}")
                    if error.passes:  # the site is down: the next message would wait as long
                        break
                    continue
                if status == ACCEPTED:
                    os.unlink(path)
                    delivered += 1
                else:
                    refuse(folder, name, text)
                    refused += 1
            left = len(os.listdir(os.path.join(folder, "new")))
    except OSError as error:
        raise Temporary("4.3.0", f"the spool {folder} cannot be used: {error}") from error
    counts = f"{delivered} delivered, {refused} refused, {left} left"
    if deferred:
        raise Temporary("4.3.0", f"{counts}; {deferred[0]}")
    return ACCEPTED, f"2.0.0 {counts}"


def post_file(site: Site, path: str) -> tuple[int, str]:
    """Post one file of the spool; return exit status and text. Errors: ``Temporary``, ``OSError``."""
    with open(path, "rb") as file:
        try:
            head = json.loads(file.readline(65536))
            fields = {name: os.fsencode(value) for name, value in head.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise Temporary("4.3.0", f"not a file of a spool: {error}") from error
        size = os.fstat(file.fileno()).st_size - file.tell()
        return site.deliver(fields, file, size)


def refuse(folder: str, name: str, text: str) -> None:
    """Move a message that the site refused for good to ``refused``, with the reason. Errors: ``OSError``."""
    reason = os.path.join(folder, "refused", name + ".reason")
    with open(reason, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text + "\n")
    os.rename(os.path.join(folder, "new", name), os.path.join(folder, "refused", name))
    sync(os.path.join(folder, "refused"))


def selftest(site: Site, options: Options) -> tuple[int, str]:
    """Check everything that a delivery needs; return exit status and text. Errors: ``Temporary``.

    The site refuses an empty message with 400, after it has checked user and recipient.
    """
    lines = []
    limit = 0
    for recipient in options.recipients or [""]:
        status, body = site.post(envelope(options, recipient), io.BytesIO(), 0)
        if status == 422:
            raise Temporary(
                "4.1.1",
                f"selftest: {recipient!a} is not a mail-in address: see the control panel of the site",
            )
        if status != 400:
            judge(site.url, status, b"", recipient)
        try:
            limit = int(json.loads(body)["max_size"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Temporary(
                "4.3.5", f"selftest: {site.url} is no mail-in of imio.mailbridge: check --url"
            ) from None
        lines.append(f"recipient {recipient!a}: taken" if recipient else "recipient: none given")
    secure = (
        "certificate verified"
        if site.url.startswith("https:")
        else "NOT ENCRYPTED: use https outside of this machine"
    )
    lines[:0] = [f"site {site.url}: {secure}", "user and role: good", f"largest message: {limit} bytes"]
    command = [
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "mailbridge-pipe"),
        "--url",
        options["--url"],
    ]
    for name in ("--token-file", "--ca-file"):
        command += [name, options[name]] if name in options else []
    lines += [
        "master.cf:",
        "  mailbridge unix - n n - 10 pipe",
        "    user=mailbridge null_sender= argv=" + " ".join(command),
        "    --recipient ${recipient} --sender ${sender} --client-address ${client_address}",
        "main.cf:",
        "  mailbridge_destination_recipient_limit = 1",
        f"  message_size_limit = {limit}",
        "transport:",
        *(f"  {recipient} mailbridge:" for recipient in options.recipients or ["in@example.be"]),
    ]
    text = "\n".join(lines)
    if sys.stdin is None or sys.stdin.isatty() or not sys.stdin.buffer.read(1):
        return ACCEPTED, f"2.0.0 selftest passed\n{text}"
    raise Temporary("4.3.5", f"selftest passed, but the message was not delivered: remove --selftest\n{text}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
