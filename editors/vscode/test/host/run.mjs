// The extension's own tests in a real extension host, without a download:
//
//   npm run test:host -- --code-server DIR --playwright DIR --chromium FILE --python FILE [--screenshot FILE]
//
// --code-server  the package code-server, which has lib/vscode/out/server-main.js
// --playwright   the package playwright-core
// --chromium     the browser's program
// --python       a Python with qwen_lsp and, from this repository, tests.support
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const extension = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const repository = resolve(extension, '../..');
const option = { type: 'string' };
const { values } = parseArgs({ options: { 'code-server': option, playwright: option, chromium: option, python: option, screenshot: option } });
const { chromium } = createRequire(import.meta.url)(resolve(values.playwright));
const scratch = mkdtempSync(join(tmpdir(), 'qwen-host-'));
const children = [];

/** Starts a program and answers with the first line of its output that fits. */
function started(command, args, env, fits) {
  const child = spawn(command, args, { cwd: repository, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((found, failed) => {
    createInterface(child.stdout).on('line', (line) => fits.test(line) && found(fits.exec(line)));
    child.on('exit', (status) => failed(new Error(`${command} ended with status ${status}`)));
  });
}

function write(name, text) {
  mkdirSync(dirname(join(scratch, name)), { recursive: true });
  writeFileSync(join(scratch, name), text);
}

async function main() {
  await build({ entryPoints: [join(extension, 'test/host/index.ts')], outfile: join(extension, 'dist/test/index.js'), bundle: true, platform: 'node', format: 'cjs', external: ['vscode'] });
  const [, endpoint, model] = await started(values.python, ['-m', 'tests.support.endpoint', '--kind', 'vllm'], { PYTHONPATH: repository }, /OPENAI_BASE_URL=(\S+) OPENAI_MODEL=(\S+)/);
  write('workspace/main.py', 'def add(a, b):\n    return a + b\n\n\ntotal = add(1, 2)\n');
  write('data/data/Machine/settings.json', JSON.stringify({
    'qwen.server.interpreter': values.python, 'qwen.endpoint.baseUrl': endpoint, 'qwen.endpoint.model': model, 'qwen.completion.debounceMs': 0,
    'chat.disableAIFeatures': true, 'git.enabled': false, 'telemetry.telemetryLevel': 'off', 'workbench.startupEditor': 'none', 'remote.autoForwardPorts': false,
  }));
  const env = { EXTENSIONS_GALLERY: '{}', XDG_CACHE_HOME: join(scratch, 'cache'), XDG_CONFIG_HOME: join(scratch, 'config'), PYTHONPATH: repository, QWEN_TEST_ENDPOINT: endpoint };
  for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL']) delete process.env[name];
  const serverMain = join(resolve(values['code-server']), 'lib/vscode/out/server-main.js');
  // Built workbenches run tests only from a server that allows the test driver.
  const flags = ['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms', '--enable-smoke-test-driver', '--disable-workspace-trust',
    '--telemetry-level', 'off', '--server-data-dir', join(scratch, 'data'), '--extensions-dir', join(scratch, 'extensions')];
  const [, port] = await started(process.execPath, [serverMain, ...flags], env, /Extension host agent listening on (\d+)/);

  const browser = await chromium.launchPersistentContext(join(scratch, 'browser'), { executablePath: values.chromium, headless: true, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const page = browser.pages()[0];
    const ended = new Promise((done) => page.exposeFunction('codeAutomationExit', async (code) => done(code)));
    await page.exposeFunction('codeAutomationLog', (type, args) => console.log(...args));
    const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
    const payload = [['extensionDevelopmentPath', remote(extension)], ['extensionTestsPath', remote(join(extension, 'dist/test/index.js'))]];
    await page.goto(`http://127.0.0.1:${port}/?folder=${join(scratch, 'workspace')}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const late = new Promise((done) => setTimeout(() => done('no end within nine minutes'), 540_000).unref());
    const code = await Promise.race([ended, late]);
    if (values.screenshot) await page.screenshot({ path: values.screenshot });
    return code;
  } finally {
    await browser.close();
  }
}

try {
  const code = await main();
  console.log(`exit: ${code}`);
  process.exitCode = code === 0 ? 0 : 1;
} finally {
  await Promise.all(children.map((child) => new Promise((gone) => (child.exitCode === null && child.signalCode === null ? (child.on('exit', gone), child.kill()) : gone()))));
  if (!process.env.KEEP) rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}
