# The pinned packages and the workflow, for a machine without a GPU:
#
#   docker build --tag balmi .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" balmi --cores 2 --configfile my.yaml
#
# Paths in the configuration are relative to the folder that is mounted; results/ comes to lie there.
FROM python:3.11-slim-bookworm

ARG TORCH=torch==2.13.0
# What uv calls a build of torch: cpu, cu128, ...
ARG TORCH_BACKEND=cpu

# Of LightGBM. Debian has one version per release, so that there is none to choose.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir uv==0.13.9

WORKDIR /opt/balmi
COPY envs/requirements.txt envs/
RUN uv pip install --system --no-cache --torch-backend "$TORCH_BACKEND" "$TORCH" \
    --requirements envs/requirements.txt
COPY LICENSE ./
COPY config config
COPY workflow workflow

RUN useradd --uid 1000 --create-home balmi && mkdir /data && chown balmi /data
USER 1000
WORKDIR /data
# Whoever runs it, perhaps by a number without a home, can write here.
ENV HOME=/tmp
ENTRYPOINT ["snakemake", "--snakefile", "/opt/balmi/workflow/Snakefile"]
CMD ["--cores", "2", "--configfile", "/opt/balmi/config/config.yaml"]
