// The connection to the server, as everything else in the extension sees it: one that outlives restarts.
import * as vscode from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
import type { LanguageClientOptions, StaticFeature } from 'vscode-languageclient/node';
import { hearLog } from './logs.ts';
import type { Logs } from './logs.ts';

export type ServerState = 'stopped' | 'starting' | 'running';

/** Outlives restarts of the server: handlers put on once are put on each new connection. */
export interface ServerHandle {
  /** A request of the protocol. Waits while the server starts; fails with a sentence when there is none. */
  request<R>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<R>;
  /** A command of the server (`qwen.*`), with the one object that it takes. */
  command<R>(name: string, argument?: object, token?: vscode.CancellationToken): Promise<R>;
  onNotification<P>(method: string, handler: (params: P) => void): vscode.Disposable;
  onRequest<P, R>(method: string, handler: (params: P, token: vscode.CancellationToken) => R | Promise<R>): vscode.Disposable;
  readonly state: ServerState;
  readonly onDidChangeState: vscode.Event<ServerState>;
}

/** A server to start: the same value means that nothing has changed. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables besides those of the editor. */
  readonly env: Readonly<Record<string, string>>;
}

const START_TIME = 60_000; // milliseconds; a cold disk and an interpreter take some
const DEATHS = 3; // within the time below; after that it is not started by itself any more
const DEATHS_WITHIN = 180_000;

/** What the server may know of this client besides the standard: see docs/protocol.md. */
const EXPERIMENTAL: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = { ...capabilities.experimental, qwen: { approvals: true, status: true, settings: true } };
  },
  initialize() {},
  getState: () => ({ kind: 'static' }),
  clear() {},
};

/** Tells failures to the log alone: what a person should know of is said once, by us. */
class Client extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Connection implements ServerHandle, vscode.Disposable {
  readonly #states = new vscode.EventEmitter<ServerState>();
  readonly #failures = new vscode.EventEmitter<string>();
  readonly #notified = new Map<string, Set<(params: never) => void>>();
  readonly #asked = new Map<string, (params: never, token: vscode.CancellationToken) => unknown>();
  readonly onDidChangeState = this.#states.event;
  /** The server could not be started, or dies again and again: a sentence. Nothing is tried until it is asked for. */
  readonly onDidFail = this.#failures.event;
  #client: LanguageClient | undefined;
  #launched = '';
  #state: ServerState = 'stopped';
  #queue: Promise<void> = Promise.resolve();
  #turn = 0;
  #forced = false;
  #deaths: number[] = [];
  readonly #find: () => Promise<Launch | undefined>;
  readonly #settings: () => Record<string, unknown>;
  readonly #logs: Logs;

