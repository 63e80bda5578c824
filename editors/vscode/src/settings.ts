// The settings that the server gets. Only what somebody has set is sent: a default of this extension would
// hide what the person wrote into the server's own config.toml.

const OF_THE_CLIENT = /^qwen\.(server|trace)\./;

/** `{completion: {enabled: false}}` from `qwen.completion.enabled`. `look` says undefined for what nobody has set. */
export function serverSettings(names: readonly string[], look: (name: string) => unknown): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of names) {
    const value = OF_THE_CLIENT.test(name) ? undefined : look(name);
    const [, group = '', field] = name.split('.');
    if (value !== undefined) settings[group] = field === undefined ? value : { ...(settings[group] as object | undefined), [field]: value };
  }
  return settings;
}

/** The names of all settings in a package's `contributes.configuration`. */
export function settingNames(packageJson: unknown): string[] {
  const { contributes } = packageJson as { contributes: { configuration: { properties: object }[] } };
  return contributes.configuration.flatMap((group) => Object.keys(group.properties));
}

export type Trigger = 'auto' | 'manual' | 'off';

/** The table of `qwen.completion.triggerByLanguage` with completions of one language turned on or off. */
export function withLanguage(table: Readonly<Record<string, Trigger>>, language: string, on: boolean): Record<string, Trigger> {
  const { [language]: _, ...others } = table;
  return on ? others : { ...others, [language]: 'off' };
}
