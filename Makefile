# The tool for people: make; make install PREFIX=/usr/local, with its manual pages and its completions; make uninstall.
#
# DESTDIR stands before every path, for packagers. Swift's own libraries are in the program, so that it runs without a toolchain. What
# was made is only copied, so `make && sudo make install` builds nothing as root.
PREFIX ?= /usr/local
DESTDIR ?=

flags = -c release --product ipc --static-swift-stdlib
made = .build/install
share = "$(DESTDIR)$(PREFIX)"/share

.PHONY: all install uninstall

all:
	swift build $(flags)
	rm -rf $(made)
	mkdir -p $(made)
	tool="$$(swift build $(flags) --show-bin-path)/ipc" && Scripts/manual "$$tool" $(made)/man1 && \
		for shell in bash zsh fish; do "$$tool" --generate-completion-script $$shell >$(made)/$$shell || exit; done && \
		cp "$$tool" $(made)/ipc

$(made)/ipc:
	$(MAKE) all

install: $(made)/ipc
	install -D -s -m 755 $(made)/ipc "$(DESTDIR)$(PREFIX)"/bin/ipc
	install -d $(share)/man/man1
	install -m 644 $(made)/man1/*.1 $(share)/man/man1
	install -D -m 644 $(made)/bash $(share)/bash-completion/completions/ipc
	install -D -m 644 $(made)/zsh $(share)/zsh/site-functions/_ipc
	install -D -m 644 $(made)/fish $(share)/fish/vendor_completions.d/ipc.fish

# What is there of the pages that this version has.
uninstall: $(made)/ipc
	rm -f "$(DESTDIR)$(PREFIX)"/bin/ipc $(share)/bash-completion/completions/ipc $(share)/zsh/site-functions/_ipc
	rm -f $(share)/fish/vendor_completions.d/ipc.fish
	cd $(made)/man1 && for page in *.1; do rm -f $(share)/man/man1/$$page || exit; done
