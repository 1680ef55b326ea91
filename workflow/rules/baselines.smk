rule fit_bases:
    input:
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        bases="results/{dataset}/bases.safetensors",
    log:
        "results/{dataset}/logs/fit_bases.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("fit_bases", SETTINGS),
    params:
        code=code_of("fit_bases"),
    message:
        "{wildcards.dataset}: fit one regression per modality in all folds"
    script:
        "../scripts/fit_bases.py"


rule fit_baseline:
    input:
        unpack(bases_of),
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        predictions="results/{dataset}/methods/{method}/predictions.parquet",
        status="results/{dataset}/methods/{method}/status.json",
    log:
        "results/{dataset}/logs/fit_{method}.log",
    wildcard_constraints:
        method=any_of(SELECTION.unprobed_peers),
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("fit_baseline", SETTINGS),
    params:
        columns=columns_of("predictions"),
        code=code_of("fit_baseline"),
    message:
        "{wildcards.dataset}: fit {wildcards.method} in all folds"
    script:
        "../scripts/fit_baseline.py"


if SELECTION.pools:

    rule fit_pools:
        input:
            bases="results/{dataset}/bases.safetensors",
            samples="results/{dataset}/samples.json",
            splits=TABLES["splits"].path,
            preprocessing="results/{dataset}/preprocessing.safetensors",
        output:
            predictions=outcomes("predictions.parquet", SELECTION.pools),
            status=outcomes("status.json", SELECTION.pools),
            probes=INPUTS.robustness("probes", SELECTION.probed_pools),
            probes_status=INPUTS.robustness("probes", SELECTION.probed_pools, "json"),
        log:
            "results/{dataset}/logs/fit_pools.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            **needs("fit_pools", SETTINGS),
        params:
            methods=list(SELECTION.pools),
            probed=list(SELECTION.probed_pools),
            robustness=of_probes(SELECTION.probed_pools, SETTINGS),
            columns=columns_of("predictions", "probes"),
            code=code_of("fit_pools"),
        message:
            "{wildcards.dataset}: fit experts in all folds, and the methods that pool them"
        script:
            "../scripts/fit_pools.py"
