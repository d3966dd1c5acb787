"""Cameras of the network: RTSP, and pictures one after the other by HTTP, from servers of this machine."""

import contextlib
import io
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.video import coded, open_video
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.errors import DataError

RATE, N = 20, 24
_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track\r\n"
)


def _picture(index: int) -> np.ndarray:
    return np.tile(np.arange(64, dtype=np.uint8) * 2 + 5 * index, (48, 1)).astype(np.uint8)


def _taken(source: str) -> tuple[list[VideoFrame], str]:
    """What came until the stream ended, and how it ended."""
    taken: list[VideoFrame] = []
    try:
        taken.extend(open_video(source))
    except DataError as error:
        return taken, str(error)
    return taken, ""


def _send_rtp(port: int) -> None:
    """The pictures as JPEG in RTP packets (RFC 2435), as a camera paces them."""
    with av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as file:
        stream = file.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for i in range(N):
            for packet in stream.encode(
                av.VideoFrame.from_ndarray(_picture(i), format="gray").reformat(format="yuvj420p")
            ):
                file.mux(packet)
            time.sleep(1 / RATE)


def _rtsp(server: socket.socket) -> None:
    """Answers one client (RFC 2326) and sends the packets within its connection."""
    connection, _ = server.accept()
    packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    packets.bind(("127.0.0.1", 0))
    packets.settimeout(10)  # until the first comes: a busy machine takes its time
    answers = {
        "OPTIONS": "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n",
        "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n\r\n{_SDP}",
        "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n",
        "PLAY": "Session: 1\r\n\r\n",
    }
    with connection, packets, connection.makefile("rb") as asked:
        method = ""
        while method != "PLAY":
            lines = list(iter(lambda: asked.readline().strip().decode(), ""))
            method = lines[0].split()[0]
            number = next(line for line in lines if line.lower().startswith("cseq"))
            connection.sendall(f"RTSP/1.0 200 OK\r\n{number}\r\n{answers[method]}".encode())
        threading.Thread(target=_send_rtp, args=(packets.getsockname()[1],), daemon=True).start()
        with contextlib.suppress(TimeoutError):
            while data := packets.recv(65536):
                packets.settimeout(0.5)
                connection.sendall(struct.pack(">cBH", b"$", 0, len(data)) + data)


def test_rtsp_gives_its_frames_and_their_times() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_rtsp, args=(server,), daemon=True).start()
        video = open_video(f"rtsp://127.0.0.1:{server.getsockname()[1]}/live")
        taken = list(video)
    assert video.live
    assert video.fps == pytest.approx(RATE)
    assert len(taken) >= N - 2
    np.testing.assert_allclose(np.diff([frame.time_s for frame in taken]), 1 / RATE, atol=1e-3)
    levels = [float(frame.image.values.mean()) for frame in taken]
    assert levels[-1] - levels[0] > 20


class _Motion(BaseHTTPRequestHandler):
    """Pictures one after the other; at /silent the camera goes silent after them."""

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        for i in range(N):
            jpeg = io.BytesIO()
            Image.fromarray(_picture(i)).save(jpeg, "JPEG")
            head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.tell()}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg.getvalue() + b"\r\n")
            time.sleep(1 / RATE)
        if self.path == "/silent":
            time.sleep(2)


@pytest.fixture
def pictures() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Motion) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pictures_by_http_are_timed_by_their_arrival(pictures: str) -> None:
    """FFmpeg assumes 25 a second: a breath would be as much too short or long as the camera differs from that."""
    began = time.monotonic()
    taken, ended = _taken(f"{pictures}/stream")
    took_s = time.monotonic() - began
    assert len(taken) == N
    # those that FFmpeg has read to know the stream come at once
    assert 0.6 * (N - 1) / RATE < taken[-1].time_s <= took_s
    steps = np.diff([frame.time_s for frame in taken])
    assert np.median(steps) == pytest.approx(1 / RATE, rel=0.3)
    assert f"{pictures}/stream: the stream ended after {N} frames" in ended


def test_a_camera_that_falls_silent_ends_the_recording(pictures: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded, "_SILENT_S", 0.5)
    taken, ended = _taken(f"{pictures}/silent")
    assert len(taken) == N
    assert "nothing came for 0.5 s" in ended
