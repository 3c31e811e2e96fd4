# The web process and the worker share this image. Its steps are Make targets, which CI runs too.
FROM node:20-slim AS browser
WORKDIR /srv/voiceapp
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/voiceapp
COPY Makefile requirements.txt ./
RUN make setup PYTHON=python3
COPY . .
COPY --from=browser /srv/voiceapp/node_modules/livekit-client/dist/livekit-client.umd.js static/vendor/
COPY --from=browser /srv/voiceapp/node_modules/wavesurfer.js/dist/wavesurfer.esm.js static/vendor/
RUN make static

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home voiceapp && install -d -o voiceapp /srv/recordings
WORKDIR /srv/voiceapp
COPY --from=build --chown=voiceapp /srv/voiceapp /srv/voiceapp
USER voiceapp
ENV PORT=8080 HOST=0.0.0.0
EXPOSE 8080
# SIGTERM drains: live calls go on until they end or the budget is over.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s CMD ["/srv/voiceapp/.venv/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=2)"]
CMD [".venv/bin/python", "manage.py", "serve"]
