# SPDX-License-Identifier: BSD-2-Clause
# Checks that read the source and do not run it.

C_FILES := $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
SH_FILES := $(shell git ls-files --cached --others --exclude-standard '*.sh' .ci/run)

.PHONY: lint format
lint: ## Layers, format, shell scripts, man pages, systemd units
	tests/lint/layers.sh
	clang-format --dry-run --Werror $(C_FILES)
	shellcheck -x $(SH_FILES)
	mandoc -T lint -W warning $(MANPAGES)
	systemd-analyze security --offline=true --no-pager --threshold=25 \
		$(filter %.service,$(UNITS)) >/dev/null

format: ## Rewrite C files in the committed format
	clang-format -i $(C_FILES)
