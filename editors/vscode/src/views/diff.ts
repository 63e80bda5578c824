/** A unified diff read line by line, to be shown. Pure. */

export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'hunk' | 'note';
  /** Where the line is: in the new text, or in the old one for a line that goes; null for a line of neither. */
  number: number | null;
  text: string;
}

/** The lines of a diff's hunks and of what git says beside them; names of files are left out. */
export function parse(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let [old, now, oldLeft, nowLeft] = [0, 0, 0, 0];
  for (const line of diff.endsWith('\n') ? diff.slice(0, -1).split('\n') : diff.split('\n')) {
    const text = line.slice(1);
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (oldLeft > 0 && line.startsWith('-')) {
      lines.push({ kind: 'removed', number: old++, text });
      oldLeft--;
    } else if (nowLeft > 0 && line.startsWith('+')) {
      lines.push({ kind: 'added', number: now++, text });
      nowLeft--;
    } else if (oldLeft > 0 && nowLeft > 0 && (line.startsWith(' ') || line === '')) {
      lines.push({ kind: 'same', number: now++, text });
      [old, oldLeft, nowLeft] = [old + 1, oldLeft - 1, nowLeft - 1];
    } else if (head) {
      [old, now] = [Number(head[1]), Number(head[3])];
      [oldLeft, nowLeft] = [Number(head[2] ?? 1), Number(head[4] ?? 1)];
      lines.push({ kind: 'hunk', number: null, text: line });
    } else if (line.startsWith('\\')) {
      lines.push({ kind: 'note', number: null, text: text.trim() });
    } else if (/^(old mode|new mode|new file mode|rename from|rename to) /.test(line)) {
      lines.push({ kind: 'note', number: null, text: line });
    }
  }
  return lines;
}

/** How many lines come and go. */
export function counted(diff: string): { added: number; removed: number } {
  const lines = parse(diff);
  const count = (kind: string) => lines.filter((line) => line.kind === kind).length;
  return { added: count('added'), removed: count('removed') };
}
