# agent_queue: build, install and every test. `make help` lists the targets.
#
#   PG_CONFIG=/path/to/pg_config   which PostgreSQL (15 to 18)
#   WERROR=1                       warnings are errors (make check sets it)
#   JOBS=2                         how many things at once
#   V=1                            show the compiler's command lines
#   OBJECTS=build/pg15             make core tests these objects of the extension, and compiles only the tests
#
# The extension is built by PGXS (tools/extension.mk) in build/pgNN, the pure rooms and their tests by CMake in
# build/core. Tests that need a server run on throw-away instances of the installed extension (tools/server_tests).
PG_CONFIG ?= pg_config
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
WERROR ?= 0

PG_MAJOR = $(shell $(PG_CONFIG) --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p')
BUILD = $(CURDIR)/build/pg$(PG_MAJOR)
EXTENSION_MAKE = $(MAKE) --no-print-directory -C $(BUILD) -f $(CURDIR)/tools/extension.mk \
    ROOT=$(CURDIR) VPATH=$(CURDIR) PG_CONFIG=$(PG_CONFIG) WERROR=$(WERROR) V=$(V)
PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
export PG_CONFIG JOBS

.DEFAULT_GOAL := all
.PHONY: all install installed uninstall clean help pg_config core build-core format format-check tidy layers scripts \
    sanitize fuzz-smoke regress isolation tap check check-all psql demo demo-stop bench

all: pg_config ## build agent_queue.so and its SQL script in build/pgNN
	@$(EXTENSION_MAKE) $(PARALLEL) all

install: all ## install the extension into the PostgreSQL of PG_CONFIG (may need sudo)
	@$(EXTENSION_MAKE) install

installed: all # install only what differs, by sudo where that is needed
	@tools/install_if_changed $(BUILD)

uninstall: pg_config ## remove the installed extension
	@$(EXTENSION_MAKE) uninstall

clean: ## remove everything that was built
	rm -rf build

core: build-core ## unit and simulator tests of the pure rooms, without any server
	@tools/core_tests build/core

build-core: $(if $(OBJECTS),all)
	@mkdir -p build
	@cmake -S . -B build/core -DAQ_OBJECTS=$(abspath $(OBJECTS)) >build/core.log 2>&1 || { cat build/core.log; exit 1; }
	@cmake --build build/core -j $(JOBS)

format: ## format the C++ in place
	@find src test bench -name '*.[ch]pp' -print0 | xargs -0r clang-format -i

format-check: ## fail if clang-format would change something
	@find src test bench -name '*.[ch]pp' -print0 | xargs -0r clang-format --dry-run -Werror

tidy: ## clang-tidy over the pure rooms; files that did not change are skipped
	@mkdir -p build
	@cmake -S . -B build/core -DAQ_OBJECTS= >build/core.log 2>&1 || { cat build/core.log; exit 1; }
	@tools/tidy build/core

layers: ## hold every #include against the table of src/README.md
	@tools/check_layers

scripts: ## shellcheck
	@shellcheck -x -P SCRIPTDIR $$(grep -lr '^#!.*bash' tools .ci bench examples test) tools/lib/*.sh

sanitize: ## unit and simulator tests under AddressSanitizer and UBSan
	@mkdir -p build
	@cmake -S . -B build/sanitize -DAQ_SANITIZE=ON >build/sanitize.log 2>&1 || { cat build/sanitize.log; exit 1; }
	@cmake --build build/sanitize -j $(JOBS)
	@tools/core_tests build/sanitize

fuzz-smoke: ## every fuzz target for ten seconds (clang)
	@tools/fuzz_smoke

regress: installed ## pg_regress on a throw-away instance; TESTS="enqueue privileges" runs some
	@tools/server_tests regress

isolation: installed ## isolation tests on a throw-away instance; TESTS="claim_claim" runs some
	@tools/server_tests isolation

tap: installed ## TAP tests: crashes, restarts, DROP DATABASE; TESTS="test/tap/crash.pl" runs some
	@tools/server_tests tap

check: ## everything above, warnings as errors, with a summary: what CI runs
	@tools/run_suites

check-all: ## check, the long suites, and every other PostgreSQL in /usr/lib/postgresql
	@AQ_LONG_TESTS=1 tools/run_suites --all

psql: installed ## a scratch server with the extension and the stub provider, and psql in it
	@tools/psql

demo: ## a thousand real prompts through the queue
	@tools/demo

demo-stop: ## stop the scratch server and the stub
	@tools/demo --stop

bench: installed ## the published benchmarks
	@bench/run

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

pg_config:
	@test -n "$(PG_MAJOR)" || { echo "make: $(PG_CONFIG) not found. Run tools/install_deps, or set PG_CONFIG" >&2; exit 1; }
	@mkdir -p $(BUILD)
