rule assemble_cohort:
    input:
        unpack(files_of),
    output:
        cohort="results/{dataset}/cohort.h5mu",
    log:
        "results/{dataset}/logs/assemble_cohort.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        dataset=lambda wildcards: DATASETS[wildcards.dataset].model_dump(mode="json"),
        contents=contents_of,
        folds=SETTINGS.evaluation.fixed_folds,
        code=code_of("assemble_cohort"),
    message:
        "{wildcards.dataset}: assemble the cohort"
    script:
        "../scripts/assemble_cohort.py"


rule split_cohort:
    input:
        cohort="results/{dataset}/cohort.h5mu",
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
