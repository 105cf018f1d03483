"""nginx as the receiver of all deliveries: far faster than what it measures, and it counts what it answered.

``/hook`` answers 200 at once. ``/outage`` answers 503 while the outage lasts, with a Retry-After that repeats what
the request's ``x-back-at`` header says: so thousands of deliveries that failed over seconds become due in the same
moment. The outage is a file, whose absence ends it without a reload.
"""

import contextlib
import http.client
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench._errors import BenchError
from bench._process import free_port, started

READY_S = 10.0
QUIET_S = 15.0  # nothing arrived for so long: nothing more will
BACK_AT_HEADER = "x-back-at"
SETTLED_S = 0.5  # the same for the little that publishers sent without waiting for the answer
_POLL_S = 0.02
_ANSWERED = re.compile(rb"\n\s*\d+\s+\d+\s+(\d+)")  # the third number of stub_status
_CONFIGURATION = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 18000;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_max_body_size 8m;
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /hook {{ return 200 "ok"; }}
    location /outage {{
      if (-f {folder}/outage) {{ add_header retry-after $http_x_back_at always; return 503; }}
      return 200 "ok";
    }}
    location = /status {{ stub_status; }}
  }}
}}
"""


class Receiver:
    """A running nginx."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._outage = folder / "outage"
        self._asked = 0

    def url(self, path: str = "/hook") -> str:
        """Where a webhook should point."""
        return f"http://127.0.0.1:{self.port}{path}"

    def received(self) -> int:
        """Requests answered so far, whatever with; asking is not counted."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/status")
            answer = connection.getresponse().read()
        finally:
            connection.close()
        found = _ANSWERED.search(answer)
        if found is None:
            raise BenchError("nginx has no stub_status module: install Debian's package nginx.")
        self._asked += 1
        return int(found.group(1)) - self._asked

    def wait_for(self, count: int, quiet_s: float = QUIET_S) -> tuple[int, float]:
        """Wait until `received` is `count` or nothing came for `quiet_s`: what it is, and since when (monotonic)."""
        last, since_s = self.received(), time.monotonic()
        while last < count and time.monotonic() - since_s < quiet_s:
            time.sleep(_POLL_S)
            now = self.received()
            if now != last:
                last, since_s = now, time.monotonic()
        return last, since_s

    def settled(self) -> tuple[int, float]:
        """Wait until nothing came for a moment: what `received` is, and since when."""
        return self.wait_for(sys.maxsize, SETTLED_S)

    @contextlib.contextmanager
    def outage(self) -> Iterator[Callable[[], None]]:
        """``/outage`` fails until the given function is called, at the latest until the block ends."""
        self._outage.touch()
        try:
            yield lambda: self._outage.unlink(missing_ok=True)
        finally:
            self._outage.unlink(missing_ok=True)


@contextlib.contextmanager
def receiver_running(nginx: str, folder: Path) -> Iterator[Receiver]:
    """Nginx with a free port, its files in `folder`. Raises BenchError when it does not come up."""
    folder.mkdir(mode=0o755)
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port))
    command = [nginx, "-e", str(folder / "nginx-error.log"), "-p", str(folder), "-c", str(configuration)]
    receiver = Receiver(port, folder)
    with started("nginx", command, folder) as process:
        process.wait_until(lambda: receiver.received() >= 0, READY_S)
        yield receiver
