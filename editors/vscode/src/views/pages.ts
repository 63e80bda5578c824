/** Pages of the server in a tab: what is sent to the model around the cursor and why, and what a run did. */

import * as vscode from 'vscode';

const panels = new Map<string, vscode.WebviewPanel>();
let front = '';

/** Arguments of a command that makes a page: to be shown here, and to look as the editor does. */
export function here(): object {
  const dark = [vscode.ColorThemeKind.Dark, vscode.ColorThemeKind.HighContrast].includes(vscode.window.activeColorTheme.kind);
  return { form: 'html', show: false, theme: dark ? 'dark' : 'light' };
}

/** Shows a page that needs nothing but itself; its own policy lets in its own style and script alone. */
export async function showPage(title: string, { page: { path } }: { page: { path: string } }): Promise<void> {
  const page = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(path)));
  const panel = panels.get(title) ?? vscode.window.createWebviewPanel('qwen-lsp.page', title, vscode.ViewColumn.Beside, { enableScripts: true, localResourceRoots: [] });
  panels.set(title, panel);
  panel.onDidDispose(() => panels.delete(title));
  panel.webview.html = page;
  panel.reveal();
  front = path;
}

/** Opens the page that was shown last in the program that the system opens pages with. */
export async function openOutside(): Promise<void> {
  await vscode.env.openExternal(vscode.Uri.file(front));
}
