rule measure_information:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        splits=TABLES["splits"].path,
    output:
        **tables_of("measure_information"),
    log:
        "results/{dataset}/logs/measure_information.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("measure_information", SETTINGS),
    params:
        information=section("information"),
        preprocessing=section("preprocessing"),
        columns=columns_of("information"),
        code=code_of("measure_information"),
    message:
        "{wildcards.dataset}: measure the information of the cohort"
    script:
        "../scripts/measure_information.py"


rule measure_splits:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        splits=TABLES["splits"].path,
    output:
        information="results/{dataset}/information.safetensors",
    log:
        "results/{dataset}/logs/measure_splits.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("measure_splits", SETTINGS),
    params:
        information=section("information"),
        preprocessing=section("preprocessing"),
        code=code_of("measure_splits"),
    message:
        "{wildcards.dataset}: measure the information inside every training part"
    script:
        "../scripts/measure_splits.py"
