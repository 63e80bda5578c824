/** What a run does to one file, side by side in the editor's own comparison. */

import * as vscode from 'vscode';
import type { ServerHandle } from '../client.ts';

const SCHEME = 'qwen-lsp-change';

/** The texts stay with the server, and are asked for when the editor is about to show them. */
export function comparison(server: ServerHandle): vscode.Disposable {
  const provideTextDocumentContent = async ({ path, query }: vscode.Uri) => {
    const { run, side } = JSON.parse(query) as { run: string; side: string };
    return (await server.command<Record<string, string>>('qwen.showRun', { run, form: 'texts', path: path.slice(1) }))[side];
  };
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, { provideTextDocumentContent });
}

export async function compare(run: string, path: string): Promise<void> {
  // A run that goes on may change the file once more: the editor keeps what it has read under an address.
  const at = Date.now();
  const [before, after] = ['before', 'after'].map((side) => vscode.Uri.from({ scheme: SCHEME, path: `/${path}`, query: JSON.stringify({ run, side, at }) }));
  await vscode.commands.executeCommand('vscode.diff', before, after, `${path} (Qwen)`);
}
