// What the status bar says, from what the server says of itself.
import type { ServerState } from './client.ts';

/** `qwen/status`, and `state` of the command `qwen.status`. */
export interface Told {
  readonly state: 'off' | 'indexing' | 'ready' | 'working' | 'failing' | 'embedded';
  readonly text: string;
  readonly host: string | null;
  readonly model: string | null;
  readonly tokens: { readonly prompt: number; readonly completion: number; readonly cached: number };
  readonly cost: number | null;
  readonly problem: string | null;
}

export interface Shown {
  readonly text: string;
  readonly detail: string;
  /** Rows of the tooltip: a name and what it is. */
  readonly rows: readonly (readonly [string, string])[];
  readonly busy: boolean;
  readonly severity: 'information' | 'warning' | 'error';
}

const ICONS = { off: 'circle-slash', indexing: 'loading~spin', ready: 'sparkle', working: 'sync~spin', failing: 'warning', embedded: 'sparkle' };

/** The item's text, a sentence, and the tooltip. `missing`: why no server is there, when there is none. */
export function shown(state: ServerState, told: Told | undefined, missing?: string): Shown {
  if (state === 'stopped') {
    const detail = missing ?? 'The server is stopped.';
    return { text: '$(warning) Qwen', detail, rows: [], busy: false, severity: 'error' };
  }
  if (state === 'starting' || told === undefined) {
    const detail = state === 'starting' ? 'The server starts.' : 'The server runs.';
    return { text: `$(${state === 'starting' ? 'loading~spin' : 'sparkle'}) Qwen`, detail, rows: [], busy: state === 'starting', severity: 'information' };
  }
  const { prompt, completion, cached } = told.tokens;
  const rows: [string, string][] = [
    ['Endpoint', told.host ?? 'none'],
    ['Model', told.model ?? (told.host === null ? 'the embedded default' : 'not known yet')],
  ];
  if (prompt + completion > 0) {
    rows.push(['Tokens', `${grouped(prompt)} in${cached > 0 ? ` (${grouped(cached)} cached)` : ''}, ${grouped(completion)} out`]);
  }
  if (told.cost !== null) {
    rows.push(['Cost', told.cost.toFixed(told.cost < 1 ? 4 : 2)]);
  }
  if (told.problem !== null && told.problem !== told.text) {
    rows.push(['Problem', told.problem]);
  }
  return {
    text: `$(${ICONS[told.state]}) Qwen`,
    detail: told.text,
    rows,
    busy: told.state === 'indexing' || told.state === 'working',
    severity: told.state === 'failing' ? 'warning' : 'information',
  };
}

/** 1234567 as 1,234,567. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** Text for a Markdown table cell, in which nothing is markup. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, '\\$&').replace(/\s+/g, ' ');
}
