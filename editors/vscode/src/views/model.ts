/** A run put together from its events: the same function in the extension and in the view. Pure. */

import type { AgentEvent, Call, Entry, Run, RunInfo } from './messages.ts';

/** Characters kept of what one command prints; the end counts. */
const MOST_PRINTED = 20_000;

export function begun(task: string): Run {
  return {
    run: '', task, model: '', live: true, told: true, entries: [], todos: [], turns: 0, usage: null, cost: null,
    ended: null, reason: '', summary: '', changes: [], states: {}, unsaved: 0, resumable: false, undoable: false,
  };
}

/** A run of the list, before its changes are known. */
export function listed(info: RunInfo): Run {
  const { run, task, model, turns, usage, cost, ended, resumable, undoable } = info;
  return {
    ...begun(task), run, model, turns, usage, cost, ended, resumable, undoable,
    live: false, told: false, reason: info.reason ?? '',
  };
}

/** The run after one more event. Entries that did not change stay the same objects. */
export function after(run: Run, event: AgentEvent): Run {
  const add = (entry: Entry): Run => ({ ...run, entries: [...run.entries, entry] });
  const last = run.entries[run.entries.length - 1];
  switch (event.event) {
    case 'began':
      return { ...run, run: event.run, task: event.task || run.task, model: event.model };
    case 'said':
      if (last?.kind !== 'said') return event.text.trim() ? add({ kind: 'said', text: event.text.trimStart() }) : run;
      return { ...run, entries: [...run.entries.slice(0, -1), { kind: 'said', text: last.text + event.text }] };
    case 'noted':
      return add({ kind: 'note', text: event.text });
    case 'called': {
      const { id, tool, about = '' } = event;
      return add({ kind: 'call', id, tool, about, ok: null, text: '', printed: '', diff: '' });
    }
    case 'printed':
      return called(run, event.id, (call) => ({ ...call, printed: (call.printed + event.text).slice(-MOST_PRINTED) }));
    case 'observed':
      return called(run, event.id, (call) => ({ ...call, ok: event.ok, text: event.text }));
    case 'changed':
      return called(run, event.id, (call) => ({ ...call, diff: call.diff + event.diff }));
    case 'asked': {
      const { title, detail, answer } = event;
      const asked: Entry = { kind: 'asked', title, detail, answer };
      const open = run.entries.findLastIndex((e) => e.kind === 'asked' && !e.answer && e.title === title);
      return answer && open >= 0 ? { ...run, entries: run.entries.with(open, asked) } : add(asked);
    }
    case 'planned':
      return { ...run, todos: event.todos };
    case 'compacted': {
      const [before, now] = [event.before, event.after].map((tokens) => tokens.toLocaleString('en'));
      return add({ kind: 'note', text: `The conversation was shortened from ${before} to ${now} tokens.` });
    }
    case 'turned': {
      const { prompt = 0, completion = 0, cached = 0 } = run.usage ?? {};
      const { usage } = event;
      return {
        ...run, turns: event.turn, cost: event.cost,
        usage: {
          prompt: prompt + usage.prompt, completion: completion + usage.completion, cached: cached + usage.cached,
        },
      };
    }
    case 'stopped':
      return { ...run, ended: event.ended, reason: event.reason };
  }
}

/** What happened, in a few words for somebody who does not see it; empty for what comes in pieces. */
export function words(event: AgentEvent): string {
  switch (event.event) {
    case 'called': return `${event.tool.replaceAll('_', ' ')} ${event.about ?? ''}`.trim();
    case 'observed': return event.ok ? '' : `${event.tool.replaceAll('_', ' ')} failed`;
    case 'asked': return event.answer ? '' : `Waits for you: ${event.title}`;
    case 'noted': return event.text;
    case 'stopped': return event.reason || `The run ended: ${event.ended}`;
    default: return '';
  }
}

function called(run: Run, id: string, change: (call: Call) => Call): Run {
  const at = run.entries.findLastIndex((entry) => entry.kind === 'call' && entry.id === id);
  const entry = run.entries[at];
  return entry?.kind === 'call' ? { ...run, entries: run.entries.with(at, change(entry)) } : run;
}
