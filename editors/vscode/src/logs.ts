// Two logs, of the client and of the server, and a third for the messages between them, made when it is wanted.
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as vscode from 'vscode';

export class Logs implements vscode.Disposable {
  readonly home = homedir();
  /** What this extension does. */
  readonly client = vscode.window.createOutputChannel('qwen-lsp', { log: true });
  /** What the server says. */
  readonly server = vscode.window.createOutputChannel('qwen-lsp Server', { log: true });
  readonly #traced = new vscode.EventEmitter<vscode.LogLevel>();
  #channel: vscode.LogOutputChannel | undefined;

  /** The messages on the wire, as `qwen.trace.server` says. */
  get trace(): vscode.LogOutputChannel {
    // The library traces while this channel's level is Trace; VS Code lets only the person set a real one's.
    const logs = this;
    return new Proxy({} as vscode.LogOutputChannel, {
      get(_, name) {
        switch (name) {
          case 'logLevel':
            return logs.#level();
          case 'onDidChangeLogLevel':
            return logs.#traced.event;
          case 'trace':
            return (message: string) => logs.#written().info(message);
          default:
            return Reflect.get(logs.#written(), name) as unknown;
        }
      },
    });
  }

  settingsChanged(): void {
    this.#traced.fire(this.#level());
  }

  dispose(): void {
    vscode.Disposable.from(this.client, this.server, this.#traced, ...(this.#channel ? [this.#channel] : [])).dispose();
  }

  #level(): vscode.LogLevel {
    const asked = vscode.workspace.getConfiguration('qwen').get('trace.server', 'off');
    return asked === 'off' ? vscode.LogLevel.Info : vscode.LogLevel.Trace;
  }

  #written(): vscode.LogOutputChannel {
    return (this.#channel ??= vscode.window.createOutputChannel('qwen-lsp Trace', { log: true }));
  }
}

/** The server's log on its standard error, each line at its own level. */
export function hearLog(input: Readable, channel: vscode.LogOutputChannel): void {
  createInterface({ input }).on('line', (line) => {
    const [, level, text] = /^(ERROR|WARNING|INFO|DEBUG) (.*)$/.exec(line) ?? [];
    const write = { ERROR: 'error', WARNING: 'warn', DEBUG: 'debug' } as const;
    channel[write[level as keyof typeof write] ?? 'info'](text ?? line);
  });
}
