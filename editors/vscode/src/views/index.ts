// What is shown besides text: explanations, the agent, the pages.
import * as vscode from 'vscode';
import type { ServerHandle } from '../client.ts';
import { inEditor, register } from '../commands.ts';
import type { Logs } from '../logs.ts';
import { AgentView, wire } from './agent.ts';
import { Explanations } from './explain.ts';
import { here, openOutside, showPage } from './pages.ts';

/** The version of VS Code whose secondary side bar takes views of extensions, as 1.106. */
const ASIDE = 106;

/** Registers the views, and the commands that lead to them. */
export function registerViews(context: vscode.ExtensionContext, server: ServerHandle, logs: Logs): void {
  const [major = 1, minor = 0] = vscode.version.split('.').map(Number);
  const aside = major > 1 || minor >= ASIDE;
  void vscode.commands.executeCommand('setContext', 'qwen-lsp.aside', aside);
  const agent = new AgentView(context, server, aside ? 'qwen-lsp.agent' : 'qwen-lsp.agentLeft');
  const explanations = new Explanations(context, server);
  const command = (name: string, run: (uri?: vscode.Uri) => unknown) => register(context, logs, name, run);

  command('edit', () => agent.reveal('task'));
  command('agentRuns', () => agent.reveal('task'));
  command('undoEdit', () => agent.undo());
  command('openPage', openOutside);
  command('explainFile', (uri) => (uri ? explanations.explain(uri) : inEditor(({ document }) => explanations.explain(document.uri))()));
  command('explainSelection', inEditor(({ document, selection }) => explanations.explain(document.uri, selection)));
  command('showContext', inEditor(async (editor) => {
    await showPage('What the model is shown', await server.command('qwen.showContext', { uri: uriOf(editor), position: wire(editor.selection).end, ...here() }));
  }));
  command('whySuggestion', inEditor(async (editor) => {
    await explanations.show('/Why this suggestion.md', (await server.command<{ markdown: string }>('qwen.whySuggestion', { uri: uriOf(editor) })).markdown);
  }));
  command('editSelection', inEditor(async (editor) => {
    const task = await vscode.window.showInputBox({ title: 'Change the selection', prompt: 'What should be done with it?', placeHolder: 'Raise ValueError for negative sizes' });
    const progress = { location: vscode.ProgressLocation.Notification, title: 'Qwen changes the selection', cancellable: true };
    const told = task && await vscode.window.withProgress(progress, (_, token) =>
      server.command<{ problem?: string }>('qwen.edit', { task, uri: uriOf(editor), range: wire(editor.selection), scope: 'selection' }, token));
    if (told && told.problem) void vscode.window.showWarningMessage(told.problem);
  }));
}

const uriOf = (editor: vscode.TextEditor) => editor.document.uri.toString();
