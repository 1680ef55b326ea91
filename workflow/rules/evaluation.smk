rule evaluate_methods:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        predictions=outcomes("predictions.parquet", METHODS),
        status=outcomes("status.json", METHODS),
        training=histories(),
        experts=outcomes("experts.csv", NETWORK_METHODS),
    output:
        predictions="results/{dataset}/predictions.parquet",
        performance="results/{dataset}/tables/performance.csv",
        comparisons="results/{dataset}/tables/comparisons.csv",
        class_performance="results/{dataset}/tables/class_performance.csv",
        summary="results/{dataset}/tables/summary.csv",
        reliability="results/{dataset}/tables/reliability.csv",
        curves="results/{dataset}/tables/curves.csv",
        training="results/{dataset}/tables/training.parquet",
        experts="results/{dataset}/tables/experts.csv",
        methods="results/{dataset}/tables/methods.csv",
    log:
        "results/{dataset}/logs/evaluate_methods.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        training_share=SETTINGS.evaluation.training_share,
        code=code_of("evaluate_methods"),
    message:
        "{wildcards.dataset}: compare the methods"
    script:
        "../scripts/evaluate_methods.py"


rule compare_gains:
    input:
        splits="results/{dataset}/splits.parquet",
        information="results/{dataset}/tables/information.csv",
        gains="results/{dataset}/pretraining/gains.parquet",
    output:
        complementarity="results/{dataset}/tables/complementarity.csv",
    log:
        "results/{dataset}/logs/compare_gains.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        training_share=SETTINGS.evaluation.training_share,
        code=code_of("compare_gains"),
    message:
        "{wildcards.dataset}: put predicted and observed gains of distillation side by side"
    script:
        "../scripts/compare_gains.py"


rule assess_trust:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        splits="results/{dataset}/splits.parquet",
        predictions="results/{dataset}/predictions.parquet",
        information="results/{dataset}/tables/information.csv",
        controls="results/{dataset}/tables/controls.csv",
    output:
        trust="results/{dataset}/tables/trust.csv",
        absence="results/{dataset}/tables/absence.csv",
    log:
        "results/{dataset}/logs/assess_trust.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        max_features=SETTINGS.preprocessing.max_features,
        evaluation=section("evaluation"),
        code=code_of("assess_trust"),
    message:
        "{wildcards.dataset}: check what the verdicts rest on"
    script:
        "../scripts/assess_trust.py"
