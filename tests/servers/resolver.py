"""A DNS server on loopback that answers from a dict."""

from tests.servers.waiting import free_port
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import socketserver
import threading


class Resolver:
    """A server at ``address`` (``127.0.0.1:port``). ``records`` maps (name, type) to texts; what is not there does not exist.

    Use it in ``with``.
    """

    def __init__(self, records=None):
        self.records = dict(records or {})
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        resolver = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                sock.sendto(resolver.answer(data), self.client_address)

        class StreamHandler(socketserver.StreamRequestHandler):
            def handle(self):
                size = int.from_bytes(self.rfile.read(2), "big")
                data = resolver.answer(self.rfile.read(size), stream=True)
                self.wfile.write(len(data).to_bytes(2, "big") + data)

        socketserver.TCPServer.allow_reuse_address = True
        self._servers = [
            socketserver.ThreadingUDPServer(("127.0.0.1", port), Handler),
            socketserver.ThreadingTCPServer(("127.0.0.1", port), StreamHandler),
        ]

    def answer(self, data, stream=False):
        """Return the wire form of the answer to a query."""
        query = dns.message.from_wire(data)
        (question,) = query.question
        name = question.name.to_text().rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        texts = self.records.get((name, kind))
        if texts:
            values = [f'"{text}"' if kind == "TXT" else text for text in texts]
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, values))
        elif not any(known == name for known, _kind in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire(max_size=65535 if stream else 1232)

    def __enter__(self):
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        for server in self._servers:
            server.shutdown()
            server.server_close()
