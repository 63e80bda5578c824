// Two logs, of the client and of the server, and a third for the messages between them, made when it is wanted.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as vscode from 'vscode';

export class Logs {
  readonly client = vscode.window.createOutputChannel('qwen-lsp', { log: true });
  readonly server = vscode.window.createOutputChannel('qwen-lsp Server', { log: true });
  readonly #levels = new vscode.EventEmitter<vscode.LogLevel>();
  #written: vscode.LogOutputChannel | undefined;

  /** Messages on the wire, as `qwen.trace.server` says: the library traces while this channel's level is Trace. */
  readonly trace = new Proxy({} as vscode.LogOutputChannel, {
    get: (_, name) => {
      const channel = () => (this.#written ??= vscode.window.createOutputChannel('qwen-lsp Trace', { log: true }));
      const own = { logLevel: this.#level(), onDidChangeLogLevel: this.#levels.event, trace: (message: string) => channel().info(message) };
      return Reflect.get(name in own ? own : channel(), name) as unknown;
    },
  });

  settingsChanged(): void {
    this.#levels.fire(this.#level());
  }

  dispose(): void {
    [this.client, this.server, this.#levels, this.#written].forEach((channel) => channel?.dispose());
  }

  #level(): vscode.LogLevel {
    const asked = vscode.workspace.getConfiguration('qwen').get('trace.server', 'off');
    return asked === 'off' ? vscode.LogLevel.Info : vscode.LogLevel.Trace;
  }
}

/** The server's log on its standard error, each line at its own level. */
export function hearLog(input: Readable, channel: vscode.LogOutputChannel): void {
  const methods = { ERROR: 'error', WARNING: 'warn', DEBUG: 'debug' } as const;
  createInterface({ input }).on('line', (line) => {
    const [, level, text] = /^(ERROR|WARNING|INFO|DEBUG) (.*)$/.exec(line) ?? [];
    channel[methods[level as keyof typeof methods] ?? 'info'](text ?? line);
  });
}
