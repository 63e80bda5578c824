/** What the agent view shows, and the messages between its page and the extension. */

export type Mode = 'plan' | 'ask' | 'allow';

/** One file of a run's change, as `qwen.edit` and `qwen.showRun` tell it. */
export interface Change {
  path: string; uri: string; kind: 'created' | 'changed' | 'deleted' | 'moved'; from: string | null;
  added: number; removed: number; diff: string; landed?: boolean;
}

/** One line of `qwen.agentRuns`. */
export interface RunInfo {
  run: string; task: string; begun: string; reason: string; state: string; label: string; facts: string;
  files: string[]; running: boolean; resumable: boolean; undoable: boolean;
}

/** `event` of a `qwen/agentEvent`, as docs/protocol.md has it. */
export type AgentEvent = { lines: { text: string }[]; spoken: string; doing: string } & (
  | { event: 'began'; run: string; task: string }
  | { event: 'said'; text: string }
  | { event: 'called'; id: string; tool: string; about: string }
  | { event: 'printed'; id: string; text: string }
  | { event: 'observed'; id: string; ok: boolean; text: string }
  | { event: 'changed'; id: string; diff: string }
  | { event: 'planned'; todos: [string, string][] }
  | { event: 'turned'; facts: string }
  | { event: 'stopped'; reason: string }
  | { event: 'asked' | 'noted' | 'compacted' });

export interface Call { kind: 'call'; id: string; tool: string; about: string; ok: boolean | null; text: string; printed: string; diff: string }
export type Entry = Call | { kind: 'said' | 'note'; text: string };

/** A run as it is shown: what the list knows of it, what happened before our eyes, and what it changes once that is known. */
export interface Run extends RunInfo { entries: readonly Entry[]; todos: readonly [string, string][]; changes: readonly Change[] | null }

/** Something the person is asked, by `qwen/approve` or `qwen/ask`. */
export interface Ask { id: number; title: string; detail?: string; diff?: string; choices: { text: string; answer: string }[]; free: boolean }

export interface State {
  server: 'stopped' | 'starting' | 'running'; mode: Mode; pointed: readonly { label: string; uri: string }[]; runs: readonly RunInfo[];
  run: Run | null; asks: readonly Ask[]; busy: string; problem: string; said: string;
}

export type ToPage = { type: 'state'; state: State } | { type: 'event'; event: AgentEvent } | { type: 'focus'; on: 'task' | 'ask' };

export type FromPage =
  | { type: 'ready' | 'stop' | 'home' | 'point' | 'save' }
  | { type: 'start'; task: string; mode: Mode }
  | { type: 'resume'; task: string }
  | { type: 'land'; files: string[] | null }
  | { type: 'undo' | 'commit' | 'page' | 'open'; run: string }
  | { type: 'answer'; id: number; answer: string }
  | { type: 'unpoint' | 'show'; uri: string }
  | { type: 'compare'; path: string }
  | { type: 'command'; command: 'qwen-lsp.restart' | 'qwen-lsp.showLogs' };
