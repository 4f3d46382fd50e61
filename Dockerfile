# syntax=docker/dockerfile:1.7
#
# sluice and sluice-users on a slim image, as a user without privileges. See docker-compose.yml for how it is run.
# NOT BUILT by the project's CI, which has no container engine.

FROM rust:1.95.0-bookworm AS build
# For librdkafka, which links to the system's OpenSSL and zlib, and for aws-lc.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake libssl-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The caches outlive the layer, so a change of one crate does not build them all; the binaries are copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --package sluice-cdc --package sluice-users \
    && install --strip -D --target-directory=/out target/release/sluice target/release/sluice-users

FROM debian:12.12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/sluice --create-home sluice
COPY --from=build /out/ /usr/local/bin/
COPY --chmod=0755 docker/with-secrets.sh /usr/local/bin/with-secrets
USER sluice
# Relative paths begin here, that of the offsets file for one: mount a volume on it.
WORKDIR /var/lib/sluice
EXPOSE 8083
ENTRYPOINT ["sluice"]
