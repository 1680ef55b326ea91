rule build_report:
    input:
        PREDICTED.concluded,
        **INPUTS.report(),
    output:
        html=report(
            "results/{dataset}/report.html",
            caption="../report/report.rst",
            category="Datasets",
            labels={"dataset": "{dataset}"},
        ),
        view="results/{dataset}/view.json",
        figures=directory("results/{dataset}/figures"),
    log:
        "results/{dataset}/logs/build_report.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(15),
    params:
        settings=all_settings(SETTINGS),
        depends=of_report(SETTINGS),
        dataset=SOURCES.configured,
        title=lambda wildcards: SOURCES.about(wildcards, "title"),
        licence=lambda wildcards: SOURCES.about(wildcards, "licence"),
        tables=INPUTS.shown(),
        undrawn=undrawn(),
        code=code_of("build_report"),
    message:
        "{wildcards.dataset}: build the report and save its figures"
    script:
        "../scripts/build_report.py"


rule build_overview:
    input:
        views=expand("results/{dataset}/view.json", dataset=SETTINGS.datasets),
    output:
        html=report(
            "results/overview.html",
            caption="../report/overview.rst",
            category="Overview",
        ),
    log:
        "results/overview.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        code=code_of("build_overview"),
    message:
        "build the overview of all datasets"
    script:
        "../scripts/build_overview.py"
