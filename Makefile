# Two commands do it all, each sets itself up: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test bench format lock clean

run: .venv/train.done
	@$(BIN)/hardpairs run

test: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

bench: .venv/bench.done
	$(BIN)/python benchmarks/speed.py $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only $(ONLY))

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

clean:
	rm -rf .venv

, := ,
