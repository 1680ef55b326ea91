rule evaluate_methods:
    input:
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        predictions=outcomes("predictions.parquet", SELECTION.methods),
        status=outcomes("status.json", SELECTION.methods),
        training=INPUTS.histories(),
        experts=outcomes("experts.csv", SELECTION.networks),
    output:
        **tables_of("evaluate_methods"),
    log:
        "results/{dataset}/logs/evaluate_methods.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        primary_metric=SETTINGS.primary_metric.value,
        columns=columns_of(*tables_of("evaluate_methods")),
        code=code_of("evaluate_methods"),
    message:
        "{wildcards.dataset}: compare the methods"
    script:
        "../scripts/evaluate_methods.py"


rule compare_gains:
    input:
        splits=TABLES["splits"].path,
        information=TABLES["information"].path,
        gains=TABLES["gains"].path,
    output:
        **tables_of("compare_gains"),
    log:
        "results/{dataset}/logs/compare_gains.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        columns=columns_of(*tables_of("compare_gains")),
        code=code_of("compare_gains"),
    message:
        "{wildcards.dataset}: put predicted and observed gains of distillation side by side"
    script:
        "../scripts/compare_gains.py"


rule assess_trust:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
        predictions=TABLES["predictions"].path,
        information=TABLES["information"].path,
        controls=TABLES["controls"].path,
    output:
        **tables_of("assess_trust"),
    log:
        "results/{dataset}/logs/assess_trust.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("assess_trust", SETTINGS),
    params:
        evaluation=section("evaluation"),
        label_from=lambda wildcards: DATASETS[wildcards.dataset].label_from,
        columns=columns_of(*tables_of("assess_trust")),
        code=code_of("assess_trust"),
    message:
        "{wildcards.dataset}: check what the verdicts rest on"
    script:
        "../scripts/assess_trust.py"
