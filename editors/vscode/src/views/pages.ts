/** Pages of the server in a tab: what is sent to the model around the cursor and why, and what a run did. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { themed } from './theme.ts';

const panels = new Map<string, vscode.WebviewPanel>();
let front = '';

/** Shows a page that needs nothing but itself. One of the same title is replaced. */
export async function showPage(title: string, path: string): Promise<void> {
  const page = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(path)));
  const dark = [vscode.ColorThemeKind.Dark, vscode.ColorThemeKind.HighContrast].includes(vscode.window.activeColorTheme.kind);
  const panel = panels.get(title) ?? vscode.window.createWebviewPanel('qwen-lsp.page', title, vscode.ViewColumn.Beside, { enableScripts: true, localResourceRoots: [] });
  panels.set(title, panel);
  panel.onDidDispose(() => panels.delete(title));
  panel.webview.html = themed(page, dark, randomBytes(16).toString('base64'));
  panel.reveal();
  front = path;
}

/** Opens the page that was shown last in the program that the system opens pages with. */
export async function openOutside(): Promise<void> {
  await vscode.env.openExternal(vscode.Uri.file(front));
}
