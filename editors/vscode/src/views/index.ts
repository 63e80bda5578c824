// What is shown besides text: explanations, the agent, the pages.
import * as vscode from 'vscode';
import type { ServerHandle } from '../client.ts';
import { AgentView } from './agent.ts';
import { Explanations } from './explain.ts';
import { openOutside, showPage } from './pages.ts';

/** The first version of the editor with a secondary side bar for views of extensions. */
const [MAJOR, MINOR] = [1, 106];

/** Registers the views, and the commands that lead to them. */
export function registerViews(context: vscode.ExtensionContext, server: ServerHandle): void {
  const [major = 0, minor = 0] = vscode.version.split('.').map(Number);
  const aside = major > MAJOR || (major === MAJOR && minor >= MINOR);
  void vscode.commands.executeCommand('setContext', 'qwen-lsp.aside', aside);
  const agent = new AgentView(context, server, aside ? 'qwen-lsp.agent' : 'qwen-lsp.agentLeft');
  const explanations = new Explanations(context, server);
  const command = (name: string, run: (editor: vscode.TextEditor) => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(`qwen-lsp.${name}`, () => {
      const editor = vscode.window.activeTextEditor;
      return editor ? failing(run(editor)) : vscode.window.showInformationMessage('Open a file first.');
    }));
  const plain = (name: string, run: () => unknown) => context.subscriptions.push(vscode.commands.registerCommand(`qwen-lsp.${name}`, () => failing(run())));

  plain('edit', () => agent.reveal('task'));
  plain('agentRuns', () => agent.reveal('task'));
  plain('undoEdit', () => agent.undo());
  plain('openPage', openOutside);
  command('explainFile', ({ document }) => explanations.explain(document));
  command('explainSelection', ({ document, selection }) => explanations.explain(document, selection));
  command('editSelection', (editor) => editSelection(server, editor));
  command('showContext', async ({ document, selection }) => {
    const argument = { uri: document.uri.toString(), position: selection.active, form: 'html', show: false };
    const told = await server.command<{ page: { path: string } }>('qwen.showContext', argument);
    await showPage('What the model is shown', told.page.path);
  });
  command('whySuggestion', async ({ document }) => {
    const told = await server.command<{ markdown: string }>('qwen.whySuggestion', { uri: document.uri.toString() });
    await explanations.show('Why this suggestion', told.markdown);
  });
}

async function editSelection(server: ServerHandle, { document, selection }: vscode.TextEditor): Promise<void> {
  const task = await vscode.window.showInputBox({ title: 'Change the selection', prompt: 'What should be done with it?', placeHolder: 'Make it raise ValueError for negative sizes' });
  if (!task) return;
  const told = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'Qwen changes the selection', cancellable: true }, (_, token) =>
    server.command<{ problem?: string; diff: string }>('qwen.edit', { task, uri: document.uri.toString(), range: { start: selection.start, end: selection.end }, scope: 'selection' }, token));
  if (told.problem) void vscode.window.showWarningMessage(told.problem);
}

async function failing(work: unknown): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof vscode.CancellationError)) void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
