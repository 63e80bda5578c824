import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escaped, shown } from '../../src/statusText.ts';
import type { Told } from '../../src/statusText.ts';

const READY: Told = { state: 'ready', text: 'Ready.', rows: [['Endpoint', 'localhost:8000'], ['Tokens', '12,345 in, 67 out']] };

test('a server that is not there is a warning with the reason', () => {
  const { text, detail, severity } = shown('stopped', undefined, 'It is not installed.');
  assert.deepEqual([text, detail, severity], ['$(warning) Qwen', 'It is not installed.', 'error']);
});

test('while it starts it is busy', () => {
  assert.equal(shown('starting', READY).busy, true);
  assert.match(shown('starting', READY).detail, /starts/);
});

test('what the server says of itself is what is shown', () => {
  const { text, detail, rows, busy, severity } = shown('running', READY, 'It was not installed.');
  assert.deepEqual([text, detail, rows, busy, severity], ['$(sparkle) Qwen', 'Ready.', READY.rows, false, 'information']);
});

test('before it has said anything it runs', () => {
  assert.deepEqual([shown('running', undefined).detail, shown('running', undefined).rows], ['The server runs.', []]);
});

test('a failing endpoint warns', () => {
  assert.equal(shown('running', { ...READY, state: 'failing' }).severity, 'warning');
});

test('text of a server is never markup', () => {
  assert.equal(escaped('[a](command:x) | <b>\n$(x)'), '\\[a\\]\\(command:x\\) \\| \\<b\\> \\$\\(x\\)');
});
