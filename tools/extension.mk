# Builds and installs the extension with PGXS. Called by the Makefile in build/pgNN, out of the source tree, so that
# several versions of Postgres can be built side by side and PGXS' own targets (check, installcheck) stay out of ours.
#   make -C build/pg15 -f $PWD/tools/extension.mk ROOT=$PWD VPATH=$PWD all|install|uninstall|clean
PG_CONFIG ?= pg_config
EXTENSION = agent_queue
MODULE_big = agent_queue

# The version lives in the control file and nowhere else.
AQ_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(ROOT)/agent_queue.control)
AQ_SCRIPT := agent_queue--$(AQ_VERSION).sql
DATA_built = $(AQ_SCRIPT)
DATA = $(patsubst $(ROOT)/%,%,$(wildcard $(ROOT)/extension/updates/agent_queue--*.sql))

# Not find's own order, which is the file system's.
SOURCES := $(sort $(patsubst $(ROOT)/%,%,$(shell find $(ROOT)/src -name '*.cpp')))
OBJS = $(SOURCES:.cpp=.o)
SHLIB_LINK = -lcurl -lcrypto -lutf8proc -lstdc++

# No LLVM bitcode: a queue gains nothing from inlining into queries, and clang would have to agree with g++.
override with_llvm := no

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error No PGXS at "$(PGXS)". Install the server's development package, e.g. postgresql-server-dev-15, or set PG_CONFIG)
endif
include $(PGXS)

ifeq ($(filter 15 16 17 18,$(MAJORVERSION)),)
$(error agent_queue needs PostgreSQL 15, 16, 17 or 18; $(PG_CONFIG) belongs to $(MAJORVERSION))
endif
ifeq ($(findstring OpenSSL,$(shell curl-config --ssl-backends 2>/dev/null)),)
$(error agent_queue needs libcurl with OpenSSL (Debian: libcurl4-openssl-dev))
endif

# -isystem: warnings in the server's headers are not ours. The server's own flags come first, so that ours win.
AQ_CPPFLAGS := -I$(ROOT)/src -isystem $(includedir_server) -isystem $(includedir_internal)
AQ_CXXFLAGS := $(CXXFLAGS) -std=c++20 -O2 -g -fPIC -fvisibility=hidden -fvisibility-inlines-hidden \
    -fno-omit-frame-pointer -fmacro-prefix-map=$(ROOT)/= -Wall -Wextra -Wshadow
ifeq ($(MAJORVERSION),15)
# Before 16 the server's macros export nothing by themselves, and with hidden visibility nothing would be found.
AQ_CPPFLAGS += -D'PGDLLEXPORT=__attribute__((visibility("default")))'
endif

VERSIONED := $(patsubst $(ROOT)/%.cpp,%.o,$(shell grep -rl --include='*.cpp' AQ_VERSION $(ROOT)/src))
$(VERSIONED): AQ_CPPFLAGS += -DAQ_VERSION='"$(AQ_VERSION)"'
$(VERSIONED): $(ROOT)/agent_queue.control

# Flags are a prerequisite: with other flags, or another compiler, everything is built again.
FLAGS_FILE := flags
FLAGS := $(CXX) $(AQ_CXXFLAGS) $(AQ_CPPFLAGS) $(VERSION)
ifneq ($(file <$(FLAGS_FILE)),$(FLAGS))
$(file >$(FLAGS_FILE),$(FLAGS))
endif

AQ_COMPILE := $(if $(shell command -v ccache),ccache) $(CXX)
$(OBJS): %.o: $(ROOT)/%.cpp $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  C++ $*.cpp" && )$(AQ_COMPILE) $(AQ_CXXFLAGS) $(AQ_CPPFLAGS) -MMD -MP -c -o $@ $< \
	    2>$*.warnings || { cat $*.warnings >&2; exit 1; }; cat $*.warnings >&2
-include $(OBJS:.o=.d)

# WERROR=1 fails if any object, also one that was built before, came with warnings. The compiler's -Werror would have to
# build everything twice: for the check and for use.
ifeq ($(WERROR),1)
all: no-warnings
endif
no-warnings: $(OBJS)
	@cat $(OBJS:.o=.warnings) >&2; test -z "$$(cat $(OBJS:.o=.warnings))"
.PHONY: no-warnings

# A source file that is gone leaves no trace in the library: the list of objects is a prerequisite of it.
ifneq ($(file <objects),$(OBJS))
$(file >objects,$(OBJS))
endif
$(shlib): objects

# Sorted by the C locale, so that the built script is the same everywhere.
PARTS := $(ROOT)/extension/header.sql \
    $(foreach part,schema api views schema_last,$(sort $(wildcard $(ROOT)/extension/$(part)/*.sql)))
$(AQ_SCRIPT): $(PARTS) $(ROOT)/agent_queue.control
	@echo "  SQL $@" && cat $(PARTS) > $@.new && mv $@.new $@

clean: clean-objects
clean-objects:
	rm -rf src objects $(FLAGS_FILE)
.PHONY: clean-objects
