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
    // Of what is built in, whose licences want to be passed on.
    license: { fileName: 'licences.md' },
    target: 'es2022',
    modulePreload: { polyfill: false },
    // One file: it comes from the machine that the page is looked at on, or from near it.
    chunkSizeWarningLimit: 1_000,
    // The page's Content-Security-Policy lets no data: URL in.
    assetsInlineLimit: 0,
  },
  // `vite playground` beside a running `swarmlens serve`.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:4000', ws: true } } },
});
