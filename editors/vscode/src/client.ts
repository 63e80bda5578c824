// The connection to the server, as everything else in the extension sees it.
import type * as vscode from 'vscode';

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
