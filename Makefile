# The tool for people: make; make install PREFIX=/usr/local, with its manual pages and its completions; make uninstall.
#
# DESTDIR stands before every path, for packagers. Swift's own libraries are in the program, so that it runs without a toolchain.
PREFIX ?= /usr/local
DESTDIR ?=

flags = -c release --product ipc --static-swift-stdlib
root = $(DESTDIR)$(PREFIX)
made = .build/install
completions = $(root)/share/bash-completion/completions/ipc $(root)/share/zsh/site-functions/_ipc \
	$(root)/share/fish/vendor_completions.d/ipc.fish

.PHONY: all install uninstall

all:
	swift build $(flags)
	rm -rf $(made)
	mkdir -p $(made)
	cp "$$(swift build $(flags) --show-bin-path)/ipc" $(made)/ipc
	Scripts/manual $(made)/ipc $(made)/man1
	for shell in bash zsh fish; do $(made)/ipc --generate-completion-script $$shell >$(made)/$$shell || exit; done

install: all
	install -D -s -m 755 $(made)/ipc $(root)/bin/ipc
	install -d $(root)/share/man/man1
	install -m 644 $(made)/man1/*.1 $(root)/share/man/man1
	install -D -m 644 $(made)/bash $(word 1,$(completions))
	install -D -m 644 $(made)/zsh $(word 2,$(completions))
	install -D -m 644 $(made)/fish $(word 3,$(completions))

uninstall:
	rm -f $(root)/bin/ipc $(root)/share/man/man1/ipc.1 $(root)/share/man/man1/ipc-*.1 $(completions)
