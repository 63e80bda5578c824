// Builds the server's wheel from this repository into bundled/, for the .vsix to carry.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');
rmSync(`${here}/bundled`, { recursive: true, force: true });
mkdirSync(`${here}/bundled`);
const { status } = spawnSync(python, ['-m', 'build', '--wheel', '--outdir', `${here}/bundled`, `${here}/../..`], { stdio: ['ignore', 'ignore', 'inherit'] });
if (status !== 0) {
  console.error(`The wheel was not built. ${python} needs the package "build": ${python} -m pip install build. PYTHON names another Python.`);
  process.exit(1);
}
console.log(`bundled/${readdirSync(`${here}/bundled`)[0]}`);
