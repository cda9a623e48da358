import bz2
import contextlib
import gzip
import hashlib
import lzma
import threading
import time
import tracemalloc
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from conftest import make_predictions, run_cli
from hardpairs.analysis.sources import load_subject
from hardpairs.data import votes as votes_module
from hardpairs.data.votes import fetch_votes, load_votes
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import save_predictions

CONTENT = b"1,2,3\n" * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; the server's ``breaks_after`` cuts an answer short once."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if self.path == "/missing":
            self.send_error(404)
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        ranges = self.path != "/no-ranges"
        start = start if ranges else 0
        self.send_response(206 if start else 200)
        if self.path == "/other-part":
            start = 0
            self.send_header("Content-Range", f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
        length = {"/no-number": "many", "/huge-number": "9" * 30}.get(self.path)
        self.send_header("Content-Length", length or str(len(CONTENT) - start))
        if self.path == "/trickling-headers":
            self.trickle(self.wfile, b"X: " + b"y" * 600)
        self.end_headers()
        until, self.server.breaks_after = self.server.breaks_after, None
        if self.path == "/trickling":
            self.wfile.write(CONTENT[start : start + 5000])
            self.trickle(self.wfile, CONTENT[start + 5000 :])
        else:
            self.wfile.write(CONTENT[start:until])

    def trickle(self, file, content):
        """A byte every 50 ms: it never times out and never ends."""
        with contextlib.suppress(OSError):
            for index in range(len(content)):
                file.write(content[index : index + 1])
                if self.server.closing.wait(0.05):
                    return

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.ranges, server.breaks_after, server.closing = [], None, threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def test_download(server, tmp_path):
    seen = []
    path = tmp_path / "new" / "votes.csv"
    assert fetch_votes(path, url=server.url, sha256=SHA256, on_bytes=seen.append)
    assert path.read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT)
    assert [entry.name for entry in path.parent.iterdir()] == ["votes.csv"]
    assert not fetch_votes(path, url=server.url, sha256=SHA256)
    assert server.ranges == [None]


def test_a_broken_download_goes_on_where_it_stopped(server, tmp_path):
    path, server.breaks_after = tmp_path / "votes.csv", 100_000
    with pytest.raises(InputError, match="goes on where it stopped"):
        fetch_votes(path, url=server.url, sha256=SHA256)
    assert not path.exists()
    assert (tmp_path / "votes.csv.partial").stat().st_size == 100_000
    fetch_votes(path, url=server.url, sha256=SHA256)
    assert server.ranges == [None, "bytes=100000-"]
    assert path.read_bytes() == CONTENT


def test_a_download_that_breaks_twice_keeps_both_parts(server, tmp_path):
    """The rest is shorter than what is there: its length says nothing of the whole file's."""
    path, server.breaks_after = tmp_path / "votes.csv", 200_000
    with pytest.raises(InputError, match="goes on where it stopped"):
        fetch_votes(path, url=server.url, sha256=SHA256)
    server.breaks_after = 220_000
    with pytest.raises(InputError, match="goes on where it stopped"):
        fetch_votes(path, url=server.url, sha256=SHA256)
    assert (tmp_path / "votes.csv.partial").read_bytes() == CONTENT[:220_000]
    fetch_votes(path, url=server.url, sha256=SHA256)
    assert server.ranges == [None, "bytes=200000-", "bytes=220000-"]
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("address", ["/trickling", "/trickling-headers"])
def test_a_server_that_trickles_is_given_up_and_what_came_is_kept(server, tmp_path, address):
    started = time.monotonic()
    with pytest.raises(InputError, match=r"not all there after .* goes on where it stopped"):
        fetch_votes(tmp_path / "votes.csv", url=server.url + address, sha256=SHA256, seconds=1)
    assert time.monotonic() - started < 10
    if address == "/trickling":
        assert (tmp_path / "votes.csv.partial").stat().st_size >= 5000
    fetch_votes(tmp_path / "votes.csv", url=server.url, sha256=SHA256)
    assert (tmp_path / "votes.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("address", ["/no-number", "/huge-number"])
def test_a_length_that_is_no_number_promises_nothing(server, tmp_path, address):
    fetch_votes(tmp_path / "votes.csv", url=server.url + address, sha256=SHA256)
    assert (tmp_path / "votes.csv").read_bytes() == CONTENT


def test_a_part_that_begins_elsewhere_is_taken_from_where_it_begins(server, tmp_path):
    (tmp_path / "votes.csv.partial").write_bytes(CONTENT[:1000])
    fetch_votes(tmp_path / "votes.csv", url=server.url + "/other-part", sha256=SHA256)
    assert (tmp_path / "votes.csv").read_bytes() == CONTENT


def test_a_planted_link_is_not_followed(server, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "votes.csv.partial").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(InputError, match="can't be written"):
        fetch_votes(tmp_path / "votes.csv", url=server.url, sha256=SHA256)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("address", "arrived"), [("/no-ranges", 1000), ("", len(CONTENT))])
