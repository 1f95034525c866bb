# docker build -t sourcier . && docker run -p 7860:7860 -v ./documents:/documents:ro -v sourcier:/data sourcier
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRADIO_ANALYTICS_ENABLED=False

WORKDIR /app
COPY requirements.txt requirements-scale.txt constraints.txt ./
# requirements-scale.txt for pages over a shared store: docker/compose.scale.yaml
ARG REQUIREMENTS=requirements.txt
RUN python -m pip install --no-cache-dir --requirement requirements.txt --requirement "${REQUIREMENTS}" \
    --constraint constraints.txt
COPY app.py ./
COPY index ./index
COPY qa ./qa
COPY ui ./ui
COPY seeds ./seeds
COPY docker/start.sh ./docker/start.sh

RUN useradd --create-home --uid 10001 sourcier && mkdir /data /documents && chown 10001 /data
USER 10001
VOLUME ["/data"]
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["/bin/sh", "docker/start.sh"]
