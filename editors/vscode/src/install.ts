// What a person sees of the server's installation: the message when there is none, the question, the progress.
import * as vscode from 'vscode';
import { type Connection, said } from './client.ts';
import type { Machine } from './discovery.ts';
import type { Logs } from './logs.ts';
import { environmentOf, findPython, install, installed, quoted, steps, wheelIn } from './venv.ts';

export type Installation = ReturnType<typeof installation>;

export function installation(context: vscode.ExtensionContext, machine: Machine, logs: Logs) {
  const storage = vscode.Uri.joinPath(context.globalStorageUri, 'server').fsPath;
  const wheel = wheelIn(context.asAbsolutePath('bundled'));
  /** The one command for a person who rather installs the server by hand. */
  const command = quoted(['pipx', 'install', wheel ?? 'git+https://github.com/qwen-lsp/qwen-lsp']);

  /** Say that there is no server, and offer what helps. */
  async function tellMissing(problem: string): Promise<void> {
    const chosen = await vscode.window.showWarningMessage(problem, ...(wheel === undefined ? [] : ['Install…']), 'Copy Command', 'Settings');
    if (chosen === 'Install…') {
      await vscode.commands.executeCommand('qwen-lsp.installServer');
    } else if (chosen === 'Copy Command') {
      await vscode.env.clipboard.writeText(command);
      vscode.window.setStatusBarMessage('$(check) Copied. Run it in a terminal, then "Qwen: Restart Server".', 10_000);
    } else if (chosen === 'Settings') {
      await vscode.commands.executeCommand('qwen-lsp.serverSettings');
    }
  }

  /** Ask, install, and start what was installed. */
  async function run(connection: Connection): Promise<void> {
    if (wheel === undefined) throw new Error(`This build of the extension carries no server. Run: ${command}`);
    const named = vscode.workspace.getConfiguration('qwen.server').get('interpreter', '');
    const looking = machine.activePython().then((active) => findPython(machine, vscode.workspace.isTrusted ? [named, active ?? ''] : []));
    vscode.window.setStatusBarMessage('$(loading~spin) Looking for a Python…', looking);
    const { python, problem } = await looking;
    if (python === undefined) throw new Error(problem);
    const environment = environmentOf(storage, wheel);
    const commands = steps(python, environment, wheel, machine.platform);
    const detail = `Two commands run. The second one fetches the packages that the server needs from your package index.\n\n${commands.map(quoted).join('\n\n')}`;
    if ((await vscode.window.showInformationMessage('Install the qwen-lsp server?', { modal: true, detail }, 'Install')) !== 'Install') return;
    await connection.stop();
    const failure = await carryOut(commands, environment);
    await connection.restart();
    if (failure === undefined) vscode.window.setStatusBarMessage('$(check) The qwen-lsp server is installed.', 10_000);
    else if ((await vscode.window.showErrorMessage(failure, 'Show Log')) === 'Show Log') logs.client.show();
  }

  function carryOut(commands: string[][], environment: string): Thenable<string | undefined> {
    const options = { location: vscode.ProgressLocation.Notification, title: 'Installing the qwen-lsp server', cancellable: true };
    return vscode.window.withProgress(options, async (progress, token) => {
      const stopping = new AbortController();
      token.onCancellationRequested(() => stopping.abort());
      const tell = (line: string) => {
        logs.client.info(line);
        progress.report({ message: line.trim().slice(0, 80) });
      };
      return install(commands, environment, tell, stopping.signal).catch((error: unknown) => `The server could not be installed: ${said(error)}`);
    });
  }

  return { command, found: () => installed(storage, wheel, machine.platform), run, tellMissing };
}
