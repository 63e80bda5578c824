import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findServer } from '../../src/discovery.ts';
import type { Machine, Wish } from '../../src/discovery.ts';

const NOTHING: Wish = { path: '', strategy: 'useBundled', interpreter: '', args: [], trusted: true, folders: ['/project'], bundled: undefined };
const BUNDLED = '/storage/bin/python';

interface World {
  programs: string[];
  withServer?: string[];
  active?: string;
  links?: Record<string, string>;
  path?: string;
  platform?: NodeJS.Platform;
}

function machine({ programs, withServer = [], active, links = {}, path = '/usr/bin', platform = 'linux' }: World): Machine {
  return {
    platform,
    home: '/home/me',
    env: { Path: path },
    isProgram: (file) => programs.includes(file),
    realPath: (file) => links[file] ?? file,
    hasServer: (python) => Promise.resolve(withServer.includes(python)),
    activePython: () => Promise.resolve(active),
  };
}

async function program(wish: Partial<Wish>, world: World): Promise<string | undefined> {
  return (await findServer({ ...NOTHING, ...wish }, machine(world))).server?.program[0];
}

const EVERYWHERE: World = { programs: ['/opt/qwen', BUNDLED, '/venv/python', '/active/python', '/usr/bin/qwen-lsp'], withServer: ['/venv/python', '/active/python'], active: '/active/python' };

test('the setting counts for more than everything else', async () => {
  assert.equal(await program({ path: '/opt/qwen', bundled: BUNDLED, interpreter: '/venv/python' }, EVERYWHERE), '/opt/qwen');
});

test('the installed server comes first, then an interpreter, then PATH', async () => {
  assert.equal(await program({ bundled: BUNDLED, interpreter: '/venv/python' }, EVERYWHERE), BUNDLED);
  assert.equal(await program({ interpreter: '/venv/python' }, EVERYWHERE), '/venv/python');
  assert.equal(await program({}, EVERYWHERE), '/active/python');
  assert.equal(await program({}, { ...EVERYWHERE, withServer: [] }), '/usr/bin/qwen-lsp');
});

test('from the environment the installed server comes last', async () => {
  const wish = { strategy: 'fromEnvironment', bundled: BUNDLED } as const;
  assert.equal(await program(wish, EVERYWHERE), '/active/python');
  assert.equal(await program(wish, { ...EVERYWHERE, withServer: [] }), '/usr/bin/qwen-lsp');
  assert.equal(await program(wish, { programs: [BUNDLED] }), BUNDLED);
});

test('nothing is found where there is nothing', async () => {
  assert.deepEqual(await findServer(NOTHING, machine({ programs: [] })), {});
});

test('a path that leads nowhere is told instead of another server being used', async () => {
  const { server, problem } = await findServer({ ...NOTHING, path: '/gone/qwen-lsp', bundled: BUNDLED }, machine(EVERYWHERE));
  assert.equal(server, undefined);
  assert.match(problem ?? '', /\/gone\/qwen-lsp/);
});

test('paths may begin at home or at the folder, and a bare name is looked up on PATH', async () => {
  assert.equal(await program({ path: '~/bin/q' }, { programs: ['/home/me/bin/q'] }), '/home/me/bin/q');
  assert.equal(await program({ path: '${workspaceFolder}/q' }, { programs: ['/project/q'] }), '/project/q');
  assert.equal(await program({ path: '.venv/bin/q' }, { programs: ['/project/.venv/bin/q'] }), '/project/.venv/bin/q');
  assert.equal(await program({ path: 'q' }, { programs: ['/b/q'], path: '/a:/b' }), '/b/q');
});

test('an interpreter is started without the current folder among its modules, with the arguments of the setting', async () => {
  const { server } = await findServer({ ...NOTHING, interpreter: '/venv/python', args: ['--x'] }, machine(EVERYWHERE));
  assert.deepEqual(server?.program, ['/venv/python', '-P', '-m', 'qwen_lsp']);
  assert.deepEqual(server?.args, ['-P', '-m', 'qwen_lsp', 'serve', '--x']);
});

test('relative entries of PATH are never looked at', async () => {
  assert.equal(await program({}, { programs: ['qwen-lsp', './qwen-lsp', '/b/qwen-lsp'], path: '.::/b' }), '/b/qwen-lsp');
});

test('Windows: endings are tried and PATH is found however it is written', async () => {
  const world: World = { programs: ['C:\\bin\\qwen-lsp.exe'], path: 'bin;C:\\bin', platform: 'win32' };
  assert.equal(await program({ folders: ['C:\\work'] }, world), 'C:\\bin\\qwen-lsp.exe');
});

const untrusted = { trusted: false } as const;

test('not trusted: no program of the workspace is started, however it is named', async () => {
  const inside = '/project/bin/qwen-lsp';
  assert.equal(await program({ ...untrusted, path: inside }, { programs: [inside] }), undefined);
  assert.equal(await program({ ...untrusted, path: '/project/../project/bin/qwen-lsp' }, { programs: [inside] }), undefined);
  assert.equal(await program(untrusted, { programs: [inside], path: '/project/bin' }), undefined);
  assert.equal(await program({ ...untrusted, interpreter: '/project/python' }, { programs: ['/project/python'], withServer: ['/project/python'] }), undefined);
});

test('not trusted: links do not hide the workspace', async () => {
  assert.equal(await program(untrusted, { programs: ['/usr/bin/qwen-lsp'], links: { '/usr/bin/qwen-lsp': '/project/evil' } }), undefined);
  assert.equal(await program(untrusted, { programs: ['/usr/bin/qwen-lsp'], links: { '/usr/bin': '/project/bin' } }), undefined);
  assert.equal(await program({ ...untrusted, folders: ['/link'] }, { programs: ['/real/qwen-lsp'], path: '/real', links: { '/link': '/real' } }), undefined);
});

test('not trusted: a name that only begins like the folder is outside it', async () => {
  assert.equal(await program(untrusted, { programs: ['/project2/qwen-lsp'], path: '/project2' }), '/project2/qwen-lsp');
  assert.equal(await program(untrusted, { programs: ['/project/..evil/qwen-lsp'], path: '/project/..evil' }), undefined);
});

test('not trusted: the Python extension is not asked', async () => {
  const asked = { ...machine(EVERYWHERE), activePython: () => Promise.reject(new Error('asked')) };
  assert.equal((await findServer({ ...NOTHING, ...untrusted }, asked)).server?.program[0], '/usr/bin/qwen-lsp');
});
