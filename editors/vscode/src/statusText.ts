// What the status bar says, from what the server says of itself.
import type { ServerState } from './client.ts';

/** `qwen/status`, and `state` of the command `qwen.status`. */
export interface Told {
  readonly state: 'off' | 'indexing' | 'ready' | 'working' | 'failing' | 'embedded';
  readonly text: string;
  /** Rows of the tooltip: a name and what it is. */
  readonly rows: readonly (readonly [string, string])[];
}

const ICONS = {
  stopped: 'warning', starting: 'loading~spin', running: 'sparkle',
  off: 'circle-slash', indexing: 'loading~spin', ready: 'sparkle', working: 'sync~spin', failing: 'warning', embedded: 'sparkle',
};
const UNTOLD = { stopped: 'The server is stopped.', starting: 'The server starts.', running: 'The server runs.' };

/** The item's text, a sentence, and the tooltip. `missing`: why no server is there, when there is none. */
export function shown(server: ServerState, told: Told | undefined, missing?: string) {
  const now = server === 'running' ? told : undefined;
  const state = now?.state ?? server;
  const severity: 'information' | 'warning' | 'error' = state === 'stopped' ? 'error' : state === 'failing' ? 'warning' : 'information';
  return {
    text: `$(${ICONS[state]}) Qwen`,
    detail: now?.text ?? (server === 'stopped' ? missing : undefined) ?? UNTOLD[server],
    rows: now?.rows ?? [],
    busy: ['starting', 'indexing', 'working'].includes(state),
    severity,
  };
}

/** Text for a Markdown table cell, in which nothing is markup. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, '\\$&').replace(/\s+/g, ' ');
}
