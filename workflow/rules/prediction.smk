rule fit_final_model:
    input:
        cohort="results/{dataset}/cohort.h5mu",
    output:
        model="results/{dataset}/model/model.json",
        arrays="results/{dataset}/model/arrays.safetensors",
    log:
        "results/{dataset}/logs/fit_final_model.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **needs("fit_final_model", SETTINGS),
    params:
        settings=all_settings(SETTINGS),
        depends=of_final_model(SETTINGS),
        code=code_of("fit_final_model"),
    message:
        "{wildcards.dataset}: train the final model on all samples"
    script:
        "../scripts/fit_final_model.py"


rule describe_model:
    input:
        model="results/{dataset}/model/model.json",
        arrays="results/{dataset}/model/arrays.safetensors",
        samples="results/{dataset}/samples.json",
        summary=TABLES["summary"].path,
        reliability=TABLES["reliability"].path,
        predictions=TABLES["predictions"].path,
        splits=TABLES["splits"].path,
        probes=INPUTS.robustness("probes", SELECTION.probed_final),
    output:
        evaluation="results/{dataset}/model/evaluation.json",
        card="results/{dataset}/model/CARD.md",
        sums="results/{dataset}/model/SHA256SUMS",
        packed="results/{dataset}/model.zip",
    log:
        "results/{dataset}/logs/describe_model.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        primary_metric=SETTINGS.primary_metric.value,
        title=lambda wildcards: SOURCES.about(wildcards, "title"),
        licence=lambda wildcards: SOURCES.about(wildcards, "licence"),
        code=code_of("describe_model"),
    message:
        "{wildcards.dataset}: write the card of the final model, and pack it"
    script:
        "../scripts/describe_model.py"


rule predict_samples:
    input:
        PREDICTED.made,
    output:
        predictions=TABLES["new_samples"].path.replace("{dataset}", "{prediction}"),
        about="results/{prediction}/prediction.json",
    log:
        "results/{prediction}/logs/predict_samples.log",
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=memory_to_predict,
        runtime=growing(30),
    params:
        prediction=lambda wildcards: SETTINGS.predict[wildcards.prediction].model_dump(
            mode="json"
        ),
        contents=contents_for_prediction,
        columns=columns_of("new_samples"),
        refused=refused("predict_samples"),
        code=code_of("predict_samples"),
    message:
        "{wildcards.prediction}: predict new samples"
    script:
        "../scripts/predict_samples.py"


rule build_prediction_page:
    input:
        predictions="results/{prediction}/predictions.csv",
        about="results/{prediction}/prediction.json",
    output:
        html=report(
            "results/{prediction}/report.html",
            caption="../report/prediction.rst",
            category="Predictions",
            labels={"prediction": "{prediction}"},
        ),
        view="results/{prediction}/view.json",
    log:
        "results/{prediction}/logs/build_prediction_page.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        prediction=lambda wildcards: SETTINGS.predict[wildcards.prediction].model_dump(
            mode="json"
        ),
        refused=refused("build_prediction_page"),
        code=code_of("build_prediction_page"),
    message:
        "{wildcards.prediction}: build the page of the prediction"
    script:
        "../scripts/build_prediction_page.py"


rule accept_prediction:
    input:
        concluded="results/{prediction}/view.json",
        html="results/{prediction}/report.html",
    output:
        touch("results/{prediction}/logs/accepted"),
    log:
        "results/{prediction}/logs/accept_prediction.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        code=code_of("accept_prediction"),
    message:
        "{wildcards.prediction}: see whether new samples were predicted"
    script:
        "../scripts/accept_prediction.py"
