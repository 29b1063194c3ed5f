/** A run that was recorded before, to compare with: the same records in the same order, whatever their times. */
import { tracepoints } from '../../trace/all.ts';
import { fieldNames } from '../../trace/event.ts';
import { CONSTANT, type Context, type RecordedNode, type RecordsNode, type TruthNode } from './node.ts';
import { hexText } from './text.ts';

/** One record of the other run: its tracepoint and its fields. */
export interface Recorded {
  readonly tracepoint: number;
  readonly fields: readonly number[];
}

function text({ tracepoint, fields }: Recorded): string {
  const { name } = tracepoints[tracepoint]!;
  const names = fieldNames(name);
  return `${name} ${fields.map((value, index) => `${names[index]} ${hexText(value)}`).join(' ')}`;
}

/** Whether the records of this run are those of the other, as far as either has come. */
export function sameTrace(context: Context, here: RecordsNode, there: RecordedNode, said: string): TruthNode {
  const { cells, hooks } = context;
  const wanted = new Set(there.tracepoints);
  const before = context.baseline().filter(({ tracepoint }) => wanted.has(tracepoint));
  const seen = cells.newCells(1);
  /** The first record that differs, + 1. */
  const differs = cells.newCells(1);
  const found = cells.newText();
  for (const tracepoint of here.tracepoints) {
    hooks.onRecord(tracepoint, () => {
      const index = cells.values[seen]!;
      cells.values[seen] = index + 1;
      if (cells.values[differs] !== 0) return;
      const { record } = hooks;
      const expected = before[index];
      const same =
        expected?.tracepoint === tracepoint && expected.fields.every((value, field) => value === record.fields[field]);
      if (same) return;
      cells.values[differs] = index + 1;
      const width = fieldNames(tracepoints[tracepoint]!.name).length;
      cells.texts[found] = text({ tracepoint, fields: Array.from(record.fields.subarray(0, width)) });
    });
  }
  const get = () => cells.values[differs] === 0 && cells.values[seen] === before.length;
  const why = () => {
    const first = cells.values[differs]! - 1;
    if (first >= 0) {
      const expected = before[first];
      return `record ${first + 1} is ${cells.texts[found]}, and was ${expected ? text(expected) : 'nothing'}`;
    }
    return `${cells.values[seen]} records, ${before.length} before`;
  };
  const depends = { ...CONSTANT, records: new Set(here.tracepoints) };
  return { t: 'truth', text: said, depends, get, why, show: () => String(get()) };
}
