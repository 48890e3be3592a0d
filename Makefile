# The two commands a newcomer needs are `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
PY := .venv/bin/python
DATA ?= var/demo

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test check bench corpus coverage crash mutants tamper races approvals auction bid-races scale histories rule-mutants properties judges fuzz i18n screenshots pages lock clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/.core: pyproject.toml constraints.txt
	@scripts/install core

.venv/.dev: pyproject.toml constraints.txt
	@scripts/install dev

demo: .venv/.core ## install, then start the hub with a worked deal on http://127.0.0.1:8000
	@exec $(PY) -m tradehub demo --data $(DATA)

demo-reset: ## forget the demo's data, so that the next `make demo` starts over
	rm -rf -- $(DATA)

test: .venv/.dev ## install what is needed and run everything: format, lint, types, contracts, tests
	@scripts/check all

check: .venv/.dev ## the same without the browser and PostgreSQL runs
	@scripts/check quick

bench: .venv/.dev ## compare speed with pyx12, ansi-x12, pydifact and Bots, where it is at hand, by turns, in one run (docs/performance.md)
	@$(PY) benchmarks/bench.py

corpus: .venv/.dev ## read every sample file in ../shared/samples and print the table of verdicts
	@$(PY) benchmarks/corpus.py

coverage: .venv/.dev ## measure which lines and branches of the EDI engine the tests reach; fail where it falls
	@$(PY) -m pytest -q -n 2 -p no:cacheprovider tests/edi tests/cli tests/exchange/test_anatomy.py tests/partners/test_guide_check.py \
	  --timeout 900 --cov=tradehub.edi --cov-branch --cov-report=term-missing:skip-covered

mutants: .venv/.dev ## make the EDI engine wrong in one place at a time: a test must notice (docs/judges.md)
	@$(PY) -m tests.edi.mutants

crash: .venv/.dev ## kill -9 web and worker at 100 random moments of an inbound 850
	@$(PY) -m pytest -q -p no:cacheprovider tests/reliability --kills 100 --timeout 3000

tamper: .venv/.dev ## tamper with evidence archives in 20,000 ways: each is refused with the record that was changed
	@$(PY) -m pytest -q -p no:cacheprovider tests/contracting/test_evidence.py --tampered 20000 --timeout 3000

scale: .venv/.dev ## open a deal of 1,000 rounds over 500 lines, and the work list of 100,000 deals
	@$(PY) -m pytest -q -p no:cacheprovider tests/negotiation/test_listing.py -k 'long or quick or index' --rounds 1000 --lines 500 --deals 100000 --timeout 3000

approvals: .venv/.dev ## look at the pages of approvals in every mode, and approve at once from two processes, 200 times
	@TRADEHUB_SCREENSHOTS=var/pictures $(PY) -m pytest -q -p no:cacheprovider tests/browser/test_approvals.py
	@$(PY) -m pytest -q -p no:cacheprovider tests/approvals/test_service.py -k at_once --approvals 200 --timeout 3000

auction: .venv/.dev ## let 200 bidders watch one auction on the real server: the time from a bid to every screen
	@$(PY) -m tests.sourcing.auctions.crowd --bidders 200

bid-races: .venv/.dev ## bid from two processes at once for one last increment, 200 times, on each database
	@$(PY) -m pytest -q -p no:cacheprovider tests/sourcing/auctions/test_race.py --auction-races 200 --timeout 3000
races: .venv/.dev ## say two things of one offer from two processes at once: 5 pairs, 200 times each, on each database
	@$(PY) -m pytest -q -p no:cacheprovider tests/negotiation/test_race.py --races 200 --timeout 3000

histories: .venv/.dev ## hold the rules of formation to their properties, and to a second model, on 3,000 random histories each
	@$(PY) -m pytest -q -n 2 -p no:cacheprovider tests/negotiation/test_histories.py tests/negotiation/test_reference.py \
	  --histories 3000 --timeout 3000

rule-mutants: .venv/.dev ## make the rules of formation wrong in one place each: a test must notice every time
	@$(PY) -m tests.negotiation.mutants

properties: .venv/.dev ## hold every map to the engine's properties, on 2,000 made-up messages each
	@$(PY) -m pytest -q -n 2 -p no:cacheprovider tests/edi/test_properties_made.py --examples 2000 --timeout 3000

judges: .venv/.dev ## ask pyx12 about 20,000 mutated messages: each difference has its rule
	@$(PY) -m pytest -q -n 2 -p no:cacheprovider tests/edi/test_judges.py --judged 20000 --timeout 6000

fuzz: .venv/.dev ## read any bytes for FUZZ_SECONDS (an hour unless told), under atheris
	@$(PY) -m pip install -q 'atheris>=3' && $(PY) -m tests.edi.fuzzing --seconds $${FUZZ_SECONDS:-3600}

i18n: .venv/.dev ## collect the texts of all pages into the catalogues
	@$(PY) -m tradehub.web.i18n update

screenshots: .venv/.dev ## photograph the pages into docs/images
	@TRADEHUB_SCREENSHOTS=docs/images $(PY) -m pytest -q -p no:cacheprovider tests/browser/test_main_job.py
	@TRADEHUB_SCREENSHOTS=var/pictures $(PY) -m pytest -q -p no:cacheprovider -k 'sound and light-en' tests/browser/test_auctions.py tests/browser/test_contract.py
	@cp var/pictures/auction-room-light-en-1440.png docs/images/auction.png
	@cp var/pictures/contract-light-en-1440.png docs/images/contract.png

pages: .venv/.dev ## look at every page in both languages, light and dark, wide and narrow
	@$(PY) -m pytest -q -n 2 --dist loadfile -p no:cacheprovider -m browser

lock: ## resolve the dependencies anew into constraints.txt
	uv pip compile -q --all-extras --python-version 3.11 --no-header pyproject.toml -o constraints.txt

clean: ## remove what was installed and built
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
