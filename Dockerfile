# makima's image: `make image`, or  docker build --tag makima-operator .
# Needs a base image with Python and nothing else but package registries (pip's and Debian's).
#   --build-arg BASE=…   another Python ≥ 3.11 on Debian; its mirror and pip's are the base's and the builder's own
ARG BASE=docker.io/library/python:3.13-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY crds crds
COPY manifests manifests
COPY operator operator
# The environment has the programs of makima and no pip: what is installed is what constraints.txt names.
RUN python -m venv --without-pip /opt/makima \
 && python -m pip --python /opt/makima/bin/python install --only-binary :all: --no-binary makima-operator -c constraints.txt . \
 && /opt/makima/bin/python -m makima.bill_of_materials > /opt/makima/sbom.cdx.json \
 && /opt/makima/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/makima/lib

FROM ${BASE}
# tini is process 1: it passes signals on and reaps what agents leave behind.
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
 && python -m pip uninstall --yes pip \
 && ! command -v gcc && ! command -v cc
COPY --from=build /opt/makima /opt/makima
ENV PATH=/opt/makima/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/makima/bin/python", "-m", "makima"]
