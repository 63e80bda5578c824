// The commands of the palette and of the status bar's menu, except those that show something (views).
import * as vscode from 'vscode';
import { type Connection, said } from './client.ts';
import type { Server } from './discovery.ts';
import type { Installation } from './install.ts';
import type { Logs } from './logs.ts';
import { clearApiKey, keyVariables, setApiKey } from './secrets.ts';
import { type Trigger, withLanguage } from './settings.ts';
import type { Status } from './status.ts';

export interface Parts {
  readonly context: vscode.ExtensionContext;
  readonly connection: Connection;
  readonly installation: Installation;
  readonly logs: Logs;
  readonly status: Status;
  /** The server that is in use, or would be. */
  server(): Promise<Server | undefined>;
}

export function registerCommands(parts: Parts): void {
  const { context, connection, installation, logs } = parts;
  const commands: Record<string, () => unknown> = {
    restart: () => connection.restart(),
    showLogs: () => logs.client.show(),
    showServerLogs: () => logs.server.show(),
    installServer: () => installation.run(connection),
    openWalkthrough: () => vscode.commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false),
    setApiKey: () => setApiKey(context.secrets),
    clearApiKey: () => clearApiKey(context.secrets),
    toggle: () => toggle(connection),
    toggleLanguage: inEditor(({ document }) => toggleLanguage(document.languageId)),
    doctor: () => doctor(parts),
    status: () => menu(parts),
  };
  Object.entries(commands).forEach(([name, work]) => register(context, logs, name, work));
}

/** A command of ours; why it fails is shown. */
export function register(context: vscode.ExtensionContext, logs: Logs, name: string, work: (uri?: vscode.Uri) => unknown): void {
  const run = async (uri?: vscode.Uri) => {
    try {
      await work(uri);
    } catch (error) {
      if (error instanceof vscode.CancellationError) return;
      logs.client.error(`${name}: ${said(error)}`);
      void vscode.window.showErrorMessage(said(error));
    }
  };
  context.subscriptions.push(vscode.commands.registerCommand(`qwen-lsp.${name}`, run));
}

/** Something to do with the text in front; where there is none that is said. */
export function inEditor(work: (editor: vscode.TextEditor) => unknown): () => unknown {
  const missing = () => vscode.window.showInformationMessage('Open a file first.');
  return () => (vscode.window.activeTextEditor ? work(vscode.window.activeTextEditor) : missing());
}

/** Completions on or off, for everything. The server knows which it is: its own config.toml may say so. */
async function toggle(connection: Connection): Promise<void> {
  const { completion } = await connection.command<{ completion: { enabled: boolean } }>('qwen.status');
  await write('completion.enabled', !completion.enabled);
}

async function toggleLanguage(language: string): Promise<void> {
  const config = vscode.workspace.getConfiguration('qwen');
  const table = config.get<Record<string, Trigger>>('completion.triggerByLanguage', {});
  const disabled = config.get<string[]>('completion.disabledLanguages', []);
  const on = table[language] === 'off' || disabled.includes(language);
  await write('completion.triggerByLanguage', withLanguage(table, language, on));
  if (on && disabled.includes(language)) await write('completion.disabledLanguages', disabled.filter((name) => name !== language));
  void vscode.window.setStatusBarMessage(`Qwen: completions in ${language} are ${on ? 'on' : 'off'}.`, 5_000);
}

/** Where the setting stands already, else for the user. */
async function write(name: string, value: unknown): Promise<void> {
  const config = vscode.workspace.getConfiguration('qwen');
  const inWorkspace = config.inspect(name)?.workspaceValue !== undefined;
  await config.update(name, value, inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global);
}

/** `qwen-lsp doctor` in a terminal that stays open, with the endpoint and key that the server has. */
async function doctor({ context, server, installation }: Parts): Promise<void> {
  const found = await server();
  if (found === undefined) return installation.tellMissing('There is no server that could be examined.');
  const config = vscode.workspace.getConfiguration('qwen.endpoint');
  const named = { OPENAI_BASE_URL: config.get('baseUrl', ''), OPENAI_MODEL: config.get('model', '') };
  const env = { ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== '')), ...(await keyVariables(context.secrets)) };
  const [program, ...before] = found.program;
  const folder = vscode.workspace.workspaceFolders?.[0];
  const execution = new vscode.ProcessExecution(program, [...before, 'doctor'], { env, ...(folder && { cwd: folder.uri.fsPath }) });
  const task = new vscode.Task({ type: 'qwen-lsp' }, folder ?? vscode.TaskScope.Global, 'doctor', 'qwen-lsp', execution);
  task.presentationOptions = { focus: true, clear: true };
  await vscode.tasks.executeTask(task);
}

type Row = vscode.QuickPickItem & { readonly command?: string };

async function menu({ connection, status }: Parts): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  const row = (label: string, command: string): Row => ({ label, command });
  const running = connection.state === 'running';
  const rows: Row[] = [
    ...(running ? [row('$(circle-slash) Turn Completions On or Off', 'qwen-lsp.toggle')] : [row('$(cloud-download) Install the Server…', 'qwen-lsp.installServer')]),
    ...(running && language !== undefined ? [row(`$(circle-slash) Turn Completions On or Off in ${language}`, 'qwen-lsp.toggleLanguage'),
      row('$(question) Why This Suggestion, or None', 'qwen-lsp.whySuggestion'), row('$(list-tree) What Is Sent, and Why', 'qwen-lsp.showContext')] : []),
    ...(running ? [row('$(history) Agent Runs', 'qwen-lsp.agentRuns')] : []),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    row('$(debug-restart) Restart Server', 'qwen-lsp.restart'),
    row('$(heart) Run the Doctor', 'qwen-lsp.doctor'),
    row('$(output) Show Server Log', 'qwen-lsp.showServerLogs'),
    row('$(key) Set API Key…', 'qwen-lsp.setApiKey'),
    row('$(gear) Settings', 'workbench.action.openSettings'),
  ];
  const chosen = await vscode.window.showQuickPick(rows, { title: 'Qwen', placeHolder: status.detail });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.command.endsWith('openSettings') ? ['@ext:qwen-lsp.qwen-lsp'] : []));
  }
}
