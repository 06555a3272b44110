import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/*
 * What the server must do with the build:
 * - answer `/`, `/t/*`, `/search`, `/costs` and `/settings` with index.html, never cached;
 * - answer `/assets/*` with the files, cached for ever, because each name holds a digest;
 * - below a path prefix, write it into index.html: `<meta name="tasktrail-base" content="/prefix/">`, and before each `/assets/`.
 * The page needs no more of a content security policy than
 * `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'`.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  plugins: [svelte()],
  // What scripts load later is found beside them, whatever the path prefix.
  experimental: { renderBuiltUrl: (_file, { hostType }) => (hostType === 'js' ? { relative: true } : undefined) },
  build: {
    outDir: fileURLToPath(new URL('../../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // A data: URL would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
