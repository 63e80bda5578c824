/** A run put together from its events: the same function in the extension and on the page. Pure. */

import type { AgentEvent, Call, Entry, Run } from './messages.ts';

/** Characters kept of what one command prints; the end counts. */
const MOST_PRINTED = 20_000;
const ANSWERED: Record<string, string> = { once: 'allowed once', request: 'allowed for this run', no: 'refused' };

export function begun(task: string): Run {
  const info = { run: '', task, begun: '', ended: null, reason: '', turns: 0, usage: null, cost: null, files: [] };
  return { ...info, running: true, resumable: false, undoable: false, entries: [], todos: [], summary: '', changes: null };
}

/** The run after one more event. Entries that did not change stay the same objects. */
export function after(run: Run, event: AgentEvent): Run {
  const add = (entry: Entry): Run => ({ ...run, entries: [...run.entries, entry] });
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
    case 'noted': return add({ kind: 'note', text: event.text });
    case 'called': return add({ kind: 'call', id: event.id, tool: event.tool, about: event.about, ok: null, text: '', printed: '', diff: '' });
    case 'printed': return call(event.id, ({ printed }) => ({ printed: (printed + event.text).slice(-MOST_PRINTED) }));
    case 'observed': return call(event.id, () => ({ ok: event.ok, text: event.text }));
    case 'changed': return call(event.id, ({ diff }) => ({ diff: diff + event.diff }));
    case 'asked': return event.answer ? add({ kind: 'note', text: `${event.title} → ${ANSWERED[event.answer] ?? event.answer}` }) : run;
    case 'planned': return { ...run, todos: event.todos };
    case 'compacted': return add({ kind: 'note', text: `The conversation was shortened from ${event.before} to ${event.after} tokens.` });
    case 'turned': {
      const { prompt, completion, cached } = run.usage ?? { prompt: 0, completion: 0, cached: 0 };
      const { usage, turn: turns, cost } = event;
      return { ...run, turns, cost, usage: { prompt: prompt + usage.prompt, completion: completion + usage.completion, cached: cached + usage.cached } };
    }
    case 'stopped': return { ...run, ended: event.ended, reason: event.reason };
  }
}

/** What happened, in a few words for somebody who does not see it; empty for what comes in pieces. */
export function words(event: AgentEvent): string {
  switch (event.event) {
    case 'called': return `${event.tool.replaceAll('_', ' ')} ${event.about}`.trim();
    case 'observed': return event.ok ? '' : `${event.tool.replaceAll('_', ' ')} failed`;
    case 'noted': return event.text;
    case 'stopped': return event.reason || `The run ended: ${event.ended}`;
    default: return '';
  }
}
