# docker build -t neverafk . && docker run --name neverafk -p 127.0.0.1:8000:8000 -v neverafk:/data neverafk
# Commands while it runs: docker exec neverafk neverafk creator add anna
#
# First image: compile. Second: the binary, without a shell history of tools, as a user without rights.

FROM debian:12 AS build
# A download that breaks off must not look like one that worked.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The base image moves, and with it the versions that there are to install.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates cmake curl g++ \
 && rm -rf /var/lib/apt/lists/*
RUN curl --proto '=https' --tlsv1.2 -fsS https://sh.rustup.rs \
  | sh -s -- -y --profile minimal --default-toolchain stable --no-modify-path
ENV PATH=/root/.cargo/bin:$PATH
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry --mount=type=cache,target=/source/target \
    cargo build --release --locked --bin neverafk \
 && install -D target/release/neverafk /out/neverafk \
 && strip /out/neverafk

FROM debian:12-slim
# Models come from the hub over TLS with roots that are compiled in, so nothing needs to be installed here.
RUN groupadd --system --gid 10001 neverafk \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin neverafk \
 && install -d -o neverafk -g neverafk -m 0700 /data
COPY --from=build /out/neverafk /usr/local/bin/neverafk
COPY LICENSE /usr/share/doc/neverafk/LICENSE
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
ENV NEVERAFK_DATA_DIR=/data \
    NEVERAFK_SERVER__LISTEN=0.0.0.0:8000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# bash speaks enough HTTP to ask a server whether it lives; the image has no curl.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /live HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["neverafk"]
CMD ["serve"]
