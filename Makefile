# Two commands do it all, each sets itself up: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
INDEX = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}"
UV = $(INDEX) $(BIN)/uv pip
TORCH := torch==2.13.0  # Not in the lock: of torch each machine has another build.

.PHONY: run shell test test-backends fuzz bench bench-quick docs dist format lock clean

# In it `hardpairs` runs as typed; `exit` leaves it.
shell: .venv/train.done
	@. $(BIN)/activate && exec $${SHELL:-sh}

run: .venv/train.done
	@$(BIN)/hardpairs run

test: .venv/dev.done .venv/browsers.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

# Keras on JAX and on torch, without TensorFlow, in an environment of its own.
test-backends: .venv/dev.done
	@test -x .venv/backends/bin/python || $(PYTHON) -m venv .venv/backends
	@$(UV) install --quiet --python .venv/backends/bin/python -c requirements.lock -b requirements.lock -e ".[backends]"
	@.venv/backends/bin/pip install --quiet --disable-pip-version-check $(TORCH)
	.venv/backends/bin/pytest tests/backends.py

fuzz: .venv/dev.done
	$(BIN)/python tests/fuzz.py
	$(BIN)/python tests/hostile.py

bench: .venv/bench.done
	@$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python benchmarks/speed.py $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only $(ONLY))
	$(BIN)/python benchmarks/report.py

# The lesson's script and the short recipes, in under 10 minutes.
bench-quick: .venv/train.done
	$(BIN)/python benchmarks/speed.py --short

# The site, into site/: warnings are errors, and nothing in it is fetched from elsewhere.
docs: .venv/docs.done
	$(BIN)/python docs/render_site.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@! grep -rEo '(src="|href="[^"]*\.(css|js)"|url\()https?://[^")]*' site --include=*.html
	@echo "open site/index.html; its search works from a server: $(BIN)/python -m http.server -d site"

# Both packages, checked, and installed into clean environments of every Python there is.
dist: .venv/dev.done
	@rm -rf dist && $(INDEX) $(BIN)/uv build --quiet --build-constraints requirements.lock
	$(BIN)/twine check --strict dist/*
	@for version in 3.11 3.12 3.13; do for file in dist/hardpairs-*; do \
	  $(BIN)/uv venv --quiet --clear --no-python-downloads --python $$version .venv/clean 2>/dev/null || { echo "no Python $$version here"; continue 2; }; \
	  $(UV) install --quiet --python .venv/clean/bin/python -b requirements.lock "./$$file" && \
	  .venv/clean/bin/hardpairs recipes >/dev/null && \
	  echo "$$version $$file: $$(du -h $$file | cut -f1), installed $$(du -sh .venv/clean | cut -f1)" || exit 1; \
	done; done

format: .venv/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/dev.done
	$(UV) compile --quiet --universal --all-extras --generate-hashes --no-annotate --no-header pyproject.toml -o requirements.lock

# uv checks every package against its hash in the lock, and is itself checked by pip.
.venv/%.done: pyproject.toml requirements.lock
	@test -x $(BIN)/pip || $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { echo "make: Python 3.11 to 3.13 is needed, and $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo missing); name another, as in 'make $(or $(MAKECMDGOALS),run) PYTHON=python3.12'." >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { echo "make: $(PYTHON) can't make a virtual environment; install Debian's package python3-venv." >&2; rm -rf .venv; exit 1; }
	@echo "setting up .venv (once)" >&2
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(UV) install --quiet --python $(BIN)/python -c requirements.lock -b requirements.lock -e ".[train$(if $(filter-out train,$*),$(,)$*)]"
	@touch $@

# The pages' tests drive real browsers; a browser that is missing skips its tests, but not in CI.
BROWSERS ?= chromium-headless-shell firefox-esr webkit2gtk-driver xvfb

# Meanwhile modules are compiled, for half a minute, once instead of in both of the tests' processes.
.venv/browsers.done: .venv/dev.done
	@$(BIN)/pytest --collect-only </dev/null >/dev/null 2>&1 &
	@if test -z "$(BROWSERS)"; then :; \
	elif test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  echo "installing into the system, for the pages' tests: $(BROWSERS) (Debian packages, about 800 MB)." >&2; \
	  echo "'make test BROWSERS=' does without them." >&2; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(BROWSERS); } >/dev/null; \
	else echo "the pages' tests run in the browsers that are there; for all of them install: $(BROWSERS)" >&2; fi
	@touch $@

clean:
	rm -rf .venv

, := ,
