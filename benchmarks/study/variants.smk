"""The workflow's rules of networks, with paths and settings of their own for every variant."""


rule fuse_networks:
    input:
        samples="results/{dataset}/samples.json",
        splits="results/{dataset}/splits.parquet",
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        networks="results/{dataset}/graphs/{graph}/networks.parquet",
    log:
        "results/{dataset}/logs/fuse_networks_{graph}.log",
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        graph=section("graph"),
        code=code_of("fuse_networks"),
    message:
        "{wildcards.dataset}: fuse similarity networks"
    script:
        "../../workflow/scripts/fuse_networks.py"


rule pretrain_distillation:
    input:
        samples="results/{dataset}/samples.json",
        splits="results/{dataset}/splits.parquet",
        preprocessing="results/{dataset}/preprocessing.safetensors",
        information="results/{dataset}/information.safetensors",
        networks=networks_of,
    output:
        parameters="results/{dataset}/pretraining/{pretraining}/parameters.safetensors",
        training="results/{dataset}/pretraining/{pretraining}/training.parquet",
        plan="results/{dataset}/pretraining/{pretraining}/plan.csv",
        status="results/{dataset}/pretraining/{pretraining}/status.json",
    log:
        "results/{dataset}/logs/pretrain_{pretraining}.log",
    resources:
        gpu=SETTINGS.resources.gpu,
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        settings=sections("model", "training", "distillation"),
        code=code_of("pretrain_distillation"),
    message:
        "{wildcards.dataset}: pretrain every modality and distil ({wildcards.pretraining})"
    script:
        "../../workflow/scripts/pretrain_distillation.py"


rule train_network:
    input:
        unpack(guidance_of),
        unpack(bases_of),
        samples="results/{dataset}/samples.json",
        splits="results/{dataset}/splits.parquet",
        preprocessing="results/{dataset}/preprocessing.safetensors",
        networks=networks_of,
    output:
        predictions="results/{dataset}/variants/{variant}/{method}/predictions.parquet",
        training="results/{dataset}/variants/{variant}/{method}/training.parquet",
        experts="results/{dataset}/variants/{variant}/{method}/experts.csv",
        status="results/{dataset}/variants/{variant}/{method}/status.json",
        model=temp("results/{dataset}/variants/{variant}/{method}/model.safetensors"),
        regressions=temp(
            "results/{dataset}/variants/{variant}/{method}/regressions.safetensors"
        ),
    log:
        "results/{dataset}/logs/train_{variant}_{method}.log",
    wildcard_constraints:
        method=any_of(NETWORK_METHODS),
    resources:
        gpu=SETTINGS.resources.gpu,
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        settings=sections("model", "training"),
        code=code_of("train_network"),
    message:
        "{wildcards.dataset}: train {wildcards.variant} in all folds"
    script:
        "../../workflow/scripts/train_network.py"
