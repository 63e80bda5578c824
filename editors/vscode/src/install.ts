// What a person sees of the server's installation: the message when there is none, the question, the progress.
import * as vscode from 'vscode';
import type { Connection } from './client.ts';
import { said } from './client.ts';
import type { Machine } from './discovery.ts';
import type { Logs } from './logs.ts';
import { environmentOf, findPython, install, installed, quoted, steps, wheelIn } from './venv.ts';

export class Installation {
  readonly #context: vscode.ExtensionContext;
  readonly #logs: Logs;
  readonly #machine: Machine;

  constructor(context: vscode.ExtensionContext, machine: Machine, logs: Logs) {
    this.#context = context;
    this.#machine = machine;
    this.#logs = logs;
  }

  /** The Python of the installed server. */
  get python(): string | undefined {
    return this.#installed?.python;
  }

  get isOutdated(): boolean {
    return this.#wheel !== undefined && this.#installed?.isCurrent === false;
  }

  /** The one command for a person who rather installs the server by hand. */
  get command(): string {
    return quoted(['pipx', 'install', this.#wheel ?? 'qwen-lsp']);
  }

  get #storage(): string {
    return vscode.Uri.joinPath(this.#context.globalStorageUri, 'server').fsPath;
  }

  get #wheel(): string | undefined {
    return wheelIn(this.#context.asAbsolutePath('bundled'));
  }

  get #installed() {
    return installed(this.#storage, this.#wheel, this.#machine.platform);
  }

  /** Say that there is no server, and offer what helps. */
  async tellMissing(problem: string): Promise<void> {
    const buttons = this.#wheel === undefined ? ['Copy Command', 'Settings'] : ['Install…', 'Copy Command', 'Settings'];
    const chosen = await vscode.window.showWarningMessage(problem, ...buttons);
    if (chosen === 'Install…') {
      await vscode.commands.executeCommand('qwen-lsp.installServer');
    } else if (chosen === 'Copy Command') {
      await vscode.env.clipboard.writeText(this.command);
      void vscode.window.setStatusBarMessage('$(check) Copied. Run it in a terminal, then "Qwen: Restart Server".', 10_000);
    } else if (chosen === 'Settings') {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'qwen.server');
    }
  }

  /** Ask, install, and start what was installed. */
  async run(connection: Connection): Promise<void> {
    const wheel = this.#wheel;
    if (wheel === undefined) {
      void vscode.window.showErrorMessage(`This build of the extension carries no server. Run: ${this.command}`);
      return;
    }
    const preferred = vscode.workspace.isTrusted ? [vscode.workspace.getConfiguration('qwen').get('server.interpreter', ''), (await this.#machine.activePython()) ?? ''] : [];
    const { python, problem } = await findPython(this.#machine, preferred);
    if (python === undefined) {
      void vscode.window.showErrorMessage(problem ?? '');
      return;
    }
    const environment = environmentOf(this.#storage, wheel);
    const commands = steps(python, environment, wheel, this.#machine.platform);
    const detail = `Two commands run. The second one fetches the packages that the server needs from your package index.\n\n${commands.map(quoted).join('\n\n')}`;
    if ((await vscode.window.showInformationMessage('Install the qwen-lsp server?', { modal: true, detail }, 'Install')) !== 'Install') {
      return;
    }
    await connection.stop();
    const failed = await this.#carryOut(commands, environment);
    await connection.restart();
    if (failed === undefined) {
      void vscode.window.setStatusBarMessage('$(check) The qwen-lsp server is installed.', 10_000);
    } else if ((await vscode.window.showErrorMessage(failed, 'Show Log')) === 'Show Log') {
      this.#logs.client.show();
    }
  }

  async #carryOut(commands: string[][], environment: string): Promise<string | undefined> {
    const options = { location: vscode.ProgressLocation.Notification, title: 'Installing the qwen-lsp server', cancellable: true };
    return vscode.window.withProgress(options, async (progress, token) => {
      const stopping = new AbortController();
      token.onCancellationRequested(() => stopping.abort());
      const tell = (line: string) => {
        this.#logs.client.info(line);
        progress.report({ message: line.trim().slice(0, 80) });
      };
      try {
        return await install(commands, environment, tell, stopping.signal);
      } catch (error) {
        return `The server could not be installed: ${said(error)}`;
      }
    });
  }
}
