rule pretrain_distillation:
    input:
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
        information="results/{dataset}/information.safetensors",
        networks=INPUTS.networks_of,
    output:
        **tables_of("pretrain_distillation"),
        parameters="results/{dataset}/pretraining/parameters.safetensors",
        training="results/{dataset}/pretraining/training.parquet",
        status="results/{dataset}/pretraining/status.json",
    log:
        "results/{dataset}/logs/pretrain_distillation.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("pretrain_distillation", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        settings=all_settings(SETTINGS),
        depends=PRETRAINING.depends(SETTINGS),
        distillation=section("distillation"),
        columns=columns_of("plan", "training"),
        code=code_of("pretrain_distillation"),
    message:
        "{wildcards.dataset}: pretrain every modality and distil"
    script:
        "../scripts/pretrain_distillation.py"


rule observe_gains:
    input:
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
        networks=INPUTS.networks_of,
    output:
        **tables_of("observe_gains"),
        status="results/{dataset}/pretraining/gains_status.json",
    log:
        "results/{dataset}/logs/observe_gains.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("observe_gains", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        settings=all_settings(SETTINGS),
        depends=GAINS.depends(SETTINGS),
        distillation=section("distillation"),
        repeats=SETTINGS.robustness.repeats,
        in_full_up_to=SETTINGS.robustness.in_full_up_to,
        columns=columns_of("gains"),
        code=code_of("observe_gains"),
    message:
        "{wildcards.dataset}: observe what every teacher gives to every student"
    script:
        "../scripts/observe_gains.py"


rule train_network:
    input:
        unpack(INPUTS.guidance_of),
        unpack(bases_of),
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
        networks=INPUTS.networks_of,
    output:
        predictions="results/{dataset}/methods/{method}/predictions.parquet",
        training="results/{dataset}/methods/{method}/training.parquet",
        experts="results/{dataset}/methods/{method}/experts.csv",
        status="results/{dataset}/methods/{method}/status.json",
        model="results/{dataset}/methods/{method}/model.safetensors",
        regressions="results/{dataset}/methods/{method}/regressions.safetensors",
    log:
        "results/{dataset}/logs/train_{method}.log",
    wildcard_constraints:
        method=any_of(SELECTION.networks),
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("train_network", SETTINGS),
        gpu=SETTINGS.resources.gpu,
    params:
        settings=all_settings(SETTINGS),
        depends=read_by,
        columns=columns_of("predictions", "training", "experts"),
        code=code_of("train_network"),
    message:
        "{wildcards.dataset}: train {wildcards.method} in all folds"
    script:
        "../scripts/train_network.py"
