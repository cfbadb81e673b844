# SPDX-License-Identifier: BSD-2-Clause
# Unit tests: tests/unit/FOLDER/test_NAME.c is one program, declared in tests/unit/FOLDER/part.mk.
# System and abuse tests: tests/system/*.sh, tests/abuse/*.sh, run as they are.
include $(wildcard tests/unit/*/part.mk tests/fuzz/part.mk tests/bench/part.mk tests/support/part.mk \
	tests/races/part.mk)

SCRIPT_TESTS := $(sort $(wildcard tests/system/*.sh tests/abuse/*.sh))

# Those that are worth it with sanitized daemons: many clients, bad input, kills.
SANITIZED_TESTS := $(addprefix tests/system/,$(addsuffix .sh,agent_enrol dispatch_receipt est_clients \
	pumpctl_verbs radius_auth registry_durable registry_peers signer uid_separation)) \
	tests/abuse/est_http.sh tests/abuse/storm.sh

.PHONY: run-check run-check-radio run-check-boot run-unit run-sanitized run-demo run-bench
run-unit: $(PROGRAMS) $(TESTS)
	@tests/run.sh $(O) $(TESTS)

run-sanitized: $(PROGRAMS)
	@$(MAKE) --no-print-directory SAN= O=build all $(patsubst $(O)/%,build/%,$(TOOLS))
	@tests/sanitized.sh $(O) build $(SANITIZED_TESTS)

run-check: all $(TESTS) $(TOOLS)
	@tests/run.sh $(O) $(TESTS) $(SCRIPT_TESTS)

run-check-radio: all
	@PUMPGATE_BUILD=$(O) tests/radio/radio.sh

run-check-boot: all
	@PUMPGATE_BUILD=$(O) tests/boot/boot.sh

run-demo: all $(TOOLS)
	@PUMPGATE_BUILD=$(O) tests/demo/demo.sh

run-bench: all $(TOOLS)
	@PUMPGATE_BUILD=$(O) tests/bench/bench.sh

.PHONY: soak
soak: all $(TOOLS) ## Race revocations against authentications for MINUTES (10); SEED=N to replay
	@PUMPGATE_BUILD=$(O) RACES_MINUTES=$(or $(MINUTES),10) tests/system/revocation_races.sh

.PHONY: fuzz fuzz-run
fuzz: ## Fuzz every parser with libFuzzer, FUZZ_S seconds each (T=NAME: only those)
	@$(MAKE) --no-print-directory CC=clang SAN=fuzzer-no-link,address,undefined O=build-fuzz fuzz-run

fuzz-run: $(FUZZERS)
	@tests/fuzz/fuzz.sh $(FUZZERS)
