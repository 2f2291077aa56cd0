"""A server of files on this machine that misbehaves when it is told to."""

import contextlib
import http.server
import re
import threading


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, {path: bytes}, in a chosen `manner`, and counts the requests.

    Manners: "well", "missing" (404), "web page", "altered" (the last byte), "cut" (the line, in
    the middle), "half" (and the server says that this is all), "stalled" (after the first half,
    for good), "held" (no answer before `go` is set), "deaf" (sends all, whatever was asked for).
    `sent` tells how many bytes the last answer had.
    """

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.manner, self.requests, self.sent = files, "well", 0, 0
        self.go, self.over = threading.Event(), threading.Event()

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
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if start and manner not in ("deaf", "web page"):
            self.send_response(206)
            body = body[int(start[1]) :]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if manner in ("cut", "stalled"):
            body = body[: len(body) // 2]
        if manner == "held":
            self.server.go.wait(60)
        self.server.sent = len(body)
        with contextlib.suppress(OSError):  # the client may have been killed
            self.wfile.write(body)
        if manner == "stalled":
            self.server.over.wait(60)

    def log_message(self, *arguments):
        pass
