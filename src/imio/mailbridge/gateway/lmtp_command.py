"""``mailbridge-lmtp``: an LMTP server in front of the site, for Postfix, Dovecot and Exim.

::

    SIGTERM ─▶ no new connections ─▶ idle ones get 421 ─▶ messages that are complete are answered ─▶ the rest is cut
                                                                                          after --grace seconds
"""

from contextlib import suppress
from imio.mailbridge.gateway.lmtp import Connection
from imio.mailbridge.gateway.lmtp import DEFAULT_MAX_SIZE
from imio.mailbridge.gateway.lmtp import Gateway
from imio.mailbridge.gateway.lmtp import logger
from imio.mailbridge.gateway.lmtp import Network
from imio.mailbridge.gateway.site import Site
from imio.mailbridge.gateway.site import Temporary
from pathlib import Path
import argparse
import asyncio
import contextlib
import ipaddress
import logging
import os
import re
import signal
import socket
import stat
import sys


LOOPBACK = ("127.0.0.0/8", "::1/128")
#: Seconds until the site is asked for the largest message once more, after an answer and without one.
ASK_LATER, ASK_SOON = 600, 30


class CannotListen(Exception):
    """The address cannot be listened on; the argument says why."""


def main() -> None:
    """Run the command. Status 2 for arguments that cannot be used, 1 when an address cannot be listened on."""
    options = _options()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    try:
        asyncio.run(_serve(options))
    except (CannotListen, Temporary) as error:
        print(f"mailbridge-lmtp: {error}", file=sys.stderr)
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mailbridge-lmtp", description="An LMTP server in front of the site."
    )
    parser.add_argument("--url", required=True, help="the site, or its @@mail-in")
    parser.add_argument(
        "--listen", action="append", required=True, metavar="ADDRESS", help="HOST:PORT or unix:PATH"
    )
    parser.add_argument(
        "--token-file", help="one line: user:password, or a token; only for its owner (chmod 600)"
    )
    parser.add_argument("--ca-file", help="trust these certificates (PEM) for https, and no others")
    parser.add_argument(
        "--timeout", type=_positive, default=300, help="seconds for one POST, default %(default)s"
    )
    parser.add_argument(
        "--allow",
        action="append",
        type=_network,
        metavar="NETWORK",
        help="who may connect, default: this machine",
    )
    parser.add_argument("--socket-mode", type=_mode, default=0o660, help="of a Unix socket, default 0660")
    parser.add_argument("--concurrency", type=_positive, default=2, help="POSTs at once, default %(default)s")
    parser.add_argument(
        "--max-connections", type=_positive, default=50, help="clients at once, default %(default)s"
    )
    parser.add_argument(
        "--client-address",
        default="",
        type=_address,
        help="of the client that brought the message, without XFORWARD",
    )
    parser.add_argument("--max-size", type=_positive, help="bytes; default: as the site says")
    parser.add_argument("--grace", type=_positive, default=60, help="seconds to end in, default %(default)s")
    options = parser.parse_args()
    try:
        options.site = Site(options.url, options.token_file, options.ca_file, options.timeout)
    except Temporary as error:
        parser.error(str(error).partition(" ")[2])
    return options


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise ValueError(text)
    return value


def _mode(text: str) -> int:
    return int(text, 8)


def _network(text: str) -> Network:
    return ipaddress.ip_network(text)


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text)) if text else ""


async def _serve(options: argparse.Namespace) -> None:
    gateway = Gateway(
        options.site,
        options.allow or [ipaddress.ip_network(network) for network in LOOPBACK],
        options.concurrency,
        options.max_connections,
        options.client_address,
        options.max_size or DEFAULT_MAX_SIZE,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        servers = [await _listen(address, gateway, options.socket_mode, stack) for address in options.listen]
        asking = None if options.max_size else asyncio.create_task(_ask_size(gateway))
        logger.info("listening on %s for %s", ", ".join(options.listen), options.site.url)
        await stop.wait()
        for server in servers:
            server.close()
        if asking is not None:
            asking.cancel()
        await _end(gateway, options.grace)
    logger.info("stopped")
    logging.shutdown()
    # A thread that still waits for the site would keep the process; nothing was answered for its message.
    os._exit(0)


async def _end(gateway: Gateway, grace: float) -> None:
    """Hang up on idle clients, and on the others once they are answered or ``grace`` seconds are over."""
    end = asyncio.get_running_loop().time() + grace
    while gateway.connections and asyncio.get_running_loop().time() < end:
        for connection in list(gateway.connections):
            if not connection.is_busy:
                connection.close("421 4.3.2 the gateway is stopping, try again later")
        await asyncio.sleep(0.05)


async def _ask_size(gateway: Gateway) -> None:
    """Keep the announced size at what the site says."""
    while True:
        try:
            gateway.max_size = await asyncio.to_thread(gateway.site.max_size)
            pause = ASK_LATER
        except Temporary as error:
            logger.warning("the site does not say how large a message may be: %s", error)
            pause = ASK_SOON
        await asyncio.sleep(pause)


async def _listen(
    address: str, gateway: Gateway, mode: int, stack: contextlib.AsyncExitStack
) -> asyncio.AbstractServer:
    loop, hostname = asyncio.get_running_loop(), socket.gethostname()

    def connection() -> Connection:
        return Connection(gateway, hostname)

    try:
        if address.startswith("unix:"):
            path = Path(address.removeprefix("unix:"))
            _remove_stale(path)
            before = os.umask(0o777 & ~mode)
            try:
                server: asyncio.AbstractServer = await loop.create_unix_server(connection, str(path))
            finally:
                os.umask(before)
            stack.callback(_unlink, path)
            return server
        found = re.fullmatch(r"\[?([^\[\]]+)\]?:(\d{1,5})", address)
        if found is None:
            raise CannotListen(f"--listen must be HOST:PORT or unix:PATH, not {address!a}")
        return await loop.create_server(connection, found[1], int(found[2]))
    except (OSError, OverflowError) as error:
        raise CannotListen(f"{address}: {error}") from error


def _remove_stale(path: Path) -> None:
    """Remove a socket that no program listens on. Errors: ``CannotListen`` where one does, or where it is no socket."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise CannotListen(f"{path} is there already, and no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise CannotListen(f"{path}: another program listens there")


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


if __name__ == "__main__":
    main()
