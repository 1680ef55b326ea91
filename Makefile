# make run, make test: everything else happens by itself. `make help` lists the targets.
PYTHON ?= python3
CORES ?= all
# envs/install.py says the same pin. Another build of torch, as its install selector names it:
#   make install TORCH="torch==2.13.0 --index-url <address that the selector gives>"
TORCH ?= torch==2.13.0
# The page of which `make picture` shows the head, and what opens it.
PAGE ?= results/tcga-brca/report.html
CHROMIUM ?= chromium
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(PYTHON) envs/install.py --torch "$(TORCH)"
# Processes that run tests, one thread and up to a gigabyte each: as many as cores, at most four.
WORKERS ?= auto
# The phase of the study: confirm, rules, parts, tune, experts, planted or transfer.
PHASE ?= confirm
# The cohorts of the last three: a configuration, of which the datasets count.
COHORTS ?= benchmarks/experts.yaml
# What benchmark-scale measures: SCALE="--axis n --largest 5000"; all sizes unless set.
SCALE ?=
# Where benchmark-training computes: cpu or cuda.
DEVICE ?= cpu

.DEFAULT_GOAL := help
.PHONY: help run test lint format install schema report picture clean
.PHONY: benchmark-information benchmark-complementarity benchmark-training benchmark-verdicts benchmark-access benchmark-scale benchmark-prediction benchmark-page study

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-25s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.run ## run TCGA-BRCA, after installing what that needs
	@echo "balmi: running the shipped configuration, about a quarter of an hour of processor time; it says where the reports are"
	$(BIN)/snakemake --cores $(CORES)

test: $(VENV)/.test ## run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile

lint: $(VENV)/.test ## check style, types and workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow benchmarks
	$(BIN)/snakemake --lint

format: $(VENV)/.test ## format Python and Snakemake files
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflow benchmarks

install: $(VENV)/.test ## install all into .venv, and run nothing
	@echo "installed into $(VENV); run $(BIN)/snakemake --cores 2 --configfile my.yaml"

schema: $(VENV)/.run ## write the schema and the manual's tables
	PYTHONPATH=workflow $(BIN)/python -m balmi.config.document

report: $(VENV)/.run ## pack the reports into results/report.zip
	$(BIN)/snakemake --cores 1 --report results/report.zip

picture: $(VENV)/.run ## take the picture of the README (Chromium)
	$(CHROMIUM) --headless --no-sandbox --hide-scrollbars --window-size=1280,720 \
	  --screenshot=docs/report.png "file://$(CURDIR)/$(PAGE)"
	$(BIN)/python -c 'from PIL import Image; Image.open("docs/report.png").convert("RGB").quantize(128, method=1, dither=0).save("docs/report.png", optimize=True)'

benchmark-information: $(VENV)/.run ## estimates against known truths (hours)
	$(BIN)/snakemake --cores $(CORES) results/tcga-brca/cohort.h5mu
	PYTHONPATH=workflow $(BIN)/python benchmarks/information.py

benchmark-complementarity: $(VENV)/.run ## distillation against the margin (minutes)
	PYTHONPATH=workflow $(BIN)/python benchmarks/complementarity.py

benchmark-training: $(VENV)/.run ## replicas together; DEVICE=cuda on a GPU
	$(BIN)/snakemake --cores $(CORES) results/tcga-brca/cohort.h5mu
	OMP_NUM_THREADS=1 PYTHONPATH=workflow $(BIN)/python benchmarks/training.py --device $(DEVICE)

benchmark-access: $(VENV)/.run ## where the signal is said to lie (an hour)
	OMP_NUM_THREADS=1 PYTHONPATH=workflow $(BIN)/python benchmarks/access.py

benchmark-prediction: $(VENV)/.run ## what predicting new samples takes (minutes)
	OMP_NUM_THREADS=1 PYTHONPATH=workflow $(BIN)/python benchmarks/newcomers.py

benchmark-page: $(VENV)/.test ## how long PAGE takes to load (Chromium, seconds)
	$(BIN)/python benchmarks/loading.py $(PAGE)

benchmark-verdicts: $(VENV)/.run ## count wrong headlines (four hours)
	PYTHONPATH=workflow $(BIN)/python benchmarks/verdicts.py

benchmark-scale: $(VENV)/.run ## seconds and memory by size (hours)
	OMP_NUM_THREADS=1 PYTHONPATH=workflow $(BIN)/python benchmarks/scale.py $(SCALE)

study: $(VENV)/.run ## the default, its parts and peers (hours)
ifneq ($(filter experts planted transfer,$(PHASE)),)
	$(BIN)/snakemake --cores $(CORES) --configfile $(COHORTS) --until assemble_cohort
	OMP_NUM_THREADS=1 PYTHONPATH=workflow $(BIN)/python benchmarks/$(PHASE).py $(COHORTS)
else
	@echo "study: phase $(PHASE) of benchmarks/study.yaml; an interrupted run continues"
	PYTHONPATH=workflow:benchmarks $(BIN)/snakemake --snakefile benchmarks/study/Snakefile \
	  --workflow-profile workflow/profiles/default --cores $(CORES) --keep-going --config phase=$(PHASE)
endif

clean: ## remove results and .venv, but no downloads
	rm -rf $(VENV) .snakemake
	find results -mindepth 1 ! -name .gitkeep -delete

# Says what it does, what stands in its way, and what to do then.
$(VENV)/.run: envs/requirements.txt envs/install.py
	@command -v $(PYTHON) >/dev/null || { echo "balmi: there is no $(PYTHON) here, and balmi needs Python" \
	  "3.11 or later: install one (apt, conda, or \`module load python\`) or name it, make PYTHON=<path>" >&2; exit 1; }
	@$(INSTALL) run
	@touch $@

$(VENV)/.test: envs/requirements-test.txt $(VENV)/.run
	@$(INSTALL) test
	@touch $@
