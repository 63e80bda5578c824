/** Explanations: a Markdown preview of a text that grows while the model writes it. Closing the preview ends the request. */

import * as vscode from 'vscode';
import { said, type ServerHandle } from '../client.ts';
import { wire } from './agent.ts';

const SCHEME = 'qwen-lsp';
const PAUSE = 200; // milliseconds between two looks of the preview, which renders the whole text each time

export class Explanations implements vscode.TextDocumentContentProvider {
  private readonly server: ServerHandle;
  private readonly texts = new Map<string, string>();
  private readonly going = new Map<string, vscode.CancellationTokenSource>();
  private readonly waiting = new Set<string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  constructor(context: vscode.ExtensionContext, server: ServerHandle) {
    this.server = server;
    context.subscriptions.push(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => this.going.forEach((cancelling, path) => {
        if (closed.some(({ input, label }) => input instanceof vscode.TabInputWebview && label.endsWith(nameOf(path)))) cancelling.cancel();
      })),
      server.onNotification<{ stream: string; text: string }>('qwen/stream', ({ stream, text }) => {
        if (this.going.get(stream)?.token.isCancellationRequested === false) this.write(stream, (this.texts.get(stream) ?? '') + text);
      }),
    );
  }

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this.texts.get(path) || '*Reading…*';
  }

  /** Explains a file, or a part of it; once more, where the same is explained already. */
  async explain(uri: vscode.Uri, range?: vscode.Range): Promise<void> {
    const lines = range ? `, lines ${range.start.line + 1}-${range.end.line + 1}` : '';
    const stream = `${uri.path}${lines}, explained.md`;
    this.going.get(stream)?.cancel();
    const cancelling = new vscode.CancellationTokenSource();
    await this.show(stream, '');
    this.going.set(stream, cancelling);
    try {
      const argument = { uri: uri.toString(), stream, ...(range ? { range: wire(range) } : {}) };
      this.write(stream, await this.server.command<string>('qwen.explainFile', argument, cancelling.token));
    } catch (error) {
      if (!cancelling.token.isCancellationRequested) this.write(stream, `${this.texts.get(stream) ?? ''}\n\n---\n\nIt ended here: ${said(error)}`);
    } finally {
      if (this.going.get(stream) === cancelling) this.going.delete(stream);
    }
  }

  /** Shows a Markdown text. The preview is locked: it stays with this text, whatever else the person looks at. */
  async show(path: string, text: string): Promise<void> {
    this.write(path, text);
    await vscode.commands.executeCommand('markdown.showLockedPreviewToSide', vscode.Uri.from({ scheme: SCHEME, path }));
  }

  private write(path: string, text: string): void {
    this.texts.set(path, text);
    if (this.waiting.has(path)) return;
    this.waiting.add(path);
    setTimeout(() => {
      this.waiting.delete(path);
      this.changed.fire(vscode.Uri.from({ scheme: SCHEME, path }));
    }, PAUSE);
  }
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
