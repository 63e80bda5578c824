/** A unified diff read line by line, to be shown. Pure. */

export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'hunk' | 'note';
  /** Where the line is: in the new text, or in the old one for a line that goes; null for a line of neither. */
  number: number | null;
  text: string;
}

const NOTED = /^(old mode|new mode|new file mode|rename from|rename to) /;

/** The lines of a diff's hunks and of what git says beside them. The names of the files are left out. */
export function parse(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let [old, now, oldLeft, nowLeft] = [0, 0, 0, 0];
  for (const line of diff.split('\n')) {
    const [mark, text] = [line[0], line.slice(1)];
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (mark === '-' && oldLeft-- > 0) lines.push({ kind: 'removed', number: old++, text });
    else if (mark === '+' && nowLeft-- > 0) lines.push({ kind: 'added', number: now++, text });
    else if (mark === ' ' && oldLeft-- > 0 && nowLeft-- > 0) lines.push({ kind: 'same', number: (old++, now++), text });
    else if (mark === '\\' || NOTED.test(line)) lines.push({ kind: 'note', number: null, text: mark === '\\' ? text.trim() : line });
    else if (head) {
      [old, now, oldLeft, nowLeft] = [Number(head[1]), Number(head[3]), Number(head[2] ?? 1), Number(head[4] ?? 1)];
      lines.push({ kind: 'hunk', number: null, text: line });
    }
  }
  return lines;
}
