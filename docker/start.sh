#!/bin/sh
# Indexes the documents that are mounted (those of seeds/ where there are none), then serves the page over them.
set -eu
documents=/documents
if [ -z "$(ls -A "$documents")" ]; then
    documents=seeds/
fi
python -m index build "$documents" --index /data/index
exec python app.py --index /data/index --host 0.0.0.0 "$@"
