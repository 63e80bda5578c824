// The connection to the server, as everything else in the extension sees it: one that outlives restarts.
import { homedir } from 'node:os';
import { setTimeout as after } from 'node:timers/promises';
import * as vscode from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
import type { InitializeParams, LanguageClientOptions } from 'vscode-languageclient/node';
import { hearLog } from './logs.ts';
import type { Logs } from './logs.ts';

export type ServerState = 'stopped' | 'starting' | 'running';

/** What the rest of the extension, and other extensions, may do with the connection. */
export type ServerHandle = Pick<Connection, 'request' | 'command' | 'onNotification' | 'onRequest' | 'state' | 'onDidChangeState'>;

/** A server to start, with the variables that it gets besides those of the editor. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const START_TIME = 60_000; // milliseconds; a cold disk and an interpreter take some
const DEATHS = 3; // within the time below; after that it is not started by itself any more
const DEATHS_WITHIN = 180_000;

class Client extends LanguageClient {
  protected override fillInitializeParams(params: InitializeParams): void {
    super.fillInitializeParams(params);
    params.capabilities.experimental = { qwen: { approvals: true, status: true, settings: true } };
  }

  /** Failures go to the log alone: what a person should know is said once, by us. */
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Outlives restarts of the server: handlers put on once, one for each method, are put on each new connection. */
export class Connection {
  readonly #states = new vscode.EventEmitter<ServerState>();
  readonly onDidChangeState = this.#states.event;
  readonly #failures = new vscode.EventEmitter<string>();
  /** The server could not be started, or dies again and again: a sentence. Nothing is tried until it is asked for. */
  readonly onDidFail = this.#failures.event;
  readonly #handlers = new Set<(client: Client) => void>();
  readonly #find: () => Promise<Launch | undefined>;
  readonly #settings: () => Record<string, unknown>;
  readonly #logs: Logs;
  #client: Client | undefined;
  #launched = '';
  #state: ServerState = 'starting';
  #queue: Promise<void> = Promise.resolve();
  #turn = 0;
  #forced = false;
  #deaths: number[] = [];

  /** `find` is asked before each start which server it is to be; undefined: none. */
  constructor(find: () => Promise<Launch | undefined>, settings: () => Record<string, unknown>, logs: Logs) {
    [this.#find, this.#settings, this.#logs] = [find, settings, logs];
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Stop what runs and start what is found now. Restarts wait for one another; of those that wait the last one counts. */
  restart(): Promise<void> {
    this.#deaths = [];
    this.#forced = true;
    return this.refresh();
  }

  /** The same, but only where another server is found than the one that runs. */
  refresh(): Promise<void> {
    return this.#enqueue(() => this.#replace());
  }

  stop(): Promise<void> {
    return this.#enqueue(() => this.#end());
  }

  /** A request of the protocol. Waits while the server starts; fails with a sentence when there is none. */
  async request<R>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<R> {
    while (this.#state === 'starting') await this.#queue;
    if (this.#client === undefined) throw new Error('The qwen-lsp server is not running. "Qwen: Show Status" says why.');
    return this.#client.sendRequest<R>(method, params, ...(token === undefined ? [] : [token]));
  }

  /** A command of the server (`qwen.*`), with the one object that it takes. */
  command<R>(name: string, argument: object = {}, token?: vscode.CancellationToken): Promise<R> {
    return this.request('workspace/executeCommand', { command: name, arguments: [argument] }, token);
  }

  onNotification<P>(method: string, handler: (params: P) => void): vscode.Disposable {
    return this.#put((client) => client.onNotification(method, handler));
  }

  onRequest<P, R>(method: string, handler: (params: P, token: vscode.CancellationToken) => R | Promise<R>): vscode.Disposable {
    return this.#put((client) => client.onRequest(method, handler as () => unknown));
  }

  /** Settings have changed: the server gets all that are set. */
  async tellSettings(): Promise<void> {
    await this.#queue;
    const told = this.#client?.sendNotification('workspace/didChangeConfiguration', { settings: { qwen: this.#settings() } });
    await told?.catch((error: unknown) => this.#logs.client.warn(`settings were not told: ${said(error)}`));
  }

  #put(put: (client: Client) => void): vscode.Disposable {
    this.#handlers.add(put);
    if (this.#client !== undefined) put(this.#client);
    return new vscode.Disposable(() => this.#handlers.delete(put));
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
    if (!forced && this.#state === 'running' && wanted === this.#launched) return;
    await this.#end(launch === undefined ? 'stopped' : 'starting');
    this.#launched = wanted;
    if (launch !== undefined) await this.#start(launch);
  }

  async #start({ command, args, env }: Launch): Promise<void> {
    this.#logs.client.info(`starts: ${[command, ...args].join(' ')}`);
    // From the home folder, so that no file of a workspace is taken for a part of the server.
    const options = { env: { ...process.env, ...env }, cwd: homedir() };
    const client = new Client('qwen', 'qwen-lsp', { command, args: [...args], options }, this.#options());
    this.#handlers.forEach((put) => put(client));
    try {
      const late = after(START_TIME, undefined, { ref: false }).then(() => Promise.reject(new Error('no answer within a minute')));
      await Promise.race([client.start(), late]);
    } catch (error) {
      this.#logs.server.error(said(error));
      await client.stop().catch(() => undefined); // it cannot be said good-bye to, but its process ends
      this.#fail(`The server ${command} does not start; its log says more.`);
      return;
    }
    const { name, version } = client.initializeResult?.serverInfo ?? {};
    this.#logs.client.info(`runs: ${name} ${version}`);
    this.#client = client;
    const look = () => client.state === State.Stopped && this.#client === client && this.#died();
    client.onDidChangeState(look);
    this.#set('running');
    look();
  }

  async #end(next: ServerState = 'stopped'): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#set(next);
    await client?.dispose().catch((error: unknown) => this.#logs.client.warn(`was not stopped in time: ${said(error)}`));
  }

  #died(): void {
    this.#client = undefined;
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((then) => now - then < DEATHS_WITHIN), now];
    if (this.#deaths.length > DEATHS) return this.#fail(`The server has ended ${this.#deaths.length} times within three minutes and is not started again by itself.`);
    this.#logs.client.warn('the server has ended by itself; it is started again');
    this.#forced = true;
    this.#set('starting');
    void this.refresh();
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
        workspace: { configuration: ({ items }) => items.map(({ section }) => (section === 'qwen' ? this.#settings() : null)) },
      },
    };
  }
}

export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
