# Builds with npm ci from the lock file. The last stage holds the built program and its dependencies, and no tools.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
RUN ["npm", "ci", "--no-audit", "--no-fund"]
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY playground ./playground
RUN ["npm", "run", "--silent", "build"]

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
RUN ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"]

# The dependencies are JavaScript only, so the small base image is enough.
FROM node:24-alpine
ENV NODE_ENV=production \
    SWARMLENS_CONFIG=/etc/swarmlens/config.json \
    HOST=0.0.0.0 \
    PORT=4000 \
    HOME=/tmp
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# node_modules/@swarmlens/client is a link to this folder.
COPY --from=build /app/packages/client/package.json ./packages/client/package.json
COPY --from=build /app/packages/client/dist ./packages/client/dist
# User "node" of the base image. A number, because Kubernetes cannot verify that a name is not root.
USER 1000:1000
EXPOSE 4000
# Liveness, not readiness: a node that waits for Redis must not be replaced.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
