// The settings that the server gets. Only what somebody has set is sent: a default of this extension would
// hide what the person wrote into the server's own config.toml.

/** One setting as VS Code knows it: its value in force, and whether somebody set it anywhere. */
export interface Setting {
  readonly value: unknown;
  readonly isSet: boolean;
}

const OF_THE_CLIENT = /^qwen\.(server|trace)\./;

/** `{completion: {enabled: false}}` from `qwen.completion.enabled`, for each name that somebody has set. */
export function serverSettings(names: readonly string[], look: (name: string) => Setting): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of names.filter((name) => !OF_THE_CLIENT.test(name))) {
    const { value, isSet } = look(name);
    if (!isSet) {
      continue;
    }
    const [, ...way] = name.split('.');
    const last = way.pop();
    let group = settings;
    for (const step of way) {
      group = (group[step] ??= {}) as Record<string, unknown>;
    }
    if (last !== undefined) {
      group[last] = value;
    }
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
