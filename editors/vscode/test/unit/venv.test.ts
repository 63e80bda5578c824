import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { run, thisMachine } from '../../src/machine.ts';
import { environmentOf, findPython, install, installed, quoted, reason, steps, wheelIn } from '../../src/venv.ts';

const scratch = mkdtempSync(join(tmpdir(), 'qwen-venv-'));
after(() => rmSync(scratch, { recursive: true }));
const machine = thisMachine(() => Promise.resolve(undefined));
const storage = join(scratch, 'server');
const wheel = join(scratch, 'qwen_lsp-2.0-py3-none-any.whl');
const environment = environmentOf(storage, wheel);
const quiet = () => undefined;
const never = new AbortController().signal;

/** A shell script as a stand-in for Python. */
function program(name: string, script: string): string {
  const file = join(scratch, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

test('half an installation is none, a whole one is found', async () => {
  assert.equal(installed(storage, wheel, 'linux'), undefined);
  mkdirSync(environment, { recursive: true });
  assert.equal(installed(storage, wheel, 'linux'), undefined);
  assert.equal(await install([['/bin/sh', '-c', 'exit 0']], environment, quiet, never), undefined);
  assert.deepEqual(installed(storage, wheel, 'linux'), { python: join(environment, 'bin/python'), isCurrent: true });
});

test('a server of an older version is used until it is replaced, and removed then', async () => {
  const newer = environmentOf(storage, 'qwen_lsp-3.0-py3-none-any.whl');
  assert.deepEqual(installed(storage, 'qwen_lsp-3.0-py3-none-any.whl', 'linux'), { python: join(environment, 'bin/python'), isCurrent: false });
  await install([['/bin/sh', '-c', `mkdir '${newer}'`]], newer, quiet, never);
  assert(existsSync(newer) && !existsSync(environment));
});

test('a failure is told in pip’s words and leaves nothing that looks whole', async () => {
  const lines: string[] = [];
  const script = 'echo Collecting openai; echo "ERROR: No matching distribution found for openai" >&2; echo done >&2; exit 1';
  const failed = await install([['/bin/sh', '-c', script]], environment, (line) => lines.push(line), never);
  assert.equal(failed, 'The server could not be installed: No matching distribution found for openai');
  assert(lines.includes('Collecting openai'));
  assert.notEqual(installed(storage, wheel, 'linux')?.isCurrent, true);
});

test('stopped half-way, nothing is left', async () => {
  const stopping = new AbortController();
  const script = `mkdir -p '${environment}'; echo begun; exec sleep 60`;
  const failed = await install([['/bin/sh', '-c', script]], environment, (line) => line === 'begun' && stopping.abort(), stopping.signal);
  assert.equal(failed, 'The installation was stopped.');
  assert(!existsSync(environment));
});

test('a program that is not there is an outcome, not an exception', async () => {
  const outcome = await run(['/nowhere/python']);
  assert.equal(outcome.status, null);
  assert.match(reason(outcome), /ENOENT/);
});

test('a Python that is too old or not whole is passed over, and what is missing is said', async () => {
  const old = program('python3.11', 'echo False True');
  const bare = program('python3', 'echo True False');
  const only = { ...machine, env: { PATH: scratch } };
  assert.match((await findPython(only, [])).problem ?? '', /python3-venv/);
  rmSync(bare);
  assert.match((await findPython(only, [])).problem ?? '', /Python 3\.11 or newer/);
  const whole = program('whole', 'echo True True');
  assert.deepEqual(await findPython(only, ['', whole]), { python: whole });
  rmSync(old);
});

test('a real Python of this machine is found', async () => {
  const { python } = await findPython(machine, []);
  assert(python !== undefined && (process.env['PATH'] ?? '').split(delimiter).some((folder) => python.startsWith(folder)));
});

test('the command lines that are shown can be typed into a shell', () => {
  const [make, fetch] = steps('/usr/bin/python3', '/My Storage/env', '/x/q.whl', 'linux').map(quoted);
  assert.equal(make, '/usr/bin/python3 -m venv --clear "/My Storage/env"');
  assert.equal(fetch, '"/My Storage/env/bin/python" -m pip install --disable-pip-version-check --no-input /x/q.whl');
});

test('the wheel is the one file that ends so', () => {
  assert.equal(wheelIn(join(scratch, 'missing')), undefined);
  writeFileSync(wheel, '');
  assert.equal(wheelIn(scratch), wheel);
});
