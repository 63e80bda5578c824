import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { serverSettings, settingNames, withLanguage } from '../../src/settings.ts';

const NAMES = settingNames(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')));

function sent(set: Record<string, unknown>): Record<string, unknown> {
  return serverSettings(NAMES, (name) => set[name]);
}

test('nothing is sent when nothing is set, so that the person’s own file counts', () => {
  assert.deepEqual(sent({}), {});
});

test('what is set is sent under its group', () => {
  const set = { 'qwen.completion.enabled': false, 'qwen.completion.maxTokens': 64, 'qwen.endpoint.baseUrl': 'http://x/v1', 'qwen.logLevel': 'debug' };
  assert.deepEqual(sent(set), { completion: { enabled: false, maxTokens: 64 }, endpoint: { baseUrl: 'http://x/v1' }, logLevel: 'debug' });
});

test('the client’s own settings stay here: the server would refuse them', () => {
  assert.deepEqual(sent({ 'qwen.server.path': '/x', 'qwen.trace.server': 'verbose' }), {});
  assert(NAMES.includes('qwen.server.path') && NAMES.includes('qwen.trace.server'));
});

test('a table is sent as it is', () => {
  assert.deepEqual(sent({ 'qwen.completion.triggerByLanguage': { 'objective-c': 'off' } }), { completion: { triggerByLanguage: { 'objective-c': 'off' } } });
});

test('a language is turned off and on without touching the others', () => {
  const off = withLanguage({ markdown: 'manual' }, 'python', false);
  assert.deepEqual(off, { markdown: 'manual', python: 'off' });
  assert.deepEqual(withLanguage(off, 'python', true), { markdown: 'manual' });
});
