/** A run put together from its events: the same function in the extension and on the page. Pure. */

import type { AgentEvent, Call, Entry, Run } from './messages.ts';

/** Characters kept of what one command prints; the end counts. */
const MOST_PRINTED = 20_000;

export function begun(task: string): Run {
  const info = { run: '', task, begun: '', reason: '', state: 'Running', label: '', facts: '', files: [] };
  return { ...info, running: true, resumable: false, undoable: false, entries: [], todos: [], changes: null };
}

/** The run after one more event. Entries that did not change stay the same objects. */
export function after(run: Run, event: AgentEvent): Run {
  const add = (...more: Entry[]): Run => ({ ...run, entries: [...run.entries, ...more] });
  const call = (id: string, change: (call: Call) => Partial<Call>): Run => {
    const at = run.entries.findLastIndex((entry) => entry.kind === 'call' && entry.id === id);
    const entry = run.entries[at];
    return entry?.kind === 'call' ? { ...run, entries: run.entries.with(at, { ...entry, ...change(entry) }) } : run;
  };
  const last = run.entries.at(-1);
  switch (event.event) {
    case 'began': return { ...run, run: event.run, task: event.task || run.task };
    case 'said':
      if (last?.kind === 'said') return { ...run, entries: run.entries.with(-1, { kind: 'said', text: last.text + event.text }) };
      return event.text.trim() ? add({ kind: 'said', text: event.text.trimStart() }) : run;
    case 'called': return add({ kind: 'call', id: event.id, tool: event.tool, about: event.about, ok: null, text: '', printed: '', diff: '' });
    case 'printed': return call(event.id, ({ printed }) => ({ printed: (printed + event.text).slice(-MOST_PRINTED) }));
    case 'observed': return call(event.id, () => ({ ok: event.ok, text: event.text }));
    case 'changed': return call(event.id, ({ diff }) => ({ diff: diff + event.diff }));
    case 'planned': return { ...run, todos: event.todos };
    case 'turned': return { ...run, facts: event.facts };
    case 'stopped': return { ...run, state: event.doing, reason: event.reason };
    default: return add(...event.lines.map(({ text }) => ({ kind: 'note' as const, text })));
  }
}