  /** `find` is asked before each start which server it is to be; undefined: none. */
  constructor(find: () => Promise<Launch | undefined>, settings: () => Record<string, unknown>, logs: Logs) {
    this.#find = find;
    this.#settings = settings;
    this.#logs = logs;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Stop what runs and start what is found now. Restarts wait for one another; of those that wait the last one counts. */
  restart(): Promise<void> {
    this.#deaths = [];
    this.#forced = true;
    return this.#enqueue(() => this.#replace());
  }

  /** The same, but only where another server is found than the one that runs. */
  refresh(): Promise<void> {
    return this.#enqueue(() => this.#replace());
  }

  stop(): Promise<void> {
    return this.#enqueue(() => this.#end());
  }

  dispose(): void {
    void this.stop();
  }

  async request<R>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<R> {
    while (this.#state === 'starting') {
      await this.#queue;
    }
    if (this.#client === undefined || this.#state !== 'running') {
      throw new Error('The qwen-lsp server is not running. The command "Qwen: Show Status" says why.');
    }
    return token === undefined ? this.#client.sendRequest<R>(method, params) : this.#client.sendRequest<R>(method, params, token);
  }

  command<R>(name: string, argument: object = {}, token?: vscode.CancellationToken): Promise<R> {
    return this.request('workspace/executeCommand', { command: name, arguments: [argument] }, token);
  }

  onNotification<P>(method: string, handler: (params: P) => void): vscode.Disposable {
    let handlers = this.#notified.get(method);
    if (handlers === undefined) {
      handlers = new Set();
      this.#notified.set(method, handlers);
      this.#hear(this.#client, method);
    }
    handlers.add(handler);
    return new vscode.Disposable(() => this.#notified.get(method)?.delete(handler));
  }

  onRequest<P, R>(method: string, handler: (params: P, token: vscode.CancellationToken) => R | Promise<R>): vscode.Disposable {
    const isNew = !this.#asked.has(method);
    this.#asked.set(method, handler);
    if (isNew) {
      this.#answer(this.#client, method);
    }
    return new vscode.Disposable(() => this.#asked.delete(method));
  }

  /** Settings have changed: the server gets all that are set. */
  async tellSettings(): Promise<void> {
    if (this.#state === 'running') {
      await this.#client?.sendNotification('workspace/didChangeConfiguration', { settings: { qwen: this.#settings() } });
    }
  }

  #hear(client: LanguageClient | undefined, method: string): void {
    client?.onNotification(method, (params: unknown) => this.#notified.get(method)?.forEach((handler) => handler(params as never)));
  }

  #answer(client: LanguageClient | undefined, method: string): void {
    client?.onRequest(method, (params: unknown, token) => this.#asked.get(method)?.(params as never, token) ?? null);
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const turn = ++this.#turn;
    this.#queue = this.#queue
      .then(() => (turn === this.#turn ? work() : undefined))
      .catch((error: unknown) => this.#fail(`The server could not be started: ${said(error)}`));
    return this.#queue;
  }

  async #replace(): Promise<void> {
    const launch = await this.#find();
    const wanted = JSON.stringify(launch);
    const forced = this.#forced;
    this.#forced = false;
    if (!forced && this.#state === 'running' && wanted === this.#launched) {
      return;
    }
    await this.#end();
    if (launch !== undefined) {
      this.#set('starting');
      this.#launched = wanted;
      await this.#start(launch);
    }
  }

  async #start(launch: Launch): Promise<void> {
    this.#logs.client.info(`starts: ${[launch.command, ...launch.args].join(' ')}`);
    const client = new Client('qwen', 'qwen-lsp', this.#executable(launch), this.#options());
    client.registerFeature(EXPERIMENTAL);
    for (const method of this.#notified.keys()) {
      this.#hear(client, method);
    }
    for (const method of this.#asked.keys()) {
      this.#answer(client, method);
    }
    this.#client = client;
    try {
      await within(START_TIME, client.start());
    } catch (error) {
      this.#client = undefined;
      // Ends the process as well, though it cannot be said good-bye to.
      await client.stop().catch(() => undefined);
      this.#fail(`The server does not start: ${said(error)}`);
      return;
    }
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && this.#client === client) {
        this.#client = undefined;
        this.#died();
      }
    });
    if (client.state !== State.Running) {
      this.#client = undefined;
      this.#died();
      return;
    }
    const server = client.initializeResult?.serverInfo;
    this.#logs.client.info(`runs: ${server?.name} ${server?.version}`);
    this.#set('running');
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) {
      await client.dispose().catch((error: unknown) => this.#logs.client.warn(`was not stopped in time: ${said(error)}`));
    }
    this.#set('stopped');
  }

  #died(): void {
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((then) => now - then < DEATHS_WITHIN), now];
    if (this.#deaths.length > DEATHS) {
      this.#fail(`The server has ended ${this.#deaths.length} times within three minutes and is not started again by itself.`);
      return;
    }
    this.#logs.client.warn('the server has ended by itself; it is started again');
    this.#set('starting');
    this.#forced = true;
    void this.#enqueue(() => this.#replace());
  }

  #fail(problem: string): void {
    this.#logs.client.error(problem);
    this.#set('stopped');
    this.#failures.fire(problem);
  }

  #set(state: ServerState): void {
    if (state !== this.#state) {
      this.#state = state;
      this.#states.fire(state);
    }
  }

  #executable({ command, args, env }: Launch) {
    // From the home folder, so that no file of a workspace is taken for a part of the server.
    return { command, args: [...args], options: { env: { ...process.env, ...env }, cwd: this.#logs.home } };
  }

  #options(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
      initializationOptions: this.#settings(),
      outputChannel: this.#logs.server,
      stdioOptions: { stdout: () => undefined, stderr: hearLog },
      traceOutputChannel: this.#logs.trace,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true, message: 'The connection has ended.' }),
      },
      middleware: {
        workspace: {
          configuration: (params) => params.items.map((item) => (item.section === 'qwen' ? this.#settings() : null)),
        },
      },
    };
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} seconds`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