def test_a_server_without_ranges_and_a_whole_partial_file(server, tmp_path, address, arrived):
    (tmp_path / "votes.csv.partial").write_bytes(CONTENT[:arrived])
    fetch_votes(tmp_path / "votes.csv", url=server.url + address, sha256=SHA256)
    assert (tmp_path / "votes.csv").read_bytes() == CONTENT


def test_other_content_is_thrown_away(server, tmp_path):
    with pytest.raises(InputError, match="SHA-256"):
        fetch_votes(tmp_path / "votes.csv", url=server.url, sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_file_is_never_overwritten(server, tmp_path):
    (tmp_path / "votes.csv").write_text("mine")
    with pytest.raises(InputError, match="exists and isn't the votes file"):
        fetch_votes(tmp_path / "votes.csv", url=server.url, sha256=SHA256)
    assert (tmp_path / "votes.csv").read_text() == "mine"


def test_missing_on_the_server_and_nowhere_to_write(server, tmp_path):
    with pytest.raises(InputError, match="can't be fetched"):
        fetch_votes(tmp_path / "votes.csv", url=server.url + "/missing", sha256=SHA256)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        fetch_votes(tmp_path / "file" / "votes.csv", url=server.url, sha256=SHA256)


def test_offline_is_one_sentence_and_code_2(tmp_path):
    nobody = "http://127.0.0.1:9"  # The discard port: nothing listens.
    done = run_cli("votes", "--quiet", cwd=tmp_path, https_proxy=nobody, HTTPS_PROXY=nobody)
    assert done.returncode == 2
    assert "can't be fetched" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def votes_for(predictions, agreement: float = 0.6) -> np.ndarray:
    rng = np.random.default_rng(0)
    classes = len(predictions.class_names)
    shares = (1 - agreement) / classes + agreement * np.eye(classes)[predictions.labels]
    return rng.multinomial(60, shares)


def load(path, predictions) -> np.ndarray:
    return load_votes(path, predictions.labels, predictions.ids, predictions.class_names)


def test_votes_are_joined_by_id(tmp_path):
    predictions = make_predictions(ids=np.arange(200)[::-1])
    votes = votes_for(predictions)
    np.savetxt(tmp_path / "votes.csv", votes[::-1], fmt="%d", delimiter=",")
    np.testing.assert_array_equal(load(tmp_path / "votes.csv", predictions), votes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "lines of"),
        ("a,b\n", "has no one column for 'class 0', .* but 'a', 'b'"),
        ("class 0,class 1,class 2,class 3,class 4\n1,2,x,4,5\n", r"counts \(.*float: 'x'\)"),
        ("class 0,class 1,class 2,class 3,class 4\n", "has 0 lines of 5 counts"),
        ("1,2,3,4,5\n1,2\n", "isn't a table of counts"),
        ("1,2,3,4,5\n", "has 1 lines of 5 counts"),
        ("1,2,3,4\n" * 200, "has 200 lines of 4 counts"),
        ("1,2,3,4,0.5\n" * 200, "whole counts"),
        ("1,2,3,4,-5\n" * 200, "whole counts"),
        ("1,2,3,4,nan\n" * 200, "whole counts"),
        ("1,2,3,4,1e30\n" * 200, "whole counts"),
        ("0,0,0,0,0\n" * 200, "whole counts"),
        ("1,2,3,4,5\n" * 200, "than chance"),
    ],
)
def test_tables_that_are_no_votes(tmp_path, text, complaint):
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        load(tmp_path / "votes.csv", make_predictions())


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": partial(lzma.compress, preset=0)}


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_votes(tmp_path, ending):
    predictions = make_predictions()
    votes = votes_for(predictions)
    text = "\n".join(",".join(map(str, row)) for row in votes.tolist()) + "\n\n"
    packed = PACKERS[ending](text.encode("utf-8-sig"))
    path = tmp_path / f"votes.csv.{ending}"
    path.write_bytes(packed)
    np.testing.assert_array_equal(load(path, predictions), votes)
    path.rename(tmp_path / "votes.csv")  # By its bytes, not by its name.
    np.testing.assert_array_equal(load(tmp_path / "votes.csv", predictions), votes)
    for damaged in (packed[:-9], packed[:20] + b"x" * 9 + packed[29:], b"garbage" * 9, packed[:6]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=rf"votes\.csv\.{ending}"):
            load(path, predictions)


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_votes_never_unpack_to_more_than_votes_can_be(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(votes_module, "LARGEST_BYTES", 2**16)
    path = tmp_path / f"votes.csv.{ending}"
    path.write_bytes(PACKERS[ending](b"1" * 12_000_000))
    tracemalloc.start()
    with pytest.raises(InputError, match="holds more than"):
        load(path, make_predictions())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000  # Of 12 MB.


def test_votes_are_by_index_and_not_by_name(tmp_path):
    predictions = make_predictions(ids=np.array([f"{n}.png" for n in range(200)]))
    np.savetxt(tmp_path / "votes.csv", votes_for(predictions), fmt="%d", delimiter=",")
    with pytest.raises(InputError, match=r"these images have names \(0\.png\); name the images"):
        load(tmp_path / "votes.csv", predictions)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_votes_of_one_s_own_name_classes_and_images(tmp_path, delimiter):
    """In another order, with more images and another column of no class than the predictions."""
    predictions = make_predictions(ids=np.array([f"test/{n}.png" for n in range(200)]))
    votes, names = votes_for(predictions), predictions.class_names
    order = np.random.default_rng(1).permutation(200)
    lines = [["filename", "remark", *reversed(names)], ["more.png", "-", *"12345"]]
    lines += [[f"{n}.png", "easy", *map(str, votes[n, ::-1])] for n in order]
    path = tmp_path / "votes.csv"
    path.write_text("\n".join(map(delimiter.join, lines)))
    np.testing.assert_array_equal(load(path, predictions), votes)
    save_predictions(predictions, tmp_path / "p.npz")
    subject = load_subject(tmp_path / "p.npz", votes=path)
    np.testing.assert_array_equal(subject.votes, votes)
    of_first = votes[predictions.labels == 0] / 60
    np.testing.assert_allclose(subject.class_votes[0], of_first.mean(axis=0))
    path.write_text("\n".join(map(delimiter.join, lines[:-2])))
    with pytest.raises(InputError, match=r"no one line for 2 of 200 predicted images \(test/"):
        load(path, predictions)


def test_votes_as_an_array(tmp_path):
    predictions = make_predictions()
    votes = votes_for(predictions)
    np.save(tmp_path / "votes.npy", votes)  # As CIFAR-10H has them.
    np.testing.assert_array_equal(load(tmp_path / "votes.npy", predictions), votes)
    np.save(tmp_path / "votes.npy", votes / votes.sum(axis=1, keepdims=True))
    with pytest.raises(InputError, match="whole counts"):
        load(tmp_path / "votes.npy", predictions)
    np.save(tmp_path / "votes.npy", votes[0])
    with pytest.raises(InputError, match=r"has shape \(5,\); give counts"):
        load(tmp_path / "votes.npy", predictions)


def test_votes_need_a_file_and_test_images(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        load(tmp_path / "nothing.csv", make_predictions())
    save_predictions(make_predictions(split="train"), tmp_path / "p.npz")
    with pytest.raises(InputError, match="are of train"):
        load_subject(tmp_path / "p.npz", votes=tmp_path / "nothing.csv")
