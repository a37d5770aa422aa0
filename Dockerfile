# makima's image: `make image`, or  docker build --tag makima-operator .
# Needs a base image with Python and nothing else but package registries (pip's and Debian's).
#   --build-arg BASE=…      another Python ≥ 3.11 on Debian, which has it as `python`; its mirror is the base's own, pip's the builder's
#   --build-arg BUILDER=…   the same with pip and venv, where BASE has none (default: BASE)
# How it was tried without a registry of images: docs/operations/install.md, "The image".
ARG BASE=docker.io/library/python:3.13-slim-bookworm
ARG BUILDER=${BASE}

FROM ${BUILDER} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY crds crds
COPY manifests manifests
COPY operator operator
# The environment has the programs of makima and no pip: what is installed is what constraints.txt names. Modules are compiled
# once, here: nobody can write to an image later.
RUN python -m venv --without-pip /opt/makima \
 && python -m pip --python /opt/makima/bin/python install --no-compile --only-binary :all: \
      --no-binary makima-operator -c constraints.txt '.[agents]' \
 && /opt/makima/bin/python -m makima.bill_of_materials > /opt/makima/sbom.cdx.json \
 && /opt/makima/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/makima/lib

FROM ${BASE}
# tini is process 1: it passes signals on and reaps what agents leave behind. A pip that Debian installed goes the way it came.
# The account is for kubelet, which takes the number of the user from the image and the group from here: without it, group 0.
RUN apt-get update && apt-get install --yes --no-install-recommends tini \
 && if python -m pip --version; then \
      python -m pip uninstall --yes pip || apt-get purge --yes --auto-remove python3-pip; \
    fi \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && echo 'makima:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd && echo 'makima:x:65532:' >> /etc/group \
 && ! python -m pip --version && ! command -v gcc && ! command -v cc
COPY --from=build /opt/makima /opt/makima
ENV PATH=/opt/makima/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
LABEL org.opencontainers.image.title=makima-operator org.opencontainers.image.licenses=Apache-2.0
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/makima/bin/python", "-m", "makima"]
