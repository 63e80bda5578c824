// The parts of the views that need no editor: diffs, and runs put together from events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../src/views/diff.ts';
import type { AgentEvent, Run } from '../../src/views/messages.ts';
import { after, begun } from '../../src/views/model.ts';

const shown = (diff: string) => parse(diff).map(({ kind, number, text }) => `${kind} ${number ?? '-'} ${text}`);
/** An event with nothing to be shown of it in lines, unless it says so. */
type Bare<Event> = Event extends AgentEvent ? Omit<Event, 'lines' | 'spoken' | 'doing'> & Partial<Event> : never;
const more = (run: Run, ...events: Bare<AgentEvent>[]): Run =>
  events.map((event) => ({ lines: [], spoken: '', doing: '', ...event }) as AgentEvent).reduce(after, run);
const run = (...events: Bare<AgentEvent>[]): Run => more(begun('Rename net.'), ...events);

test('a diff counts lines in the new text, and those that go in the old one', () => {
  const diff = '--- a/x.py\n+++ b/x.py\n@@ -4,3 +4,3 @@\n one\n-two\n+TWO\n three\n@@ -20 +20,2 @@\n twenty\n+more\n';
  assert.deepEqual(shown(diff), ['hunk - @@ -4,3 +4,3 @@', 'same 4 one', 'removed 5 two', 'added 5 TWO', 'same 6 three', 'hunk - @@ -20 +20,2 @@', 'same 20 twenty', 'added 21 more']);
});

test('lines of a file that look like the head of a diff are lines of the file', () => {
  const diff = '--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,2 @@\n--- a comment\n-@@ -1 +1 @@\n+++ b\n+rename from here\n';
  assert.deepEqual(shown(diff).slice(1), ['removed 1 -- a comment', 'removed 2 @@ -1 +1 @@', 'added 1 ++ b', 'added 2 rename from here']);
});

test('a new file, a deleted one, and an end without a line break', () => {
  assert.deepEqual(shown('--- /dev/null\n+++ b/n.md\n@@ -0,0 +1 @@\n+hello\n\\ No newline at end of file\n'), ['hunk - @@ -0,0 +1 @@', 'added 1 hello', 'note - No newline at end of file']);
  assert.deepEqual(shown('--- a/n.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-hello\n'), ['hunk - @@ -1 +0,0 @@', 'removed 1 hello']);
});

test('a file that is only moved, or made executable, says so', () => {
  assert.deepEqual(shown('diff --git a/a.py b/b.py\nold mode 100644\nnew mode 100755\nrename from a.py\nrename to b.py\n'), ['note - old mode 100644', 'note - new mode 100755', 'note - rename from a.py', 'note - rename to b.py']);
  assert.deepEqual(shown(''), []);
});

test('pieces of text are one entry until something else happens', () => {
  const { entries } = run({ event: 'said', text: '\n\nI will ' }, { event: 'said', text: 'look.' }, { event: 'called', id: '1', tool: 'read_file', about: 'a.py' }, { event: 'said', text: 'Now I know.' });
  assert.deepEqual(entries.map((entry) => (entry.kind === 'call' ? entry.about : entry.text)), ['I will look.', 'a.py', 'Now I know.']);
});

test('what a call prints, changes and answers belongs to that call, and leaves the others as they were', () => {
  const before = run({ event: 'called', id: '1', tool: 'edit', about: 'a.py' }, { event: 'called', id: '2', tool: 'run_shell_command', about: 'make' });
  const now = more(before, { event: 'printed', id: '2', text: 'one\n' }, { event: 'printed', id: '2', text: 'two\n' }, { event: 'observed', id: '2', ok: false, text: 'Exit status 2.' });
  assert.equal(now.entries[0], before.entries[0]);
  assert.deepEqual(now.entries[1], { kind: 'call', id: '2', tool: 'run_shell_command', about: 'make', ok: false, text: 'Exit status 2.', printed: 'one\ntwo\n', diff: '' });
});

test('an event of a call that nobody has seen changes nothing', () => {
  const before = begun('');
  assert.equal(more(before, { event: 'printed', id: '9', text: 'x' }), before);
});

test('of what a command prints the end is kept', () => {
  const { entries } = run({ event: 'called', id: '1', tool: 'run_shell_command', about: 'yes' }, { event: 'printed', id: '1', text: 'y\n'.repeat(50_000) }, { event: 'printed', id: '1', text: 'last' });
  const [call] = entries;
  assert.ok(call?.kind === 'call' && call.printed.length === 20_000 && call.printed.endsWith('y\nlast'));
});

test('what it took and how it ended are the server\'s words', () => {
  const { facts, state, reason } = run({ event: 'turned', facts: '2 turns' }, { event: 'stopped', doing: 'Stopped early', reason: 'Too many turns.' });
  assert.deepEqual([facts, state, reason], ['2 turns', 'Stopped early', 'Too many turns.']);
});

test('what else happens is a note for each line of it', () => {
  assert.deepEqual(run({ event: 'asked' }, { event: 'asked', lines: [{ text: 'Run it? → refused' }] }).entries, [{ kind: 'note', text: 'Run it? → refused' }]);
});
