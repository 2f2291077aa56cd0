"""A server of files on this machine that misbehaves when it is told to."""

import contextlib
import http.server
import threading


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, {path: bytes}, in a chosen `manner`, and counts the requests.

    Manners: "well", "missing" (404), "web page", "altered" (the last byte), "cut" (the line, in
    the middle), "half" (and the server says that this is all), "stalled" (after the first half,
    for good), "together" (no answer before a second one asks).
    """

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.manner, self.requests = files, "well", 0
        self.both, self.over = threading.Barrier(2), threading.Event()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self.shutdown()
            thread.join()
            self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        manner = self.server.manner
        self.server.requests += 1
        body = self.server.files.get(self.path)
        if manner == "missing" or body is None:
            self.send_error(404)
            return
        if manner == "web page":
            body = b"\n<!DOCTYPE html><html>Please log in</html>"
        elif manner == "altered":
            body = body[:-1] + bytes([body[-1] ^ 1])
        elif manner == "half":
            body = body[: len(body) // 2]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if manner in ("cut", "stalled"):
            body = body[: len(body) // 2]
        if manner == "together":
            self.server.both.wait(60)
        with contextlib.suppress(OSError):  # the client may have been killed
            self.wfile.write(body)
        if manner == "stalled":
            self.server.over.wait(60)

    def log_message(self, *arguments):
        pass
