/** `apflab diff`: the first divergence of two runs, or of a run and a recording, in words. */
import { durationNs } from '../../base/duration.ts';
import type { Args } from '../args.ts';
import { type Difference, differenceOf, differs } from '../difference.ts';
import { differenceText, knobNames, sideText } from '../difference_text.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { selectionOf } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { type Pair, pairsOf } from '../sides.ts';
import type { Terminal } from '../terminal.ts';
import { DIFF_REPORT, FROM, IN } from '../verbs.ts';

export async function diff(args: Args, terminal: Terminal): Promise<ExitCode> {
  const pairs = await pairsOf(args.operands, args.get(IN), selectionOf(args), terminal);
  if (!pairs) return EXIT.invalid;
  const from = args.get(FROM);
  const from_ns = from === null ? 0 : durationNs(from);
  if (from_ns === null) throw new Refusal(`--from ${from}: not a time`, 'such as --from 3ms');
  const found = pairs.map(pair => ({ pair, difference: differenceOf(pair, from_ns) }));
  const { out } = terminal;
  if (args.get(DIFF_REPORT) === 'json') out.write(jsonText(found));
  else out.write(found.map(({ pair, difference }) => differenceText(pair, difference, out.paint)).join('\n'));
  return found.some(({ difference }) => differs(difference)) ? EXIT.failed : EXIT.ok;
}

function jsonText(found: readonly { pair: Pair; difference: Difference }[]): string {
  const comparisons = found.map(({ pair, difference }) => ({
    a: sideText(pair.a),
    b: sideText(pair.b),
    differs: differs(difference),
    knobs_that_differ: knobNames(pair),
    ...difference,
  }));
  return `${JSON.stringify({ version: 1, comparisons }, plainly, 2)}\n`;
}

/** Numbers beyond 2^53 are decimal text, as in a trace of JSON lines. */
function plainly(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
