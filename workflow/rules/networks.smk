rule fuse_networks:
    input:
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        networks="results/{dataset}/networks.parquet",
    log:
        "results/{dataset}/logs/fuse_networks.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        **needs("fuse_networks", SETTINGS),
    params:
        graph=section("graph"),
        code=code_of("fuse_networks"),
    message:
        "{wildcards.dataset}: fuse similarity networks"
    script:
        "../scripts/fuse_networks.py"
