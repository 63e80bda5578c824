// Runs inside the real extension host, against the real server and an endpoint on loopback; see run.mjs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as vscode from 'vscode';
import type { ServerHandle } from '../../src/client.ts';

const endpoint = process.env['QWEN_TEST_ENDPOINT'] ?? '';
const folder = vscode.workspace.workspaceFolders![0]!.uri;
const ADD = 'def add(a, b):\n    return a + b\n\n\ntotal = add(1, 2)\n';
const messages: string[] = [];
let server: ServerHandle;

const tests: [string, () => Promise<void>][] = [];
const test = (name: string, body: () => Promise<void>) => tests.push([name, body]);

export async function run(): Promise<void> {
  // What a person would read is kept instead of shown: nobody is there to press a button.
  const hear = (message: string) => Promise.resolve(void messages.push(message));
  Object.assign(vscode.window, { showWarningMessage: hear, showErrorMessage: hear });
  server = await vscode.extensions.getExtension<ServerHandle>('qwen-lsp.qwen-lsp')!.activate();
  let failed = 0;
  for (const [name, body] of tests) {
    const begun = performance.now();
    try {
      await body();
      console.log(`ok ${name} (${Math.round(performance.now() - begun)} ms)`);
    } catch (error) {
      failed += 1;
      console.error(`FAILED ${name}: ${error instanceof Error ? error.stack : error}\nmessages: ${messages.join(' | ')}`);
    }
  }
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  assert.equal(failed, 0, `${failed} of ${tests.length} failed`);
}

/** The first true value of what is looked at again and again. */
async function until<T>(what: string, look: () => T | undefined | false | Thenable<T | undefined | false>): Promise<T> {
  const end = Date.now() + 120_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) {
      return found;
    }
    assert(Date.now() < end, `${what}, within two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const running = () => until('the server runs', () => server.state === 'running');

/** Process ids of the servers that this extension host has started. */
function servers(): number[] {
  const rows = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split('\n');
  return rows.filter((row) => / -m qwen_lsp serve/.test(row)).map((row) => parseInt(row, 10));
}

interface Status {
  completion: { enabled: boolean; trigger: string };
  endpoint: { host?: string; model?: string };
}
const status = () => server.command<Status>('qwen.status');

async function set(name: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('qwen').update(name, value, vscode.ConfigurationTarget.Global);
}

async function open(name: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder, name)));
}

/** Make it the whole text, ask for ghost text at its end and take it; the text afterwards. */
async function ghost(editor: vscode.TextEditor, whole: string): Promise<string> {
  const last = editor.document.lineAt(editor.document.lineCount - 1);
  await editor.edit((edit) => edit.replace(last.range.with(new vscode.Position(0, 0)), whole));
  const cursor = editor.document.positionAt(whole.length);
  editor.selection = new vscode.Selection(cursor, cursor);
  const before = editor.document.getText();
  return until('ghost text comes and is taken', async () => {
    await vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.commit');
    const now = editor.document.getText();
    return now !== before && now;
  });
}

test('the extension starts the server that the interpreter has', async () => {
  await running();
  assert.equal(servers().length, 1);
  assert.deepEqual(messages, []);
});

test('every command of the palette is registered', async () => {
  const { contributes } = vscode.extensions.getExtension('qwen-lsp.qwen-lsp')!.packageJSON as { contributes: { commands: { command: string }[]; walkthroughs: object[] } };
  const registered = new Set(await vscode.commands.getCommands(true));
  const linked = [...JSON.stringify(contributes.walkthroughs).matchAll(/\(command:([\w.-]+)/g)].map(([, name]) => name!);
  assert.ok(linked.includes('qwen-lsp.setEndpoint'));
  assert.deepEqual([...contributes.commands.map(({ command }) => command), ...linked].filter((name) => !registered.has(name)), []);
});

test('ghost text of the endpoint is taken with the editor’s own command', async () => {
  const text = await ghost(await open('main.py'), ADD + 'tot');
  assert.match(text, /\ntotal = add\(1, 2\)$/);
});

test('an untitled document is completed as well', async () => {
  const document = await vscode.workspace.openTextDocument({ language: 'python', content: '' });
  assert.match(await ghost(await vscode.window.showTextDocument(document), 'result = [1, 2, 3]\nres'), /\nresult = \[1, 2, 3\]$/);
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
});

test('code actions of the server are in the light bulb', async () => {
  const { document } = await open('main.py');
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, new vscode.Range(0, 4, 0, 7));
  assert(actions.some(({ title }) => /document|explain/i.test(title)), actions.map(({ title }) => title).join());
});

test('a changed setting reaches the server, and so does one that is taken out again', async () => {
  await set('completion.trigger', 'manual');
  await until('the setting is there', async () => (await status()).completion.trigger === 'manual');
  await set('completion.trigger', undefined);
  await until('the setting is out', async () => (await status()).completion.trigger === 'auto');
  assert.equal(servers().length, 1);
});

test('completions are turned off and on again', async () => {
  await vscode.commands.executeCommand('qwen-lsp.toggle');
  await until('they are off', async () => !(await status()).completion.enabled);
  await vscode.commands.executeCommand('qwen-lsp.toggle');
  await until('they are on', async () => (await status()).completion.enabled);
});

test('completions of one language are turned off and on again', async () => {
  await open('main.py');
  const table = () => vscode.workspace.getConfiguration('qwen').get('completion.triggerByLanguage');
  await vscode.commands.executeCommand('qwen-lsp.toggleLanguage');
  assert.deepEqual(table(), { python: 'off' });
  await vscode.commands.executeCommand('qwen-lsp.toggleLanguage');
  assert.deepEqual(table(), {});
});

test('the API key is stored out of sight, reaches the endpoint and is gone when it is cleared', async () => {
  const keys: (string | undefined)[] = [];
  const gate = createServer((request, response) => {
    keys.push(request.headers.authorization);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      const headers = { 'content-type': request.headers['content-type'] ?? 'application/json' };
      const answer = await fetch(new URL(request.url!, endpoint), { method: request.method!, headers, ...(body.length > 0 && { body }) });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  const explain = async () => {
    await running();
    await server.command('qwen.explainFile', { uri: vscode.Uri.joinPath(folder, 'main.py').toString() });
    return keys.at(-1);
  };
  try {
    await set('endpoint.baseUrl', `http://127.0.0.1:${(gate.address() as AddressInfo).port}/v1`);
    await until('the endpoint is the gate', async () => (await status()).endpoint.host?.endsWith(String((gate.address() as AddressInfo).port)));
    Object.assign(vscode.window, { showInputBox: () => Promise.resolve(' sk-test-1 ') });
    const [before] = servers();
    await vscode.commands.executeCommand('qwen-lsp.setApiKey');
    await until('a server with the key', () => servers().length === 1 && servers()[0] !== before);
    assert.equal(await explain(), 'Bearer sk-test-1');
    assert(!JSON.stringify(vscode.workspace.getConfiguration('qwen')).includes('sk-test-1'));
    const [withKey] = servers();
    await vscode.commands.executeCommand('qwen-lsp.clearApiKey');
    await until('a server without the key', () => servers().length === 1 && servers()[0] !== withKey);
    assert.doesNotMatch((await explain()) ?? '', /sk-test-1/);
  } finally {
    await set('endpoint.baseUrl', endpoint);
    gate.close();
  }
});

