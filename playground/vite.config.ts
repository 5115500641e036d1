import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  resolve: {
    alias: { '@swarmlens/client': fileURLToPath(new URL('../packages/client/src/index.ts', import.meta.url)) },
  },
  build: {
    outDir: '../dist/playground',
    emptyOutDir: true,
    // Licenses of the bundled packages, which must be distributed with them.
    license: { fileName: 'licenses.md' },
    target: 'es2022',
    modulePreload: { polyfill: false },
    // One file, because the page is usually served from the same machine or network.
    chunkSizeWarningLimit: 1_000,
    // The page's Content-Security-Policy rejects data: URLs.
    assetsInlineLimit: 0,
  },
  // For development: `npx vite playground` beside a running `swarmlens serve`.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:4000', ws: true } } },
});
