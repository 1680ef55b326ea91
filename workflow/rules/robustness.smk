rule train_share:
    input:
        cohort="results/{dataset}/cohort.h5mu",
    output:
        predictions="results/{dataset}/robustness/share-{share}.parquet",
        status="results/{dataset}/robustness/share-{share}.json",
    log:
        "results/{dataset}/logs/train_share-{share}.log",
    wildcard_constraints:
        share=any_of(SELECTION.shares),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("train_share", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        methods=list(SELECTION.probed),
        settings=all_settings(SETTINGS),
        depends=depends(SELECTION.probed, SETTINGS),
        evaluation=section("evaluation"),
        repeats=SETTINGS.robustness.repeats,
        in_full_up_to=SETTINGS.robustness.in_full_up_to,
        outer=lambda wildcards: SETTINGS.robustness.is_outer(float(wildcards.share)),
        columns=columns_of("predictions"),
        code=code_of("train_share"),
    message:
        "{wildcards.dataset}: train on {wildcards.share} of the training samples"
    script:
        "../scripts/train_share.py"


rule run_control:
    input:
        cohort="results/{dataset}/cohort.h5mu",
        splits=TABLES["splits"].path,
    output:
        predictions="results/{dataset}/robustness/control-{control}.parquet",
        status="results/{dataset}/robustness/control-{control}.json",
    log:
        "results/{dataset}/logs/run_control-{control}.log",
    wildcard_constraints:
        control=any_of(SELECTION.controls),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("run_control", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        methods=list(SELECTION.probed),
        settings=all_settings(SETTINGS),
        depends=depends(SELECTION.probed, SETTINGS),
        evaluation=section("evaluation"),
        repeats=SETTINGS.robustness.repeats,
        in_full_up_to=SETTINGS.robustness.in_full_up_to,
        seed=SETTINGS.robustness.seed,
        columns=columns_of("predictions"),
        code=code_of("run_control"),
    message:
        "{wildcards.dataset}: negative control {wildcards.control}"
    script:
        "../scripts/run_control.py"


rule fit_probed_baseline:
    input:
        unpack(bases_of),
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        predictions="results/{dataset}/methods/{method}/predictions.parquet",
        status="results/{dataset}/methods/{method}/status.json",
        probes=TABLES["probes"].path,
        probes_status="results/{dataset}/robustness/probes-{method}.json",
    log:
        "results/{dataset}/logs/fit_{method}.log",
    wildcard_constraints:
        method=any_of(SELECTION.probed_peers),
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("fit_probed_baseline", SETTINGS),
    params:
        robustness=of_probes(SELECTION.probed, SETTINGS),
        columns=columns_of("predictions", "probes"),
        code=code_of("fit_probed_baseline"),
    message:
        "{wildcards.dataset}: fit {wildcards.method} in all folds, and probe it with worse test"
        " samples"
    script:
        "../scripts/fit_probed_baseline.py"


rule probe_method:
    input:
        unpack(INPUTS.trained),
        unpack(bases_of),
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        **tables_of("probe_method"),
        status="results/{dataset}/robustness/probes-{method}.json",
    log:
        "results/{dataset}/logs/probe_{method}.log",
    wildcard_constraints:
        method=any_of(SELECTION.probed_networks),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("probe_method", SETTINGS),
    params:
        settings=all_settings(SETTINGS),
        depends=read_by,
        robustness=of_probes(SELECTION.probed, SETTINGS),
        columns=columns_of("probes"),
        code=code_of("probe_method"),
    message:
        "{wildcards.dataset}: probe {wildcards.method} with worse test samples"
    script:
        "../scripts/probe_method.py"


rule evaluate_robustness:
    input:
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
        predictions=TABLES["predictions"].path,
        probes=INPUTS.robustness("probes", SELECTION.probed),
        shares=INPUTS.robustness("share", SELECTION.shares),
        controls=INPUTS.robustness("control", SELECTION.controls),
        status=INPUTS.robustness("probes", SELECTION.probed, "json")
        + INPUTS.robustness("share", SELECTION.shares, "json")
        + INPUTS.robustness("control", SELECTION.controls, "json"),
    output:
        **tables_of("evaluate_robustness"),
    log:
        "results/{dataset}/logs/evaluate_robustness.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        robustness=section("robustness"),
        primary_metric=SETTINGS.primary_metric.value,
        shares=list(SELECTION.shares) if SELECTION.probed else [],
        columns=columns_of(*tables_of("evaluate_robustness")),
        code=code_of("evaluate_robustness"),
    message:
        "{wildcards.dataset}: measure what worse and fewer samples do"
    script:
        "../scripts/evaluate_robustness.py"
