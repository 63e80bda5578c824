// The interpreter chosen in the Python extension, where somebody has that.
import * as vscode from 'vscode';

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): object;
    resolveEnvironment(environment: object): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

const extension = () => vscode.extensions.getExtension<PythonApi>('ms-python.python');

export async function activePython(): Promise<string | undefined> {
  try {
    const environments = (await extension()?.activate())?.environments;
    const chosen = environments?.getActiveEnvironmentPath(vscode.workspace.workspaceFolders?.[0]?.uri);
    return chosen && (await environments?.resolveEnvironment(chosen))?.executable.uri?.fsPath;
  } catch {
    return undefined; // one that does not come up is one that is not there
  }
}

/** Calls `changed` when another interpreter is chosen. Does not start the Python extension. */
export function onDidChangePython(changed: () => void): vscode.Disposable {
  const environments = extension()?.isActive ? extension()?.exports.environments : undefined;
  return environments?.onDidChangeActiveEnvironmentPath(changed) ?? new vscode.Disposable(() => undefined);
}
