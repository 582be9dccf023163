# syntax=docker/dockerfile:1
# packaging/try-dockerfile runs these lines without Docker.

FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
# Its manifest names the benches.
COPY benches benches
COPY src src
# What the hub serves of the SDK.
COPY client-sdk/client/dist-iife client-sdk/client/dist-iife
# A folder to be owned by the hub: the last stage has no shell that could make one.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin slo-hub \
    && install -D -m 0755 target/release/slo-hub /out/slo-hub \
    && install -d -m 0700 /out/data

# glibc, libgcc and certificates, of the same Debian as above; no shell, no packages. Static
# musl on scratch would save 20 MB and lose what the figures in docs/performance.md were
# measured with: glibc's allocator. And it would need certificates all the same.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=dev
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="slo-hub" \
      org.opencontainers.image.description="A Single-Logout hub: one logout, and every app on every domain signs out." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /out/slo-hub /usr/local/bin/slo-hub
COPY --from=build --chown=65532:65532 /out/data /var/lib/slo-hub
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/slo-hub/
# What SQLite cannot sort in memory goes beside its file: the root may be read-only.
ENV SLO_HUB_CONFIG=/etc/slo-hub/slo-hub.toml \
    SQLITE_TMPDIR=/var/lib/slo-hub
VOLUME ["/var/lib/slo-hub"]
EXPOSE 8080
# By number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/slo-hub", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/slo-hub"]
CMD ["serve"]
