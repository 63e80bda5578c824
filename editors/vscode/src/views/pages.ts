/** Pages of the server in a tab: what is sent to the model around the cursor and why, and what a run did. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { themed } from './theme.ts';

const DARK = [vscode.ColorThemeKind.Dark, vscode.ColorThemeKind.HighContrast];
const shown = new Map<string, { panel: vscode.WebviewPanel; path: string }>();

/** Shows a page that needs nothing but itself. */
export async function showPage(title: string, path: string): Promise<void> {
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(path)));
  const panel = shown.get(title)?.panel ?? vscode.window.createWebviewPanel('qwen-lsp.page', title, vscode.ViewColumn.Beside, { enableScripts: true, localResourceRoots: [] });
  panel.onDidDispose(() => shown.delete(title));
  shown.set(title, { panel, path });
  panel.webview.html = themed(text, DARK.includes(vscode.window.activeColorTheme.kind), randomBytes(16).toString('base64'));
  panel.reveal();
}

/** Opens the page in front in the program that the system opens pages with. */
export async function openOutside(): Promise<void> {
  const page = [...shown.values()].find(({ panel }) => panel.active);
  if (page) await vscode.env.openExternal(vscode.Uri.file(page.path));
}
