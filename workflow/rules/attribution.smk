rule attribute_features:
    input:
        **INPUTS.attributed(),
        samples="results/{dataset}/samples.json",
        splits=TABLES["splits"].path,
        preprocessing="results/{dataset}/preprocessing.safetensors",
    output:
        **tables_of("attribute_features"),
        status="results/{dataset}/attribution/status.json",
    log:
        "results/{dataset}/logs/attribute_features.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("attribute_features", SETTINGS),
    params:
        settings=all_settings(SETTINGS),
        depends=NETWORKS["balanced"].depends(SETTINGS),
        attribution=section("attribution"),
        columns=columns_of(*tables_of("attribute_features")),
        code=code_of("attribute_features"),
    message:
        "{wildcards.dataset}: attribute what the networks say to features"
    script:
        "../scripts/attribute_features.py"