test('three restarts at once end in one server', async () => {
  const [before] = servers();
  await Promise.all([1, 2, 3].map(() => vscode.commands.executeCommand('qwen-lsp.restart')));
  await running();
  await until('one server is left', () => servers().length === 1);
  assert.notEqual(servers()[0], before);
});

test('a setting of the server that changes nothing does not restart it', async () => {
  const before = servers();
  await set('server.importStrategy', 'fromEnvironment');
  await server.command('qwen.status');
  await set('server.importStrategy', undefined);
  await status();
  assert.deepEqual(servers(), before);
});

test('a killed server comes back, knows the open text, and its commands work', async () => {
  const editor = await open('main.py');
  const [before] = servers();
  process.kill(before!, 'SIGKILL');
  await until('another server', () => servers().length === 1 && servers()[0] !== before);
  await running();
  assert.match(await ghost(editor, ADD + 'tot'), /\ntotal = add\(1, 2\)$/);
  assert.deepEqual(messages, []);
});

test('a server that is killed again and again is left alone, and that is said', async () => {
  await vscode.commands.executeCommand('qwen-lsp.restart');
  for (let times = 0; messages.length === 0; times++) {
    const pid = await until('a server', () => server.state === 'running' && servers()[0]);
    process.kill(pid, 'SIGKILL');
    await until('it is noticed', () => messages.length > 0 || (server.state === 'running' && servers().some((other) => other !== pid)));
    assert(times < 10);
  }
  assert.match(messages.pop()!, /not started again by itself/);
  await assert.rejects(status(), /not running/);
  await vscode.commands.executeCommand('qwen-lsp.restart');
  assert.equal((await status()).completion.enabled, true);
});

test('a path that leads nowhere is told, and set right it is used', async () => {
  await set('server.path', '/nowhere/qwen-lsp');
  await until('it is told', () => messages.some((message) => message.includes('/nowhere/qwen-lsp')));
  await until('the server before it is stopped', () => servers().length === 0 && server.state === 'stopped');
  messages.length = 0;
  await set('server.path', undefined);
  await running();
  assert.deepEqual(messages, []);
});

test('a program that is no server is told in a sentence', async () => {
  await set('server.path', '/bin/true');
  await until('it is told', () => messages.some((message) => message.includes('/bin/true does not start')));
  messages.length = 0;
  await set('server.path', undefined);
  await running();
});
