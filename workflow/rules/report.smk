def report_files(wildcards):
    """Return the files that the report of a dataset is made of."""
    tables = [
        "summary",
        "performance",
        "class_performance",
        "comparisons",
        "reliability",
    ]
    tables += ["curves", "trust", "information", "experts", "methods", "robustness"]
    tables += [
        "robustness_status",
        "controls",
        "contributions",
        "embedding",
        "attribution",
    ]
    tables += ["attribution_modalities"]
    files = {name: f"results/{{dataset}}/tables/{name}.csv" for name in tables}
    files["cohort"] = "results/{dataset}/cohort.h5mu"
    files["predictions"] = "results/{dataset}/predictions.parquet"
    files["training"] = "results/{dataset}/tables/training.parquet"
    return files | plan_of(wildcards)


rule build_report:
    input:
        unpack(report_files),
    output:
        html=report(
            "results/{dataset}/report.html",
            caption="../report/report.rst",
            category="Datasets",
            labels={"dataset": "{dataset}"},
        ),
        view="results/{dataset}/view.json",
    log:
        "results/{dataset}/logs/build_report.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(15),
    params:
        settings=SETTINGS.model_dump(mode="json", exclude={"datasets"}),
        dataset=configured,
        title=lambda wildcards: about(wildcards, "title"),
        licence=lambda wildcards: about(wildcards, "licence"),
        code=code_of("build_report"),
    message:
        "{wildcards.dataset}: build the report"
    script:
        "../scripts/build_report.py"


rule save_figures:
    input:
        unpack(report_files),
    output:
        directory("results/{dataset}/figures"),
    log:
        "results/{dataset}/logs/save_figures.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(15),
    params:
        settings=SETTINGS.model_dump(mode="json", exclude={"datasets"}),
        dataset=configured,
        code=code_of("save_figures"),
    message:
        "{wildcards.dataset}: save the figures"
    script:
        "../scripts/save_figures.py"


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
    conda:
        "../../envs/analysis.yaml"
    params:
        code=code_of("build_overview"),
    message:
        "build the overview of all datasets"
    script:
        "../scripts/build_overview.py"
