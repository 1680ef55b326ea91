rule train_share:
    input:
        cohort="results/{dataset}/cohort.h5mu",
    output:
        predictions="results/{dataset}/robustness/share-{share}.parquet",
        status="results/{dataset}/robustness/share-{share}.json",
    log:
        "results/{dataset}/logs/train_share-{share}.log",
    wildcard_constraints:
        share=any_of(SHARES),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("train_share", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        methods=PROBED,
        settings=all_settings(),
        depends=depends(PROBED, SETTINGS),
        evaluation=section("evaluation"),
        repeats=SETTINGS.robustness.repeats,
        in_full_up_to=SETTINGS.robustness.in_full_up_to,
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
        control=any_of(CONTROLS),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("run_control", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        methods=PROBED,
        settings=all_settings(),
        depends=depends(PROBED, SETTINGS),
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
        method=any_of(PROBED_PEERS),
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("fit_probed_baseline", SETTINGS),
    params:
        robustness=probing(PROBED),
        columns=columns_of("predictions", "probes"),
        code=code_of("fit_probed_baseline"),
    message:
        "{wildcards.dataset}: fit {wildcards.method} in all folds, and probe it with worse test"
        " samples"
    script:
        "../scripts/fit_probed_baseline.py"


rule probe_method:
    input:
        unpack(trained_files),
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
        method=any_of(PROBED_NETWORKS),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("probe_method", SETTINGS),
    params:
        settings=all_settings(),
        depends=read_by,
        robustness=probing(PROBED),
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
        probes=robustness_files("probes", PROBED),
        shares=robustness_files("share", SHARES),
        controls=robustness_files("control", CONTROLS),
        status=robustness_files("probes", PROBED, "json")
        + robustness_files("share", SHARES, "json")
        + robustness_files("control", CONTROLS, "json"),
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
        shares=[share for share in SHARES if PROBED],
        columns=columns_of(*tables_of("evaluate_robustness")),
        code=code_of("evaluate_robustness"),
    message:
        "{wildcards.dataset}: measure what worse and fewer samples do"
    script:
        "../scripts/evaluate_robustness.py"
