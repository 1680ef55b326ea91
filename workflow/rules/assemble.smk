rule assemble_cohort:
    input:
        unpack(files_of),
    output:
        cohort="results/{dataset}/cohort.h5mu",
        samples="results/{dataset}/samples.json",
    log:
        "results/{dataset}/logs/assemble_cohort.log",
    # Cells are checked here: a wrong one is to end a run before anything is trained.
    priority: 1
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=memory_to_read,
        runtime=growing(30),
    params:
        # Where the label comes from is said of the cohort, and changes nothing in it.
        dataset=lambda wildcards: DATASETS[wildcards.dataset].model_dump(
            mode="json", exclude={"label_from"}
        ),
        contents=contents_of,
        folds=SETTINGS.evaluation.fixed_folds,
        code=code_of("assemble_cohort"),
    message:
        "{wildcards.dataset}: assemble the cohort"
    script:
        "../scripts/assemble_cohort.py"


rule split_cohort:
    input:
        samples="results/{dataset}/samples.json",
    output:
        **tables_of("split_cohort"),
    log:
        "results/{dataset}/logs/split_cohort.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        evaluation=section("evaluation"),
        columns=columns_of("splits"),
        code=code_of("split_cohort"),
    message:
        "{wildcards.dataset}: split into folds"
    script:
        "../scripts/split_cohort.py"


rule fit_preprocessing:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        splits=TABLES["splits"].path,
    output:
        preprocessing="results/{dataset}/preprocessing.safetensors",
    log:
        "results/{dataset}/logs/fit_preprocessing.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("fit_preprocessing", SETTINGS),
    params:
        preprocessing=section("preprocessing"),
        code=code_of("fit_preprocessing"),
    message:
        "{wildcards.dataset}: learn how to preprocess in every fold"
    script:
        "../scripts/fit_preprocessing.py"
