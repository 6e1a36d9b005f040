# SPDX-License-Identifier: Apache-2.0 - the only build file. `make help` lists what can be asked of it.
VERSION := $(shell sed -n 's/^\#define ORDAIN_VERSION "\(.*\)"/\1/p' client/ordain.h)
# Debian's default prefix for what is built by hand; DESTDIR is put before it (packagers).
PREFIX ?= /usr/local
DESTDIR ?=
# For example SAN=address,undefined. Has its own build directory, so that objects are never mixed.
SAN ?=
comma = ,
BUILD ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

CC = gcc
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= $(if $(SAN),-O1 -g,-O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2)

# Debian 12 calls msgpack-c's C half "msgpack", Debian 13 "msgpack-c".
MSGPACK := $(if $(shell pkg-config --exists msgpack-c 2>/dev/null && echo yes),msgpack-c,msgpack)
PKGS = raft libuv $(MSGPACK) libcrypto libxxhash libzstd lmdb
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

SAN_FLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. $(WARN) -fno-omit-frame-pointer $(CFLAGS) $(PKG_CFLAGS) $(SAN_FLAGS)
ALL_LDFLAGS = $(LDFLAGS) $(SAN_FLAGS) -Wl,--as-needed
LIBS = $(PKG_LIBS) -lpthread -lm

# Commands are named, not shown; V=1 shows them.
Q = $(if $(V),,@)

FOLDERS = base partition raft client node cli jepsen
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
SOURCES := $(wildcard $(FOLDERS:%=%/*.c) jepsen/*/*.c tests/*/*.c)

# Asks for nothing on the network when all packages are there.
SETUP = tests/support/setup.sh
# A make of ours inside this one: set-up may have changed what pkg-config says, which is read at the start.
AGAIN = +@$(MAKE) --no-print-directory $(if $(findstring j,$(filter -j% --jobserver%,$(MAKEFLAGS))),,-j$(shell nproc))

all: ## build everything: build/ordaind, build/ordain, build/libordain.a, build/ordain-jepsen (default)
	@$(SETUP) build
	$(AGAIN) programs

programs: $(BUILD)/ordaind $(BUILD)/ordain $(BUILD)/ordain-clock.so $(BUILD)/libordain.a $(BUILD)/ordain-jepsen

demo: ## install what is missing, build, and run the main job on a cluster of three nodes
	@$(SETUP) demo
	$(AGAIN) programs
	@BUILD=$(BUILD) docs/examples/demo.sh

test: ## install what is missing, build, and run every test; the last line is "N passed, N failed"
	@$(SETUP) test
	$(AGAIN) run-tests

jepsen: ## install what is missing, build, and break real clusters for five minutes: workloads under faults, each history checked; kept in store/
	@$(SETUP) jepsen
	$(AGAIN) programs
	@$(BUILD)/ordain-jepsen campaign --minutes 5 --workloads bank,register,set --nemeses kill,all --seed $(FIRST)

# Of `make bench`: SECONDS of each run, REPEATS of each point; the largest points; which sections (all when empty);
# where the page goes; KEEP=1 keeps there what earlier runs of the same kind measured in other sections.
SECONDS = 20
WARMUP = 3
REPEATS = 5
SEED = 1
ACCOUNTS_MAX = 10000000
IDS_MAX = 50000000
SECTIONS =
OUT = docs
KEEP =

bench: ## install what is missing, build, and measure the standard table into docs/benchmarks.md, with plots; REPEATS=5 runs of SECONDS=20 for each point, some hours in all
	@$(SETUP) bench
	$(AGAIN) programs
	@tests/bench/bench.py --build $(BUILD) --seconds $(SECONDS) --warmup $(WARMUP) --repeats $(REPEATS) --seed $(SEED) --accounts-max $(ACCOUNTS_MAX) --ids-max $(IDS_MAX) \
		--out $(OUT) $(if $(SECTIONS),--sections "$(SECTIONS)") $(if $(KEEP),--keep)

bench-redraw: ## make page and plots of docs/benchmarks.md again from docs/benchmarks/results.tsv
	@$(SETUP) bench
	@tests/bench/bench.py --redraw --out $(OUT)

setup: ## install the packages that building, testing and linting need
	@$(SETUP) build demo test jepsen lint

# --- objects, archives, programs ---

# Rewritten only when the flags differ from those of the last build: then everything is compiled anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@pkg-config --atleast-version=0.22 raft || { $(SETUP) explain; exit 1; }
	@echo '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))' > $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "compile $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# One archive a folder: build/base.a, build/partition.a ... with what lies in its folders (main.c of node, cli and jepsen stays out).
define ARCHIVE
$(BUILD)/$(1).a: $$(call objects,$$(filter-out %/main.c %/clock_preload.c,$$(wildcard $(1)/*.c $(1)/*/*.c)))
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call ARCHIVE,$(f))))

