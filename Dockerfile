# The project's three images from one file: --target operator | server | trainer.
# The trainer stands on the server's layers. Only the last layer of each holds Trimtab's own code, so that a change of code costs seconds.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS python
# Kubernetes takes only the user from an image; the group follows from the user's entry in /etc/passwd, or would be root's.
# The code lies beside the virtual environment; a .pth file makes it importable whatever version of Python the base brings.
RUN echo "trimtab:x:65532:65532::/tmp:/usr/sbin/nologin" >> /etc/passwd \
 && echo "trimtab:x:65532:" >> /etc/group \
 && python3 -m venv /opt/trimtab \
 && mkdir /opt/trimtab/code \
 && echo /opt/trimtab/code > "$(/opt/trimtab/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/trimtab.pth"
ENV PATH=/opt/trimtab/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    OMP_WAIT_POLICY=PASSIVE

FROM python AS code
COPY operator/trimtab /opt/trimtab/code/trimtab
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/trimtab/code

# The builder's pip settings come as an optional secret, so that no index address or certificate of the builder stays in an image.
FROM python AS operator-requirements
COPY requirements/operator.txt /opt/trimtab/requirements/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    PIP_CONFIG_FILE=/run/secrets/pip.conf \
    pip install --no-cache-dir --require-hashes --only-binary=:all: -r /opt/trimtab/requirements/operator.txt

FROM operator-requirements AS operator
COPY --from=code /opt/trimtab/code /opt/trimtab/code
USER 65532:65532
ENTRYPOINT ["/opt/trimtab/bin/python", "-m", "trimtab.controller"]

FROM python AS server-requirements
COPY requirements/server.txt /opt/trimtab/requirements/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    PIP_CONFIG_FILE=/run/secrets/pip.conf \
    pip install --no-cache-dir --require-hashes --only-binary=:all: -r /opt/trimtab/requirements/server.txt

FROM server-requirements AS server
COPY --from=code /opt/trimtab/code /opt/trimtab/code
USER 65532:65532
ENTRYPOINT ["/opt/trimtab/bin/python", "-m", "trimtab.serving"]

FROM server-requirements AS trainer-requirements
COPY requirements/trainer.txt /opt/trimtab/requirements/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    PIP_CONFIG_FILE=/run/secrets/pip.conf \
    pip install --no-cache-dir --require-hashes --only-binary=:all: -r /opt/trimtab/requirements/trainer.txt
# LightGBM asks the system for OpenMP, which slim bases lack: it gets the one that scikit-learn brings, so there is one for both.
RUN ln -s /opt/trimtab/lib/python3.*/site-packages/scikit_learn.libs/libgomp-*.so.* /usr/lib/libgomp.so.1 \
 && python -c "import lightgbm, xgboost"

FROM trainer-requirements AS trainer
COPY --from=code /opt/trimtab/code /opt/trimtab/code
USER 65532:65532
ENTRYPOINT ["/opt/trimtab/bin/python", "-m", "trimtab.training"]
