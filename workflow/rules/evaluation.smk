rule evaluate_methods:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        predictions=outcomes("predictions.parquet", METHODS),
        status=outcomes("status.json", METHODS),
        training=histories(),
    output:
        predictions="results/{dataset}/predictions.parquet",
        performance="results/{dataset}/tables/performance.csv",
        comparisons="results/{dataset}/tables/comparisons.csv",
        training="results/{dataset}/tables/training.parquet",
        methods="results/{dataset}/tables/methods.csv",
    log:
        "results/{dataset}/logs/evaluate_methods.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        code=code_of("evaluate_methods"),
    message:
        "{wildcards.dataset}: compare the methods"
    script:
        "../scripts/evaluate_methods.py"
