# Two commands do it all, each sets itself up: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test bench format lock clean

run: .venv/train.done
	@$(BIN)/hardpairs run

test: .venv/dev.done .venv/browser.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

bench: .venv/bench.done
	$(BIN)/python benchmarks/speed.py $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only $(ONLY))
	$(BIN)/python benchmarks/report.py

format: .venv/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/dev.done
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --all-extras --no-annotate --no-header pyproject.toml -o requirements.lock

.venv/%.done: pyproject.toml requirements.lock
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { echo "make: $(PYTHON) can't make a virtual environment; install Debian's package python3-venv." >&2; rm -rf .venv; exit 1; }
	@echo "setting up .venv (once)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[train$(if $(filter-out train,$*),$(,)$*)]"
	@touch $@

# The report's tests drive a real browser: installed where that takes no asking, else they skip.
.venv/browser.done: .venv/dev.done
	@command -v chromium >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || \
	  { echo "installing chromium for the report's tests" >&2; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || true
	@test -f .venv/axe/package/axe.min.js || ! command -v npm >/dev/null || \
	  { mkdir -p .venv/axe && cd .venv/axe && tar xzf "$$(npm pack --silent axe-core@4.14.0)" package/axe.min.js; } || true
	@touch $@

clean:
	rm -rf .venv

, := ,
