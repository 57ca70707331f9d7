# One image per service, each with only its own dependencies:
#   docker build --build-arg SERVICE=scorer -t paperwire-scorer .
# The publisher's image also runs the provisioning Job: `python -m shared.provision`, `python -m services.publisher.migrate`.
ARG BASE=python:3.13-slim
ARG VERSION=0.1.0

FROM ${BASE} AS build
ARG SERVICE
ARG VERSION
RUN case "${SERVICE}" in fetcher|scorer|summarizer|publisher) ;; \
      *) echo "--build-arg SERVICE= must be fetcher, scorer, summarizer or publisher, not '${SERVICE}'" >&2; exit 64 ;; \
    esac
# pip works from a folder of its own, so that the environment that is copied below holds no installer.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/paperwire
COPY requirements/${SERVICE}.txt /build/requirements.txt
RUN /opt/pip/bin/pip --python /opt/paperwire/bin/python install --no-cache-dir --disable-pip-version-check \
      --require-hashes -r /build/requirements.txt
COPY LICENSE /opt/paperwire/app/
COPY shared /opt/paperwire/app/shared
COPY services/__init__.py /opt/paperwire/app/services/
COPY services/${SERVICE} /opt/paperwire/app/services/${SERVICE}
# The fetcher tells arXiv its version, which it reads where an installed package has it.
RUN mkdir /opt/paperwire/app/paperwire-${VERSION}.dist-info && \
    printf 'Metadata-Version: 2.1\nName: paperwire\nVersion: %s\n' "${VERSION}" \
      > /opt/paperwire/app/paperwire-${VERSION}.dist-info/METADATA
# The root file system is read-only at run time: the byte code is made here. Hashes instead of times keep layers equal.
RUN /opt/paperwire/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/paperwire/app

FROM ${BASE}
ARG SERVICE
ARG VERSION
ARG REVISION=unknown
LABEL org.opencontainers.image.title="paperwire-${SERVICE}" \
      org.opencontainers.image.description="Paperwire: the ${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN test -s /etc/ssl/certs/ca-certificates.crt || { echo "the base image must bring CA certificates" >&2; exit 1; }
COPY --from=build /opt/paperwire /opt/paperwire
ENV PATH=/opt/paperwire/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/paperwire/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    SERVICE=${SERVICE} \
    PROBE_HOST=0.0.0.0 \
    PROBE_PORT=9100
WORKDIR /opt/paperwire/app
USER 10001:10001
EXPOSE 9100
# The shell is replaced by Python, which so gets SIGTERM itself.
CMD ["/bin/sh", "-c", "exec python -m \"services.$SERVICE\""]
