/** Explanations: a Markdown preview of a text that grows while the model writes it. Closing the preview ends the request. */

import * as vscode from 'vscode';
import type { ServerHandle } from '../client.ts';

const SCHEME = 'qwen-lsp';
/** Milliseconds between two looks of the preview, which renders the whole text each time. */
const PAUSE = 250;

export class Explanations implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly streams = new Map<string, vscode.Uri>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly server: ServerHandle;
  private made = 0;
  readonly onDidChange = this.changed.event;

  constructor(context: vscode.ExtensionContext, server: ServerHandle) {
    this.server = server;
    context.subscriptions.push(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      server.onNotification<{ stream: string; text: string }>('qwen/stream', ({ stream, text }) => {
        const uri = this.streams.get(stream);
        if (uri) this.write(uri, (this.texts.get(uri.path) ?? '') + text);
      }),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) || '*Reading…*';
  }

  /** Explains a file, or a part of it. */
  async explain(document: vscode.TextDocument, range?: vscode.Range): Promise<void> {
    const name = document.uri.path.split('/').at(-1) ?? '';
    const lines = range ? `:${range.start.line + 1}-${range.end.line + 1}` : '';
    const uri = await this.open(`${name}${lines} explained`);
    const stream = uri.path;
    this.streams.set(stream, uri);
    const cancelled = new vscode.CancellationTokenSource();
    const closing = this.closed(uri, () => cancelled.cancel());
    try {
      const argument = { uri: document.uri.toString(), stream, ...(range ? { range: { start: range.start, end: range.end } } : {}) };
      this.write(uri, await this.server.command<string>('qwen.explainFile', argument, cancelled.token));
    } catch (error) {
      if (!cancelled.token.isCancellationRequested) this.write(uri, `${this.texts.get(uri.path) ?? ''}\n\n---\n\n**It ended here:** ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.streams.delete(stream);
      closing.dispose();
      cancelled.dispose();
    }
  }

  /** Shows a text that is whole already. */
  async show(title: string, text: string): Promise<void> {
    this.write(await this.open(title), text);
  }

  private async open(title: string): Promise<vscode.Uri> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${++this.made}/${title}.md` });
    this.texts.set(uri.path, '');
    // Locked: it stays with this text, whatever other Markdown the person looks at.
    await vscode.commands.executeCommand('markdown.showLockedPreviewToSide', uri);
    return uri;
  }

  private write(uri: vscode.Uri, text: string): void {
    this.texts.set(uri.path, text);
    this.timers.get(uri.path) ?? this.timers.set(uri.path, setTimeout(() => {
      this.timers.delete(uri.path);
      this.changed.fire(uri);
    }, PAUSE));
  }

  private closed(uri: vscode.Uri, then: () => void): vscode.Disposable {
    const name = uri.path.split('/').at(-1) ?? '';
    return vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
      if (closed.some((tab) => tab.input instanceof vscode.TabInputWebview && tab.label.includes(name))) then();
    });
  }
}
