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
    serverSettings: () => openSettings('qwen.server'),
    setEndpoint: () => setEndpoint(connection),
    setApiKey: () => setApiKey(context.secrets),
    clearApiKey: () => clearApiKey(context.secrets),
    toggle: () => toggle(connection),
    toggleLanguage: inEditor(({ document }) => toggleLanguage(document.languageId)),
    doctor: () => doctor(parts),
    status: () => menu(parts),
  };
  Object.entries(commands).forEach(([name, work]) => register(context, logs, name, work));
}

/** Settings of a machine are those of the machine that this window is on. */
function openSettings(query: string): Thenable<unknown> {
  return vscode.commands.executeCommand(`workbench.action.open${vscode.env.remoteName === undefined ? '' : 'Remote'}Settings`, { query });
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

/** Something to do with the text in front, or with the only one beside a page; where there is none that is said. */
export function inEditor(work: (editor: vscode.TextEditor) => unknown): () => unknown {
  return () => {
    const texts = vscode.window.visibleTextEditors.filter(({ document }) => ['file', 'untitled'].includes(document.uri.scheme));
    const editor = texts.find((text) => text === vscode.window.activeTextEditor) ?? (texts.length === 1 ? texts[0] : undefined);
    return editor ? work(editor) : vscode.window.showInformationMessage('Put the cursor into a file first.');
  };
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

interface Found { readonly kind: string; readonly baseUrl: string; readonly model: string }

/** A model that answers on this machine, or an address. What was said of another endpoint does not stay with it. */
async function setEndpoint(connection: Connection): Promise<void> {
  const config = vscode.workspace.getConfiguration('qwen.endpoint');
  const looking = connection.command<{ endpoints: Found[] }>('qwen.findEndpoints').catch(() => ({ endpoints: [] }));
  const rows = looking.then(({ endpoints }) => [
    ...endpoints.map((found) => ({ label: found.model, description: `${found.kind} at ${found.baseUrl}`, found })),
    { label: '$(edit) Another Address…', description: '', found: undefined },
  ]);
  const chosen = await vscode.window.showQuickPick(rows, { title: 'Endpoint', placeHolder: 'A model that was found on this machine, or another address' });
  const endpoint: Found | undefined = chosen && (chosen.found ?? await typedEndpoint(config.get('baseUrl', ''), config.get('model', '')));
  if (endpoint === undefined) return;
  const others = endpoint.baseUrl === config.get('baseUrl') ? {} : { kind: '', completionModel: '', contextWindow: '' };
  for (const [name, value] of Object.entries({ ...others, model: endpoint.model, baseUrl: endpoint.baseUrl })) await write(`endpoint.${name}`, value || undefined);
}

async function typedEndpoint(url: string, before: string): Promise<Found | undefined> {
  const ask = (title: string, prompt: string, value: string, wrong?: (text: string) => string | undefined) =>
    vscode.window.showInputBox({ title, prompt, value, ignoreFocusOut: true, ...(wrong && { validateInput: wrong }) }).then((text) => text?.trim());
  const baseUrl = await ask('Base URL of an OpenAI-compatible API', 'Empty: the one of OPENAI_BASE_URL or config.toml; else none.', url || 'http://localhost:8000/v1',
    (text) => (/^(https?:\/\/\S+)?$/.test(text.trim()) ? undefined : 'It begins with http:// or https://'));
  const model = baseUrl && await ask('Model', 'As the endpoint names it. Empty: the only one that it has.', baseUrl === url ? before : '');
  return baseUrl === undefined || model === undefined ? undefined : { kind: '', baseUrl, model };
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
    ...(running ? [row('$(plug) Set Endpoint…', 'qwen-lsp.setEndpoint')] : []),
    row('$(key) Set API Key…', 'qwen-lsp.setApiKey'),
    row('$(gear) Settings', 'workbench.action.openSettings'),
  ];
  const chosen = await vscode.window.showQuickPick(rows, { title: 'Qwen', placeHolder: status.detail });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.command.endsWith('openSettings') ? ['@ext:qwen-lsp.qwen-lsp'] : []));
  }
}
