// The API key: kept by VS Code in the system's key store, given to the server when it starts, never in a setting.
import * as vscode from 'vscode';

const NAME = 'qwen.apiKey';

/** The variables for the server. A key that is not stored may be in the environment already. */
export async function keyVariables(secrets: vscode.SecretStorage): Promise<Record<string, string>> {
  const key = await secrets.get(NAME);
  return key === undefined ? {} : { OPENAI_API_KEY: key };
}

export async function setApiKey(secrets: vscode.SecretStorage): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: 'API key of the endpoint', password: true, ignoreFocusOut: true,
    prompt: 'Kept in the key store of this machine. Not needed for most servers that you run yourself.',
    validateInput: (text) => (/\s/.test(text.trim()) ? 'A key has no spaces in it.' : undefined),
  });
  if (key?.trim()) await secrets.store(NAME, key.trim());
}

export async function clearApiKey(secrets: vscode.SecretStorage): Promise<void> {
  await secrets.delete(NAME);
  const rest = process.env['OPENAI_API_KEY'] ? ' The variable OPENAI_API_KEY of the environment is used from now on.' : '';
  void vscode.window.showInformationMessage(`The API key is removed.${rest}`);
}
