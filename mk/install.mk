# SPDX-License-Identifier: BSD-2-Clause
# all = everything that the parts have named; install puts it below $(DESTDIR)$(PREFIX).

all: $(PROGRAMS) $(MODULES) $(SHARE_FILES)

UNITS := $(wildcard sql/registryd/*.service ca/signerd/*.service enroll/enrolld/*.service \
	policies/*.service radius_modules/dispatch/*.service enroll/*.target)

.PHONY: install
install: all ## Install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/pumpgate \
		$(DESTDIR)$(PREFIX)/share/pumpgate $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/sbin/
	install -m 0644 $(MODULES) $(DESTDIR)$(PREFIX)/lib/pumpgate/
	cp -R $(O)/share/pumpgate/. $(DESTDIR)$(PREFIX)/share/pumpgate/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 0644 $(UNITS) $(DESTDIR)$(PREFIX)/lib/systemd/system/
	install -D -m 0644 enroll/pumpgate.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/pumpgate.conf
	install -D -m 0644 enroll/pumpctl/pumpctl.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/pumpctl
	for page in $(MANPAGES); do \
		install -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/; done
