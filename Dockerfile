# The base images are arguments: take them from a mirror, and pin them by digest where you publish.
#   docker buildx imagetools inspect gcr.io/distroless/nodejs24-debian13:nonroot     # prints the digest
#   docker build --build-arg RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:… .
# RUNTIME_IMAGE must hold Node 24 at /nodejs/bin/node; it needs no shell.
ARG BUILD_IMAGE=node:24-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot
# The bundle is the same for every platform, so it is built on the machine's own and never emulated.
# The default is for builders that know no BUILDPLATFORM (docker without BuildKit).
ARG BUILDPLATFORM=${BUILDPLATFORM:-linux}

FROM --platform=$BUILDPLATFORM $BUILD_IMAGE AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY esbuild.config.js LICENSE ./
COPY build build
COPY schemas schemas
COPY src src
ARG REVISION=
RUN JOBGUARD_REVISION=$REVISION npm run build

FROM $RUNTIME_IMAGE
ARG RUNTIME_IMAGE
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="jobguard" \
      org.opencontainers.image.description="Validating admission webhook that keeps Kubeflow training jobs as they were created" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/jobguard/jobguard" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="$RUNTIME_IMAGE"
# No RUN below this line: it would need the target's own processor.
COPY --from=build /src/package.json /src/LICENSE /src/dist/THIRD-PARTY-NOTICES.txt /src/dist/sbom.cdx.json /src/dist/jobguard.js /src/dist/judging-worker.js /src/dist/kubeconfig.js /app/
# A number, so that Kubernetes can see that it is not root; any other number will do as well.
USER 65532:65532
EXPOSE 10250 8080
# For a memory limit of 768 MiB. The heap limit holds for each of two threads; only the one that judges large bodies comes near
# it: 108 MiB for the values of the densest body that jobguard parses, and the rest for its text and a copy of that. What remains
# of the memory limit is for Node itself, for the bodies of requests and for a thousand connections, 0.2 MiB each. glibc gives
# large blocks back to the system at once only while its threshold for them is fixed, and keeps less of what it was given back
# with one arena than with eight a core.
ENV MALLOC_MMAP_THRESHOLD_=131072 MALLOC_ARENA_MAX=1
# V8's own first limit of the old space is some MiB: it would collect all of the heap at every few large updates. What 48 MiB
# of it take, smaller semi-spaces give back.
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size=192", "--max-semi-space-size=4", "--initial-old-space-size=48", "--disable-sigusr1", "/app/jobguard.js"]
CMD ["serve"]