# What a program links to talk to a cluster: the client and what it rests on.
$(BUILD)/libordain.a: $(call objects,$(wildcard client/*.c base/*.c))
	@rm -f $@
	$(Q)ar rcs $@ $^

# Two libraft packages can stand side by side: what counts is the one that the linker took.
$(BUILD)/ordaind: $(BUILD)/node/main.o $(addprefix $(BUILD)/,node.a raft.a partition.a client.a base.a)
	@echo "link $@"
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@
	@tests/support/check_linked.sh $@ || { rm -f $@; exit 1; }

# Of node.a and raft.a only what reads and writes files: neither the daemon nor libraft is linked.
$(BUILD)/ordain: $(BUILD)/cli/main.o $(addprefix $(BUILD)/,cli.a node.a client.a partition.a raft.a base.a)
	@echo "link $@"
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

# Preloaded into nodes whose clocks `ordain fault` sets. Alone, and without sanitizers: it is in the process before anything else.
$(BUILD)/ordain-clock.so: cli/clock_preload.c cli/clock_page.h $(BUILD)/flags
	@echo "link $@"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -I. $(WARN) -O2 -g -fPIC -shared $< -ldl -o $@

$(BUILD)/ordain-jepsen: $(BUILD)/jepsen/main.o $(addprefix $(BUILD)/,jepsen.a client.a base.a)
	@echo "link $@"
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

# --- tests ---

# What a test of a folder is linked with: tests/support/<folder>_*.c, the folder's archive and what it rests on.
DEPS_base = base.a
DEPS_partition = tests/support.a partition.a base.a
DEPS_raft = raft.a base.a
DEPS_client = client.a base.a
DEPS_node = tests/support.a node.a raft.a partition.a client.a base.a
DEPS_jepsen = jepsen.a client.a base.a
DEPS_cli = tests/support.a cli.a node.a client.a partition.a raft.a base.a
link_inputs = $(call objects,$(wildcard tests/support/$(1)_*.c)) $(addprefix $(BUILD)/,$(DEPS_$(1)))

# Tests of the simulator's own parts: a disk, or the checkers, in a world that is not there.
SIM_DISK_INPUTS = $(call objects,tests/support/sim_stub.c $(wildcard tests/sim/disk*.c))
SIM_CHECK_INPUTS = $(call objects,$(wildcard tests/support/sim_stub_*.c) $(wildcard $(addprefix tests/sim/,record.c follow*.c money.c letters.c \
	oracle.c observe*.c trail.c)) tests/model/model.c tests/model/compare.c tests/support/partition_build.c) $(BUILD)/tests/support.a $(BUILD)/partition.a $(BUILD)/client.a $(BUILD)/base.a
INPUTS_sim_disk = $(SIM_DISK_INPUTS)
INPUTS_sim_damage = $(SIM_DISK_INPUTS)
INPUTS_sim_follow = $(SIM_CHECK_INPUTS)
INPUTS_sim_observe = $(SIM_CHECK_INPUTS)
INPUTS_sim_observe_age = $(SIM_CHECK_INPUTS)
INPUTS_sim_observe_stale = $(SIM_CHECK_INPUTS)
INPUTS_sim_record = $(SIM_CHECK_INPUTS)
SIM_CHECK_FLAGS = -Wl,--wrap=ord_partition_apply
FLAGS_sim_follow = $(SIM_CHECK_FLAGS)
FLAGS_sim_observe = $(SIM_CHECK_FLAGS)
FLAGS_sim_observe_age = $(SIM_CHECK_FLAGS)
FLAGS_sim_observe_stale = $(SIM_CHECK_FLAGS)
FLAGS_sim_record = $(SIM_CHECK_FLAGS)
INPUTS_node_listener = $(call objects,tests/support/shard_status.c) $(call link_inputs,node)
INPUTS_node_copy = $(call objects,tests/support/partition_build.c) $(call link_inputs,node)
INPUTS_node_lmdb_scrub = $(call objects,tests/support/partition_build.c) $(call link_inputs,node)
INPUTS_cli_cut = $(call objects,tests/support/partition_build.c) $(call link_inputs,cli)
INPUTS_peers_etcd_txn = $(call objects,tests/peers/etcd_txn.c) $(BUILD)/base.a
# Tests of what becomes of a system call that fails.
FLAGS_node_disk = -Wl,--wrap=pwrite -Wl,--wrap=fdatasync
FLAGS_node_history_faults = $(addprefix -Wl$(comma)--wrap=,pwrite fdatasync fsync ftruncate unlinkat mkdirat openat)

# Support code that belongs to no one folder: partitions without a network, their narration, random numbers.
$(BUILD)/tests/support.a: $(call objects,$(filter-out $(FOLDERS:%=tests/support/%_%) tests/support/sim_% tests/support/shard_%,$(wildcard tests/support/*.c)))
	@rm -f $@
	$(Q)ar rcs $@ $^

# One Criterion binary for each tests/unit/<folder>_<noun>.c.
define UNIT
$(BUILD)/tests/unit/$(1): $(BUILD)/tests/unit/$(1).o $(or $(INPUTS_$(1)),$(call link_inputs,$(firstword $(subst _, ,$(1)))))
	@echo "link $$@"
	$$(Q)$$(CC) $$^ $$(ALL_LDFLAGS) $(FLAGS_$(1)) $$(LIBS) -lcriterion -o $$@
endef
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
$(foreach u,$(UNITS),$(eval $(call UNIT,$(u))))

# One program each: the naive model compared with the partitions, and the golden transcripts.
$(BUILD)/tests/model/model: $(call objects,$(wildcard tests/model/*.c)) $(call link_inputs,partition)
	@echo "link $@"
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

$(BUILD)/tests/golden/golden: $(call objects,$(wildcard tests/golden/*.c)) $(call link_inputs,partition)
	@echo "link $@"
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

UNIT_PROGRAMS = $(addprefix $(BUILD)/tests/unit/,$(UNITS))
PROOF_PROGRAMS = $(BUILD)/tests/model/model $(BUILD)/tests/golden/golden

run-tests: programs $(UNIT_PROGRAMS) $(PROOF_PROGRAMS) $(BUILD)/sim
	@BUILD=$(BUILD) SAN=$(SAN) tests/support/run_tests.sh $(UNIT_PROGRAMS) $(PROOF_PROGRAMS) then tests/sim/suite.sh tests/integration/run.sh

unit: $(UNIT_PROGRAMS) ## build and run the unit tests alone
	@BUILD=$(BUILD) tests/support/run_tests.sh $^

# --- the simulator ---

# The whole cluster in one process: the archives as they are, on a simulated libuv and simulated system calls (docs/testing.md). libuv itself is not linked.
SIM_WRAPS := $(shell cat tests/sim/wraps.list 2>/dev/null)
SIM_LIBS := $(shell pkg-config --libs raft $(MSGPACK) libcrypto libxxhash libzstd 2>/dev/null)
SIM_OBJECTS = $(call objects,$(wildcard tests/sim/*.c)) $(BUILD)/tests/sim/commit.o $(call objects,tests/model/model.c tests/model/compare.c)
SIM_ARCHIVES = $(BUILD)/tests/support.a $(addprefix $(BUILD)/,node.a raft.a partition.a client.a base.a)

# Rewritten only when it says something else.
$(BUILD)/tests/sim/commit.c: FORCE
	@mkdir -p $(@D)
	@echo 'extern const char sim_commit[]; const char sim_commit[] = "$(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)";' | \
		cmp -s - $@ || \
		echo 'extern const char sim_commit[]; const char sim_commit[] = "$(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)";' > $@

$(BUILD)/tests/sim/commit.o: $(BUILD)/tests/sim/commit.c
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

SIM_LINK = $(CC) $(SIM_OBJECTS) $(SIM_ARCHIVES) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(SIM_WRAPS)) $(SIM_LIBS)

$(BUILD)/sim: $(SIM_OBJECTS) $(SIM_ARCHIVES)
	@echo "link $@"
	$(Q)$(SIM_LINK) -o $@

SEEDS ?= 1000
FIRST ?= 1
JOBS ?= 2

sim: ## simulate SEEDS=1000 seeds from FIRST=1 on, JOBS=2 at a time; failing ones are kept in build/sim-failures
	@$(SETUP) test
	$(AGAIN) $(BUILD)/sim
	@$(BUILD)/sim --seeds $(FIRST):$(SEEDS) --jobs $(JOBS) --keep $(BUILD)/sim-failures --demand-all

sim-mutants: ## plant each bug of tests/sim/mutants (or NAMES="...") and show which seed finds it, SEEDS=500 at most
	@$(SETUP) test
	$(AGAIN) run-mutants

run-mutants: SEEDS = 500
run-mutants: $(BUILD)/sim
	@BUILD=$(BUILD) FIRST=$(FIRST) SEEDS=$(SEEDS) JOBS=$(JOBS) REMEMBER=$(REMEMBER) MUTANT_CC='$(CC) $(ALL_CFLAGS)' MUTANT_LINK='$(SIM_LINK)' tests/sim/mutants.sh $(NAMES)

bite: ## plant bugs of tests/sim/mutants in real nodes (or NAMES="...") and show which workload and nemesis finds each; some twenty minutes
	@$(SETUP) test
	$(AGAIN) run-bite

BITE_LINK = $(CC) $(BUILD)/node/main.o $(addprefix $(BUILD)/,node.a raft.a partition.a client.a base.a) $(ALL_LDFLAGS) $(LIBS)

run-bite: programs
	@BUILD=$(BUILD) MUTANT_CC='$(CC) $(ALL_CFLAGS)' BITE_LINK='$(BITE_LINK)' tests/soak/bite.sh $(NAMES)

# --- beside its peers ---

bench-peers: ## measure ordain, PostgreSQL and etcd in turn, REPEATS=5 times, SECONDS=20 each; some twenty minutes. Writes docs/benchmarks-peers.md
	@$(SETUP) bench-peers
	$(AGAIN) programs $(BUILD)/etcd-claims
	@BUILD=$(BUILD) tests/peers/run.sh $(REPEATS) $(SECONDS)

$(BUILD)/etcd-claims: $(call objects,$(wildcard tests/peers/*.c)) $(BUILD)/base.a
	@echo "link $@"
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -lnghttp2 -o $@

# --- lint ---

C_FILES := $(wildcard $(FOLDERS:%=%/*.[ch]) jepsen/*/*.[ch] tests/*/*.[ch])
# Without the preload libraries: they define the C library's functions anew.
# tests/peers needs a library that is installed for it alone.
TIDY_OK = $(patsubst %.c,$(BUILD)/tidy/%.ok,$(filter-out tests/integration/% cli/clock_preload.c \
	$(if $(shell pkg-config --exists libnghttp2 2>/dev/null && echo yes),,tests/peers/%),$(filter %.c,$(C_FILES))))

lint: ## check format, clang-tidy, who includes whom, what the core calls, and sizes
	@$(SETUP) lint
	$(AGAIN) check-format check-includes check-sizes check-symbols check-tidy

check-format: ## clang-format has nothing to change
	@clang-format --dry-run -Werror $(C_FILES)

check-includes: ## folders include only whom they may
	@tests/support/check_includes.sh $(C_FILES)

check-sizes: ## no file over 800 lines, no function over 90
	@tests/support/check_sizes.sh $(C_FILES)

check-symbols: $(BUILD)/partition.a $(BUILD)/base.a programs ## the core calls no clock, no I/O, no randomness; the simulator knows all that the rest calls
	@tests/support/check_symbols.sh $(BUILD)/partition.a $(BUILD)/base.a
	@tests/support/check_wraps.sh $(BUILD)

check-tidy: $(TIDY_OK) ## clang-tidy finds nothing

# Anew when the file or a header of its changes: the object stands for both.
$(BUILD)/tidy/%.ok: %.c $(BUILD)/%.o .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	@echo "clang-tidy $<"
	@clang-tidy --quiet $< -- -std=c11 -D_GNU_SOURCE -I. $(PKG_CFLAGS) 2>$@.err || { cat $@.err; exit 1; }
	@touch $@

# --- install ---

TREE = $(DESTDIR)$(PREFIX)

install: all ## install programs, library, header, unit and docs under DESTDIR and PREFIX (/usr/local)
	install -D -m 755 -t $(TREE)/bin $(BUILD)/ordaind $(BUILD)/ordain
	install -D -m 644 -t $(TREE)/lib $(BUILD)/libordain.a
	install -D -m 644 -t $(TREE)/lib/ordain $(BUILD)/ordain-clock.so
	install -D -m 644 -t $(TREE)/include client/ordain.h
	install -d $(TREE)/lib/pkgconfig $(TREE)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@MSGPACK@|$(MSGPACK)|' client/ordain.pc.in > $(TREE)/lib/pkgconfig/ordain.pc
	sed -E 's,/usr/(bin|share)/,$(PREFIX)/\1/,' node/ordaind.service > $(TREE)/lib/systemd/system/ordaind.service
	install -D -m 644 -t $(TREE)/share/doc/ordain README.md LICENSE $(wildcard docs/*.md)
	install -D -m 644 -t $(TREE)/share/doc/ordain/adr $(wildcard docs/adr/*.md)
	install -D -m 644 -t $(TREE)/share/doc/ordain/examples $(wildcard docs/examples/*)

clean: ## remove the build directory
	rm -rf $(BUILD)

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | expand -t 16
	@echo
	@echo "Variables: SAN=address,undefined (sanitizers, own build directory)  BUILD=dir  CFLAGS=...  PREFIX=/usr/local  DESTDIR=  V=1"

FORCE:
.PHONY: all programs demo test jepsen bench bench-redraw bite run-bite run-tests sim sim-mutants run-mutants setup unit lint check-format check-includes check-sizes check-symbols check-tidy \
	install clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(patsubst %.c,$(BUILD)/%.d,$(SOURCES))
