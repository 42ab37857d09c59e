# Homing as an image. Built with everything, run with what the service needs, as a user without rights.
FROM node:24.19.0-bookworm-slim AS build
WORKDIR /homing
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json nest-cli.json .swcrc ./
COPY src ./src
COPY projections ./projections
COPY test ./test
COPY dashboards ./dashboards
RUN npm run build && npm prune --omit=dev --no-audit --no-fund
# The ClickHouse engine is half a gigabyte that a container beside a ClickHouse server never opens.
ARG EMBEDDED_ENGINES=true
RUN if [ "$EMBEDDED_ENGINES" = false ]; then rm -rf node_modules/@chdb; fi

FROM node:24.19.0-bookworm-slim
# Alone, the container keeps its read models in a redis-server of its own.
ARG EMBEDDED_ENGINES=true
RUN if [ "$EMBEDDED_ENGINES" = true ]; then \
      apt-get update && apt-get install --yes --no-install-recommends redis-server procps && rm -rf /var/lib/apt/lists/*; \
    fi && mkdir /data && chown node:node /data
WORKDIR /homing
COPY --from=build /homing/package.json ./
COPY --from=build /homing/node_modules ./node_modules
COPY --from=build /homing/dist ./dist
ENV NODE_ENV=production HOMING_HOST=0.0.0.0 HOMING_DATA_DIR=/data
USER node
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=64", "dist/src/main.js"]
