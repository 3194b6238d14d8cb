# One image for every process of the product: `docker run IMAGE web | engine | work | dispatcher | upgrade`.
# The commands are those that `make demo` runs; settings come from the environment (.env.example).
FROM python:3.13-slim-bookworm AS build
WORKDIR /srv/portal
ENV UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_PROJECT_ENVIRONMENT=/srv/portal/.venv
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --python /usr/local/bin/python3

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin portal \
    && install -d -o portal -g portal -m 0750 /data
WORKDIR /srv/portal
COPY --from=build /srv/portal/.venv .venv
COPY . .
ENV PATH=/srv/portal/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORTAL_HOME=/data \
    PORTAL_HOST=0.0.0.0 \
    PORTAL_PORT=8000 \
    PORTAL_LOG_JSON=1
USER 10001
VOLUME /data
EXPOSE 8000
# for the web process; a worker's container switches it off
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "deploy.local", "probe"]
ENTRYPOINT ["python", "-m", "deploy.local", "exec"]
CMD ["web"]
