# Dispatcher: everything that can be built, run and tested here. `make help` lists it.
#
#   SANITIZE=1     AddressSanitizer + UndefinedBehaviorSanitizer in all that is ours (built into build/san)
#   CC=clang       the other compiler (built into build/clang)
#   V=1            print the commands

SHELL         := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
JOBS          := $(shell nproc)
PARALLEL      := $(if $(filter 0,$(MAKELEVEL)),-j$(JOBS))
MAKEFLAGS     += --no-builtin-rules --no-print-directory $(PARALLEL)

CC  := $(if $(filter default,$(origin CC)),gcc,$(CC))
CXX := $(if $(findstring clang,$(CC)),clang++,g++)

comma := ,
VERSION := $(shell cat VERSION)
B := build$(if $(findstring clang,$(CC)),/clang)$(if $(SANITIZE),/san)
Q := $(if $(V),,@)

# --- flags ----------------------------------------------------------------------------------------------------------

SAN_FLAGS := $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
OPT       := $(if $(SANITIZE),-O1 -g,-O2 -g)
WARN      := -Wall -Wextra -Werror -Wshadow -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings -Wvla
C_WARN    := $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
CPP_FLAGS := -D_GNU_SOURCE -DDSP_VERSION='"$(VERSION)"' -Isrc -I. -MMD -MP
C_FLAGS   := -std=gnu11 $(OPT) $(C_WARN) $(SAN_FLAGS) -fstack-protector-strong -fPIC
CXX_FLAGS := -std=c++17 $(OPT) $(WARN) $(SAN_FLAGS) -fPIC
LD_FLAGS  := $(SAN_FLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed
EXT_LIBS  := -lcurl -lcjson -lyaml -lssl -lcrypto -levent_openssl -levent_extra -levent_core -lre2 -lcrypt -lstdc++ -lm

# --- rooms: a static library each -----------------------------------------------------------------------------------

obj = $(patsubst %,$(B)/obj/%.o,$(1))
lib = $(foreach r,$(1),$(B)/lib/libdsp_$(r).a)

SRCS_base       := $(wildcard src/base/*.c)
SRCS_model      := $(wildcard src/model/*.c)
SRCS_template   := $(wildcard src/template/*.c src/template/*.cc)
SRCS_kube       := $(wildcard src/kube/*.c)
SRCS_controller := $(filter-out controller/main.c controller/template_main.c,$(wildcard controller/*.c))
SRCS_devcluster := $(filter-out t/devcluster/main.c,$(wildcard t/devcluster/*.c))
ROOMS           := devcluster controller kube template model base

define room_rule
$(call lib,$(1)): $(call obj,$(SRCS_$(1)))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

$(B)/obj/%.c.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPP_FLAGS) $(CPPFLAGS) $(C_FLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/%.cc.o: %.cc Makefile
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CPP_FLAGS) $(CPPFLAGS) $(CXX_FLAGS) $(CXXFLAGS) -c -o $@ $<

# --- programs -------------------------------------------------------------------------------------------------------

link = $(Q)$(CC) $(LD_FLAGS) $(LDFLAGS) -o $@ $^ $(EXT_LIBS)

CONTROLLER := $(B)/dispatcher-controller
TEMPLATE   := $(B)/dispatcher-template
DEVCLUSTER := $(B)/devcluster
MODULE     := $(B)/ngx_http_dispatcher_module.so

$(CONTROLLER): $(call obj,controller/main.c) $(call lib,controller kube template model base)
	$(link)

$(TEMPLATE): $(call obj,controller/template_main.c) $(call lib,controller kube template model base)
	$(link)

# the definitions are part of the program
$(call obj,t/devcluster/crd.c): $(wildcard deploy/crd/*.yaml)

$(DEVCLUSTER): $(call obj,t/devcluster/main.c) $(call lib,devcluster model base)
	$(link)

.PHONY: all
all: $(CONTROLLER) $(TEMPLATE) $(DEVCLUSTER) module ## build the module, the controller, dispatcher-template and devcluster

# --- the nginx module -----------------------------------------------------------------------------------------------

MODULE_SRCS := ngx_http_dispatcher_module.c config $(wildcard src/nginx/*.[ch] src/model/*.[ch] src/base/*.[ch])

.PHONY: module
module: $(MODULE) ## build ngx_http_dispatcher_module.so for the installed nginx (NGINX_SRC=DIR: for that source tree, with --with-compat)

$(MODULE): $(MODULE_SRCS)
	$(Q)CC='$(CC)' SANITIZE='$(SANITIZE)' NGINX_SRC='$(NGINX_SRC)' bash t/lib/build-module $(CURDIR) $(abspath $(B))

# --- the module under other nginxes ---------------------------------------------------------------------------------

MODULE_TESTS := $(wildcard t/module_*.t)
NEWER        := $(or $(SUITE),newest)

.PHONY: valgrind
valgrind: deps-slow ## the module's tests with nginx under valgrind
	+$(Q)$(MAKE) module $(CONTROLLER) $(DEVCLUSTER)
	DSP_BUILD=$(B) DSP_VALGRIND=1 prove $(or $(S),$(MODULE_TESTS))

.PHONY: soak-module
soak-module: module ## a minute of mixed, bad and abandoned requests with reloads (SECONDS=60)
	t/soak/module $(B) $(or $(SECONDS),60)

.PHONY: test-module-asan
test-module-asan: deps-slow ## the module's tests in an nginx that is sanitized as a whole, its pools broken up (fetches Debian's source)
	src=$$(t/lib/fetch-nginx bookworm,oldstable build/nginx-src/bookworm) && CC='$(CC)' t/lib/build-nginx "$$src" . build/nginx-san san
	DSP_BUILD=build/san DSP_MODULE=static DSP_NGINX=$(CURDIR)/build/nginx-san/objs/nginx prove $(or $(S),$(MODULE_TESTS))

.PHONY: test-module-newer
test-module-newer: deps-slow ## make module NGINX_SRC= for the newest nginx of Debian's mirrors, and its tests in it (SUITE=trixie picks one)
	+$(Q)src=$$(t/lib/fetch-nginx $(NEWER) build/nginx-src/$(NEWER)) && echo "nginx: $$src" && \
	CC='$(CC)' t/lib/build-nginx "$$src" . build/nginx-$(NEWER) plain && $(MAKE) module NGINX_SRC="$$src" B=build/nginx-$(NEWER)-module
	DSP_NGINX=$(CURDIR)/build/nginx-$(NEWER)/objs/nginx DSP_MODULE=$(CURDIR)/build/nginx-$(NEWER)-module/ngx_http_dispatcher_module.so \
	prove $(or $(S),$(MODULE_TESTS))

# --- tests ----------------------------------------------------------------------------------------------------------

UNIT_SRCS  := $(wildcard t/unit/*_test.c)
UNIT_TESTS := $(foreach t,$(patsubst t/unit/%.c,$(B)/unit/%,$(UNIT_SRCS)),$(if $(or $(if $(T),,all),$(findstring $(T),$(t))),$(t)))

$(B)/unit/%: $(B)/obj/t/unit/%.c.o $(call lib,$(ROOMS))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LD_FLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(EXT_LIBS)

# What system tests load into our programs, and the fuzzers, so that `make test` builds each and gives it what they once found.
TEST_TOOLS := $(B)/skew.so $(patsubst t/fuzz/%.c,$(B)/replay/%,$(wildcard t/fuzz/*_fuzz.c))

$(B)/%.so: t/tools/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPP_FLAGS) -MF $(B)/obj/$*.so.d $(CPPFLAGS) -std=gnu11 -O2 -g $(C_WARN) -fPIC -shared $(LDFLAGS) -o $@ $<

# The n-th allocation fails: our own calls go through the test.
$(B)/unit/template_memory_test: private LDFLAGS += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free X509_sign)

.PHONY: test-memory
test-memory: $(B)/unit/template_memory_test ## each of libcrypto's allocations fails too, one by one (6 minutes)
	DSP_EVERY_ALLOCATION=1 $<

.PRECIOUS: $(B)/obj/%.c.o $(B)/obj/%.cc.o

.PHONY: unit-programs test-tools
unit-programs: $(UNIT_TESTS)
test-tools: $(TEST_TOOLS) ## the small programs that tests use

.PHONY: unit
unit: unit-programs ## run the unit tests (T=pattern picks some)
	$(if $(strip $(UNIT_TESTS)),,$(error no program of t/unit matches T=$(T)))
	CMOCKA_MESSAGE_OUTPUT=TAP prove $(UNIT_TESTS)

.PHONY: test
test: deps ## unit tests and system tests of the real three processes (SANITIZE=1: under ASan and UBSan)
	+$(Q)$(MAKE) all unit-programs test-tools
	DSP_BUILD=$(B) CMOCKA_MESSAGE_OUTPUT=TAP prove -j$(JOBS) $(UNIT_TESTS) t/*.t

.PHONY: system
system: all test-tools ## only the system tests (S=t/name.t picks one)
	DSP_BUILD=$(B) prove $(or $(S),t/*.t)

.PHONY: soak
soak: $(CONTROLLER) $(DEVCLUSTER) ## COUNT=1000 executions in SECONDS=600 while everything goes wrong that can (SEED=n draws the same again)
	t/soak/controller $(B) $(or $(SECONDS),600) $(or $(COUNT),0) $(or $(SEED),0)

.PHONY: half-open
half-open: deps-slow ## connections that die without a word are found within a minute (root: a network namespace)
	+$(Q)$(MAKE) $(CONTROLLER) $(DEVCLUSTER)
	t/soak/half_open $(B)

.PHONY: bench
bench: all ## speed, as ratios against baselines measured in the same run
	t/bench/path $(B)

.PHONY: bench-controller
bench-controller: $(CONTROLLER) $(DEVCLUSTER) $(B)/bench/load ## the controller's speed against a plain client's, delays, a million events, N=100000 objects (6 minutes)
	t/bench/controller $(B) 2000
	t/bench/events $(B) 1000000
	t/bench/controller $(B) $(or $(N),100000) scale

.PHONY: bench-module
bench-module: deps-slow ## dispatcher_execute against a bare proxy_pass, ROUNDS=11 of 1 s (MEMORY=1: memory after 1 M requests)
	+$(Q)$(MAKE) module $(DEVCLUSTER) $(B)/bench/null_api
	t/bench/module $(B) $(or $(ROUNDS),11) $(if $(MEMORY),memory)

.PHONY: bench-template
bench-template: $(B)/bench/template_bench $(B)/oracle ## the template engine against Go's
	t/bench/template $(B)

$(B)/bench/%: $(B)/obj/t/bench/%.c.o $(call lib,$(ROOMS))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LD_FLAGS) $(LDFLAGS) -o $@ $^ $(EXT_LIBS)

# Go's own engine, where Go is installed; nothing of ours is built from it.
$(B)/oracle: t/oracle/main.go t/oracle/go.mod
	@mkdir -p $(@D)
	@if command -v go > /dev/null; then cd t/oracle && go build -o $(abspath $@) .; else echo 'no Go here: no comparison with it'; fi

.PHONY: fuzz-template-diff
fuzz-template-diff: $(TEMPLATE) $(B)/oracle ## COUNT=200000 generated templates (SEED=1), ours against Go's; every difference is shown
	t/fuzz/template-diff $(B) $(or $(COUNT),200000) $(or $(SEED),1)

# --- fuzzing: clang's libFuzzer, everything under ASan + UBSan --------------------------------------------------------

FUZZERS := $(foreach f,$(patsubst t/fuzz/%.c,$(B)/fuzz/%,$(wildcard t/fuzz/*_fuzz.c)),$(if $(or $(if $(F),,all),$(findstring $(F),$(f))),$(f)))

$(B)/fuzz/%: $(B)/obj/t/fuzz/%.c.o $(call lib,controller kube template model base)
	@mkdir -p $(@D)
	$(Q)$(CXX) -fsanitize=fuzzer $(LD_FLAGS) $(LDFLAGS) -o $@ $^ $(EXT_LIBS)

# The same, without libFuzzer, on inputs that are given: t/fuzz.t.
$(B)/replay/%: $(B)/obj/t/fuzz/%.c.o $(B)/obj/t/fuzz/replay.c.o $(call lib,controller kube template model base)
	@mkdir -p $(@D)
	$(link)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZERS)

.PHONY: fuzz
fuzz: deps-slow ## run the fuzzers for SECONDS=30 each (F=pattern picks some); what they find interesting stays in build/fuzz
	+$(Q)$(MAKE) CC=clang SANITIZE=1 B=build/fuzz CFLAGS=-fsanitize=fuzzer-no-link CXXFLAGS=-fsanitize=fuzzer-no-link fuzz-programs
	@t/fuzz/run '$(F)' $(or $(SECONDS),30)

# --- trying it out --------------------------------------------------------------------------------------------------

.PHONY: demo demo-up demo-down
demo: deps ## the whole path on this machine: install, build, start, curl, wait, log, stop
	+$(Q)$(MAKE) all
	@t/demo/demo run $(B)

demo-up: deps ## start the demo and leave it running
	+$(Q)$(MAKE) all
	@t/demo/demo up $(B)

demo-down: ## end what demo-up started
	@t/demo/demo down $(B)

# --- packages ---------------------------------------------------------------------------------------------------------

.PHONY: deb
deb: ## build the Debian packages libnginx-mod-http-dispatcher and dispatcher-controller into build/deb
	deploy/deb/build '$(CURDIR)' '$(abspath $(B))'

.PHONY: test-deb
test-deb: deps ## build the packages, use what is in them, and install, remove and purge them in a Debian of their own (that: as root)
	@t/lib/install-deps t/deb/deps
	+$(Q)$(MAKE) deb $(DEVCLUSTER)
	DSP_BUILD=$(B) prove t/deb/deb.t

MODULES_DIR := /usr/lib/nginx/modules

.PHONY: install-module
install-module: module ## put the module into nginx's modules (DESTDIR=, MODULES_DIR=/usr/lib/nginx/modules)
	install -D -m 644 $(MODULE) '$(DESTDIR)$(MODULES_DIR)/ngx_http_dispatcher_module.so'

# --- the house ------------------------------------------------------------------------------------------------------

.PHONY: deps deps-slow
deps: ## install the Debian packages that building and testing need, where something is missing
	@t/lib/install-deps

deps-slow: deps ## the same for the slower suites
	@t/lib/install-deps t/lib/deps-slow

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'

# --- in a cluster ---------------------------------------------------------------------------------------------------

# IMG=registry/dispatcher:tag names the image, OVERLAY=name one of deploy/overlays, FORCE=1 answers yes.

.PHONY: install uninstall deploy undeploy run docker-build docker-push manifests kube test-kube
export FORCE OVERLAY

# Goals that are named together go in this order, although make runs others at once: `make install run`, `make docker-build docker-push`.
named = $(filter $(1),$(MAKECMDGOALS))
docker-push: | $(call named,docker-build)
deploy: | $(call named,docker-build docker-push install)
run: | $(call named,install)
uninstall: | $(call named,undeploy)

install: ## store the CustomResourceDefinitions in the cluster of the current context
	@deploy/tool install

uninstall: ## remove them, and with them all JobTemplates and JobExecutions (asks first)
	@deploy/tool uninstall

deploy: ## run IMG in the cluster of the current context, by OVERLAY (default: default)
	@deploy/tool deploy '$(IMG)'

undeploy: ## remove what deploy made; definitions, JobTemplates and JobExecutions stay
	@deploy/tool undeploy

run: deps ## controller and nginx on this machine, for the cluster of the current context, until Ctrl-C
	+$(Q)$(MAKE) $(CONTROLLER) module
	@deploy/run $(B)

docker-build: ## build the image IMG with docker, podman or buildah
	@deploy/image/build build '$(IMG)'

docker-push: ## push it
	@deploy/image/build push '$(IMG)'

manifests: ## write what is generated in deploy/ anew; the definitions from Kubernetes' published OpenAPI document (needs Go)
	@found=$$(t/kube/openapi) && deploy/crd/generate $$found
	@deploy/monitoring/dashboard

kube: ## build a real Kubernetes control plane for the tests (about 7 minutes once; KUBEBUILDER_ASSETS=DIR takes yours)
	@t/kube/build

KUBELET := $(B)/kubelet

# The system tests that run against both, devcluster and a real control plane.
KUBE_SYSTEM := t/controller.t $(wildcard t/path*.t)

$(KUBELET): $(call obj,$(wildcard t/kube/*.c)) $(call lib,devcluster kube model base)
	$(link)

test-kube: kube ## the tests on a real control plane: those of t/kube, and the system tests again
	@t/lib/install-deps t/kube/deps
	+$(Q)$(MAKE) all $(KUBELET)
	DSP_BUILD=$(B) prove --timer $(or $(S),t/kube/*.t)
	$(if $(S),,DSP_KUBE=1 DSP_BUILD=$(B) prove --timer $(KUBE_SYSTEM))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
