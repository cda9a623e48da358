import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from conftest import make_predictions, run_cli
from hardpairs.analysis.sources import load_subject
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
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        until, self.server.breaks_after = self.server.breaks_after, None
        self.wfile.write(CONTENT[start:until])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.ranges, server.breaks_after = [], None
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
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
    return load_votes(path, predictions.labels, predictions.ids, len(predictions.class_names))


def test_votes_are_joined_by_id(tmp_path):
    predictions = make_predictions(ids=np.arange(200)[::-1])
    votes = votes_for(predictions)
    np.savetxt(tmp_path / "votes.csv", votes[::-1], fmt="%d", delimiter=",")
    np.testing.assert_array_equal(load(tmp_path / "votes.csv", predictions), votes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "lines of"),
        ("a,b\n", "isn't a table of counts"),
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
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_tables_that_are_no_votes(tmp_path, text, complaint):
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        load(tmp_path / "votes.csv", make_predictions())


def test_votes_need_a_file_and_test_images(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        load(tmp_path / "nothing.csv", make_predictions())
    save_predictions(make_predictions(split="train"), tmp_path / "p.npz")
    with pytest.raises(InputError, match="are of train"):
        load_subject(tmp_path / "p.npz", votes=tmp_path / "nothing.csv")
