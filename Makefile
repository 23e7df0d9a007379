# Every target is a command of tools/dev.py, which makes .venv first where it is missing.
# ARGS passes words on:  make test ARGS="-k tokens"    make execute NOTEBOOK=01_tokens
PYTHON ?= python3
.DEFAULT_GOAL := help
TARGETS := lab app test quick lint style execute site slides handout lite check bench sizes fuzz robust audit setup lock clean help
.PHONY: $(TARGETS)
$(TARGETS):
	@$(PYTHON) tools/needs.py
	@$(PYTHON) tools/dev.py $@ $(NOTEBOOK) $(ARGS)
