# syntax=docker/dockerfile:1

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH
ARG VERSION=dev
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/protrack ./cmd/protrack
# The next stage has no shell to make the directory with.
RUN mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=dev
LABEL org.opencontainers.image.title="Protrack" \
      org.opencontainers.image.description="Symptom questionnaires around ketamine-assisted psychotherapy" \
      org.opencontainers.image.source="https://github.com/protrack/protrack" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /out/protrack /protrack
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV PROTRACK_ADDR=0.0.0.0:8080 \
    PROTRACK_DATABASE=sqlite:///data/protrack.db \
    PROTRACK_AUDIT_KEY_FILE=/data/audit.key
VOLUME /data
EXPOSE 8080
USER nonroot
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/protrack", "healthcheck"]
ENTRYPOINT ["/protrack"]
CMD ["serve"]
