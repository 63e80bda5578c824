// Where the person sees how it stands: an item of the status bar with a menu, and one beside the language.
import * as vscode from 'vscode';
import type { Connection } from './client.ts';
import { escaped, shown, type Told } from './statusText.ts';

const SEVERITY = { information: vscode.LanguageStatusSeverity.Information, warning: vscode.LanguageStatusSeverity.Warning, error: vscode.LanguageStatusSeverity.Error };

export class Status {
  readonly #item = vscode.window.createStatusBarItem('qwen-lsp.status', vscode.StatusBarAlignment.Right, 100);
  readonly #language = vscode.languages.createLanguageStatusItem('qwen-lsp.status', [{ scheme: 'file' }, { scheme: 'untitled' }]);
  readonly #connection: Connection;
  #told: Told | undefined;
  #missing: string | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#item.name = this.#language.name = 'qwen-lsp';
    this.#item.command = 'qwen-lsp.status';
    this.#language.command = { command: 'qwen-lsp.status', title: 'Menu' };
    this.#language.text = 'Qwen';
    connection.onNotification<Told>('qwen/status', (told) => this.#show((this.#told = told)));
    connection.onDidChangeState((state) => this.#show((this.#told = state === 'running' ? this.#told : undefined)));
    connection.onDidFail((problem) => (this.missing = problem));
    this.#show(undefined);
    this.#item.show();
  }

  /** Why no server runs, in a sentence. */
  set missing(problem: string | undefined) {
    this.#missing = problem;
    this.#show(this.#told);
  }

  /** The sentence that is shown just now. */
  get detail(): string {
    return shown(this.#connection.state, this.#told, this.#missing).detail;
  }

  dispose(): void {
    vscode.Disposable.from(this.#item, this.#language).dispose();
  }

  #show(told: Told | undefined): void {
    const { text, detail, rows, busy, severity } = shown(this.#connection.state, told, this.#missing);
    const table = rows.length === 0 ? [] : ['', '| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${escaped(value)} |`)];
    const ghost = vscode.workspace.getConfiguration('editor').get('inlineSuggest.enabled', true);
    const hint = ghost ? [] : ['', 'Ghost text is off in this editor: `editor.inlineSuggest.enabled`.'];
    this.#item.text = text;
    this.#item.tooltip = new vscode.MarkdownString([`**Qwen** ${escaped(detail)}`, ...table, ...hint].join('\n'));
    this.#item.accessibilityInformation = { label: `Qwen: ${detail}` };
    this.#item.backgroundColor = severity === 'information' ? undefined : new vscode.ThemeColor('statusBarItem.warningBackground');
    this.#language.detail = detail;
    this.#language.busy = busy;
    this.#language.severity = SEVERITY[severity];
  }
}
