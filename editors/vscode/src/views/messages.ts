/** What the agent view shows, and the messages between the view (a page of its own) and the extension. */

export type Mode = 'plan' | 'ask' | 'allow';
export interface Usage { prompt: number; completion: number; cached: number }

/** One file of a run's change, as `qwen.edit` and `qwen.showRun` tell it. */
export interface Change {
  path: string; uri: string; kind: 'created' | 'changed' | 'deleted' | 'moved'; from: string | null;
  added: number; removed: number; diff: string;
}

/** One line of `qwen.agentRuns`. */
export interface RunInfo {
  run: string; task: string; mode: Mode; model: string; begun: string; ended: string | null; reason: string | null;
  turns: number; usage: Usage | null; cost: number | null; files: string[];
  running: boolean; resumable: boolean; undoable: boolean;
}

/** `event` of a `qwen/agentEvent`, as docs/protocol.md has it. */
export type AgentEvent =
  | { event: 'began'; run: string; task: string; model: string; resumed: boolean }
  | { event: 'said' | 'noted'; text: string }
  | { event: 'called'; id: string; tool: string; about?: string; uris?: Record<string, string> }
  | { event: 'printed'; id: string; text: string }
  | { event: 'observed'; id: string; tool: string; ok: boolean; text: string }
  | { event: 'changed'; id: string; paths: string[]; diff: string }
  | { event: 'asked'; title: string; detail: string; answer: string }
  | { event: 'planned'; todos: [string, string][] }
  | { event: 'compacted'; before: number; after: number; by_model: boolean }
  | { event: 'turned'; turn: number; usage: Usage; seconds: number; cost: number | null }
  | { event: 'stopped'; ended: string; reason: string };

export interface Call {
  kind: 'call'; id: string; tool: string; about: string; ok: boolean | null; text: string; printed: string; diff: string;
}
export type Entry =
  | Call
  | { kind: 'said' | 'note'; text: string }
  | { kind: 'asked'; title: string; detail: string; answer: string };

/** A run as the view shows it, live or from the list. */
export interface Run {
  run: string; task: string; model: string; live: boolean; told: boolean;
  entries: readonly Entry[]; todos: readonly [string, string][];
  turns: number; usage: Usage | null; cost: number | null;
  ended: string | null; reason: string; summary: string;
  changes: readonly Change[];
  /** What became of each file that was accepted, by path. */
  states: Readonly<Record<string, string>>;
  unsaved: number; resumable: boolean; undoable: boolean;
}

/** Something a person is asked: leave (`qwen/approve`), or a question of the model's (`qwen/ask`). */
export type Ask =
  | { id: number; ask: 'leave'; title: string; detail: string; kind: string }
  | { id: number; ask: 'question'; question: string; options: string[] };

export interface Pointed { label: string; uri: string }

export interface State {
  server: 'stopped' | 'starting' | 'running';
  mode: Mode; pointed: readonly Pointed[]; runs: readonly RunInfo[];
  run: Run | null; asks: readonly Ask[]; busy: string; problem: string; said: string;
}

export type ToView =
  | { type: 'state'; state: State }
  | { type: 'event'; event: AgentEvent }
  | { type: 'focus'; on: 'task' | 'ask' };

export type FromView =
  | { type: 'ready' | 'stop' | 'home' | 'point' | 'save' }
  | { type: 'start'; task: string; mode: Mode }
  | { type: 'unpoint' | 'openFile'; uri: string }
  | { type: 'answer'; id: number; answer: string }
  | { type: 'land'; run: string; files: string[] | null }
  | { type: 'open' | 'undo' | 'commit' | 'page'; run: string }
  | { type: 'resume'; run: string; task: string }
  | { type: 'command'; command: 'qwen-lsp.restart' | 'qwen-lsp.showLogs' };
