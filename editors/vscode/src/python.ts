// The Python extension, where somebody has it: the interpreter chosen there.
import * as vscode from 'vscode';

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(environment: object): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function api(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  return extension === undefined ? undefined : extension.activate();
}

export async function activePython(): Promise<string | undefined> {
  try {
    const environments = (await api())?.environments;
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const chosen = environments?.getActiveEnvironmentPath(folder);
    return chosen && (await environments?.resolveEnvironment(chosen))?.executable.uri?.fsPath;
  } catch {
    return undefined; // one that does not come up is one that is not there
  }
}

/** Calls `changed` when another interpreter is chosen. Does not start the Python extension. */
export function onDidChangePython(changed: () => void): vscode.Disposable {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  return (extension?.isActive ? extension.exports.environments.onDidChangeActiveEnvironmentPath(changed) : undefined) ?? new vscode.Disposable(() => undefined);
}
