import type * as vscode from 'vscode';
import type { ServerHandle } from './client.ts';
import { registerViews } from './views/index.ts';

export function activate(context: vscode.ExtensionContext, server: ServerHandle): void {
  registerViews(context, server);
}
