// Where the person sees how it stands: an item of the status bar with a menu, and one beside the language.
import * as vscode from 'vscode';
import type { Connection } from './client.ts';
import { escaped, shown } from './statusText.ts';
import type { Told } from './statusText.ts';

export class Status implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('qwen-lsp.status', vscode.StatusBarAlignment.Right, 100);
  readonly #language = vscode.languages.createLanguageStatusItem('qwen-lsp.status', [{ scheme: 'file' }, { scheme: 'untitled' }]);
  readonly #subscriptions: vscode.Disposable[];
  readonly #connection: Connection;
  #told: Told | undefined;
  #missing: string | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#item.name = this.#language.name = 'qwen-lsp';
    this.#item.command = 'qwen-lsp.status';
    this.#language.command = { command: 'qwen-lsp.status', title: 'Menu' };
    this.#subscriptions = [
      connection.onNotification<Told>('qwen/status', (told) => {
        this.#told = told;
        this.#show();
      }),
      connection.onDidChangeState((state) => {
        this.#told = state === 'running' ? this.#told : undefined;
        this.#show();
      }),
      connection.onDidFail((problem) => (this.missing = problem)),
    ];
    this.#show();
    this.#item.show();
  }

  /** Why no server runs, in a sentence. */
  set missing(problem: string | undefined) {
    this.#missing = problem;
    this.#show();
  }

  /** The sentence that is shown just now. */
  get detail(): string {
    return shown(this.#connection.state, this.#told, this.#missing).detail;
  }

  dispose(): void {
    vscode.Disposable.from(this.#item, this.#language, ...this.#subscriptions).dispose();
  }

  #show(): void {
    const { text, detail, rows, busy, severity } = shown(this.#connection.state, this.#told, this.#missing);
    this.#item.text = text;
    this.#item.accessibilityInformation = { label: `Qwen: ${detail}` };
    this.#item.backgroundColor = severity === 'information' ? undefined : new vscode.ThemeColor('statusBarItem.warningBackground');
    const table = rows.length === 0 ? [] : ['', '| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${escaped(value)} |`)];
    const ghost = vscode.workspace.getConfiguration('editor').get('inlineSuggest.enabled', true);
    const hint = ghost ? [] : ['', 'Ghost text is off in this editor: `editor.inlineSuggest.enabled`.'];
    this.#item.tooltip = new vscode.MarkdownString([`**Qwen** ${escaped(detail)}`, ...table, ...hint].join('\n'));
    this.#language.text = 'Qwen';
    this.#language.detail = detail;
    this.#language.busy = busy;
    this.#language.severity = { information: vscode.LanguageStatusSeverity.Information, warning: vscode.LanguageStatusSeverity.Warning, error: vscode.LanguageStatusSeverity.Error }[severity];
  }
}
