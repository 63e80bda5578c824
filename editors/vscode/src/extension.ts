import * as vscode from 'vscode';
import { Connection, type Launch } from './client.ts';
import { registerCommands } from './commands.ts';
import { findServer, type Strategy, type Wish } from './discovery.ts';
import { type Installation, installation } from './install.ts';
import { Logs } from './logs.ts';
import { thisMachine } from './machine.ts';
import { activePython, onDidChangePython } from './python.ts';
import { keyVariables } from './secrets.ts';
import { serverSettings, settingNames } from './settings.ts';
import { Status } from './status.ts';
import { registerViews } from './views/index.ts';

let connection: Connection | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<Connection> {
  const logs = new Logs();
  const machine = thisMachine(activePython);
  const installs = installation(context, machine, logs);
  const look = () => findServer(wish(installs), machine);
  let told: string | undefined;

  const find = async (): Promise<Launch | undefined> => {
    const { server, problem } = await look();
    if (server === undefined) {
      const missing = problem ?? missingText(installs);
      logs.client.warn(missing);
      status.missing = missing;
      if (missing !== told) void installs.tellMissing(missing);
      told = missing;
      return undefined;
    }
    told = status.missing = undefined;
    logs.client.info(`the server is ${server.how}`);
    return { command: server.program[0], args: server.args, env: await keyVariables(context.secrets) };
  };
  const server = (connection = new Connection(find, () => currentSettings(context), logs));
  const status = new Status(server);

  registerCommands({ context, connection: server, installation: installs, logs, status, server: async () => (await look()).server });
  registerViews(context, server, logs);
  context.subscriptions.push(
    logs,
    status,
    server.onDidFail((problem) => void tellFailure(problem)),
    server.onDidChangeState((state) => void vscode.commands.executeCommand('setContext', 'qwen-lsp.running', state === 'running')),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('qwen.server')) void server.refresh();
      if (event.affectsConfiguration('qwen')) {
        logs.settingsChanged();
        void server.tellSettings();
      }
    }),
    context.secrets.onDidChange(() => void server.refresh()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.refresh()),
  );
  await server.refresh();
  context.subscriptions.push(onDidChangePython(() => void server.refresh()));
  if (installs.found()?.isCurrent === false) {
    const answer = vscode.window.showInformationMessage('This version of the extension comes with a newer server.', 'Install…');
    void answer.then((chosen) => chosen && vscode.commands.executeCommand('qwen-lsp.installServer'));
  }
  return server;
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

function wish(installs: Installation): Wish {
  const config = vscode.workspace.getConfiguration('qwen.server');
  return {
    path: config.get('path', ''),
    strategy: config.get<Strategy>('importStrategy', 'useBundled'),
    interpreter: config.get('interpreter', ''),
    args: config.get<string[]>('args', []),
    trusted: vscode.workspace.isTrusted,
    folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
    bundled: installs.found()?.python,
  };
}

function currentSettings(context: vscode.ExtensionContext): Record<string, unknown> {
  const config = vscode.workspace.getConfiguration();
  return serverSettings(settingNames(context.extension.packageJSON), (name) => {
    const found = config.inspect(name);
    const isSet = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some((value) => value !== undefined);
    return isSet ? config.get(name) : undefined;
  });
}

function missingText(installs: Installation): string {
  const untrusted = vscode.workspace.isTrusted ? '' : ' (Programs of this workspace are not used, since it is not trusted.)';
  return `The qwen-lsp server is not installed. Press Install, or run: ${installs.command}${untrusted}`;
}

async function tellFailure(problem: string): Promise<void> {
  const chosen = await vscode.window.showErrorMessage(problem, 'Restart', 'Show Server Log');
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen === 'Restart' ? 'qwen-lsp.restart' : 'qwen-lsp.showServerLogs');
}
