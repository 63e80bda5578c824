import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escaped, shown } from '../../src/statusText.ts';
import type { Told } from '../../src/statusText.ts';

const READY: Told = { state: 'ready', text: 'Ready.', host: 'localhost:8000', model: 'qwen3-coder', tokens: { prompt: 12345, completion: 67, cached: 0 }, cost: null, problem: null };

test('a server that is not there is a warning with the reason', () => {
  const { text, detail, severity } = shown('stopped', undefined, 'It is not installed.');
  assert.deepEqual([text, detail, severity], ['$(warning) Qwen', 'It is not installed.', 'error']);
});

test('while it starts it is busy', () => {
  assert.equal(shown('starting', READY).busy, true);
  assert.match(shown('starting', READY).detail, /starts/);
});

test('endpoint, model and tokens are in the tooltip, money only where prices are known', () => {
  assert.deepEqual(shown('running', READY).rows, [['Endpoint', 'localhost:8000'], ['Model', 'qwen3-coder'], ['Tokens', '12,345 in, 67 out']]);
  assert.deepEqual(shown('running', { ...READY, cost: 0.01234 }).rows.at(-1), ['Cost', '0.0123']);
  assert.deepEqual(shown('running', { ...READY, cost: 12.3 }).rows.at(-1), ['Cost', '12.30']);
});

test('cached tokens are told when there are some', () => {
  const { rows } = shown('running', { ...READY, tokens: { prompt: 9000, completion: 1, cached: 8000 } });
  assert.equal(rows.find(([name]) => name === 'Tokens')?.[1], '9,000 in (8,000 cached), 1 out');
});

test('a failing endpoint warns and says why, once', () => {
  const failing: Told = { ...READY, state: 'failing', text: 'The last request failed.', problem: 'refused' };
  assert.equal(shown('running', failing).severity, 'warning');
  assert.deepEqual(shown('running', failing).rows.at(-1), ['Problem', 'refused']);
  assert(!shown('running', { ...failing, problem: failing.text }).rows.some(([name]) => name === 'Problem'));
});

test('without an endpoint the embedded default is named', () => {
  const embedded: Told = { ...READY, state: 'embedded', host: null, model: null };
  assert.deepEqual(shown('running', embedded).rows.slice(0, 2), [['Endpoint', 'none'], ['Model', 'the embedded default']]);
});

test('text of a server is never markup', () => {
  assert.equal(escaped('[a](command:x) | <b>\n$(x)'), '\\[a\\]\\(command:x\\) \\| \\<b\\> \\$\\(x\\)');
});
