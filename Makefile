# SPDX-License-Identifier: Apache-2.0 - the only build file.
BUILD ?= build
CC = gcc
PKGS = raft libuv msgpack libcrypto libxxhash
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. $(WARN) -fno-omit-frame-pointer $(CFLAGS) $(shell pkg-config --cflags $(PKGS)) $(if $(SAN),-fsanitize=$(SAN))
ALL_LDFLAGS = $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
LIBS = $(shell pkg-config --libs $(PKGS)) -lpthread

FOLDERS = base partition raft client node cli
$(foreach f,$(FOLDERS),$(eval SRC_$(f) = $(wildcard $(f)/*.c)))
OBJ = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/ordaind $(BUILD)/ordain

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# One archive a folder: build/base.a, build/partition.a ... (main.c of node and cli stays out).
define ARCHIVE
$(BUILD)/$(1).a: $$(call OBJ,$$(filter-out %/main.c,$$(SRC_$(1))))
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call ARCHIVE,$(f))))

$(BUILD)/ordaind: $(BUILD)/node/main.o $(addprefix $(BUILD)/,node.a raft.a partition.a client.a base.a)
	$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

$(BUILD)/ordain: $(BUILD)/cli/main.o $(addprefix $(BUILD)/,cli.a client.a partition.a base.a)
	$(CC) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

# One Criterion binary for each tests/unit/<folder>_<noun>.c, linked with that folder's archive and what it rests on.
DEPS_base = base.a
DEPS_partition = partition.a base.a
DEPS_raft = raft.a base.a
DEPS_client = client.a base.a
DEPS_node = node.a raft.a partition.a client.a base.a
DEPS_cli = cli.a client.a partition.a base.a
define UNIT
$(BUILD)/tests/unit/$(1): $(BUILD)/tests/unit/$(1).o $(addprefix $(BUILD)/,$(DEPS_$(firstword $(subst _, ,$(1)))))
	$$(CC) $$^ $$(ALL_LDFLAGS) $$(LIBS) -lcriterion -o $$@
endef
UNITS = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
$(foreach u,$(UNITS),$(eval $(call UNIT,$(u))))

unit: $(addprefix $(BUILD)/tests/unit/,$(UNITS))
	@for t in $^; do echo "== $$t"; $$t || exit 1; done

clean:
	rm -rf $(BUILD)

.PHONY: all unit clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
