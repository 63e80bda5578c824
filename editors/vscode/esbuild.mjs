// Bundles the extension for the extension host, and each src/views/*.webview.ts for its page.
import { readdirSync } from 'node:fs';
import { build } from 'esbuild';

const common = { bundle: true, minify: process.argv.includes('--production'), sourcemap: !process.argv.includes('--production'), logLevel: 'warning' };

await build({
  ...common,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
});

const pages = readdirSync('src/views').filter((name) => name.endsWith('.webview.ts'));
if (pages.length > 0) {
  await build({ ...common, entryPoints: pages.map((name) => `src/views/${name}`), outdir: 'dist', platform: 'browser', format: 'iife', target: 'es2022' });
}
