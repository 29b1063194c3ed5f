/** docs/recordings.md: orders of events per fault, in recordings and in the model. */
import {
  COMPARISONS,
  type Comparison,
  EVENT_REASONS,
  modelOrders,
  programOf,
  reasonFor,
  SEEDS,
  shippedOrders,
} from '../comparison.ts';
import type { Document } from '../gen_docs.ts';
import { ORDERS_SEEN } from '../orders_seen.ts';

const INTRODUCTION = `# The model beside real kernels

Made by \`npm run docs\` from the recordings in \`test/data/recordings\` and from runs of \`scenarios/recorded-mg-1cpu.apf\`
and \`scenarios/nested-recorded.apf\` with eight seeds each.

Each asynchronous page fault is one sentence: what concerns its token, from the exit that found the page missing to the
guest's acknowledgement. \`completed\` is printed by a kworker, everything else by the vCPU's thread. \`entry!\` is an entry
with an immediate exit; \`#PF again\` the same exception injected once more, after an entry that was called off;
\`repeated*\` one or more repeated faults. A fault \`of L2\` is a nested guest's; \`L1 told\` is its stop with a #PF exit that has
the token, \`L1 interrupt\` its stop for another reason. The percentages depend on the speed of disk and CPUs, which the model only
approximates; which sentences there are does not.
`;

export const documents: readonly Document[] = [{ file: 'docs/recordings.md', render }];

function render(): string {
  return [INTRODUCTION, ordersSeen(), ...COMPARISONS.map(section)].join('\n');
}

const ORDERS = `## Orders seen, and where the model shows them

From the README of the recordings (314571 events), in its words. Each is a judgement of a scenario that passes on Linux 6.1
and 6.12, and would fail if the order did not come.
`;

function ordersSeen(): string {
  const rows = ORDERS_SEEN.map(({ seen, shown }) => {
    const where = shown.map(({ file, case_name, by }) => `${file}, "${case_name}": ${by.join(', ')}`);
    return `| ${seen.replaceAll('|', '\\|')} | ${where.join('<br>')} |\n`;
  });
  return `${ORDERS}\n| seen | shown by |\n| --- | --- |\n${rows.join('')}`;
}

function section(comparison: Comparison): string {
  const { recording, case_name, variant } = comparison;
  const recorded = shippedOrders(recording);
  const model = modelOrders(programOf(comparison));
  const kinds = [...new Set([...recorded.events.keys(), ...model.events.keys()])].sort();
  const alone = kinds.filter(kind => recorded.events.has(kind) !== model.events.has(kind));
  return `## ${recording} and ${variant}, "${case_name}"

${table('order', recorded.sentences, model.sentences, sentence => reasonFor(sentence, recorded, model) ?? '')}
${table('a ready was printed in', recorded.readyIn, model.readyIn, () => '')}
Ready for all: ${recorded.broadcasts} in the recording, ${model.broadcasts / SEEDS} in each run of the model.

| event in only one of them | where | why |
| --- | --- | --- |
${alone.map(kind => `| ${kind} | ${recorded.events.has(kind) ? 'recording' : 'model'} | ${EVENT_REASONS[kind] ?? ''} |\n`).join('')}`;
}

/** What both have side by side, the recording's most frequent first; a reason where only one has it. */
function table(
  what: string,
  recorded: ReadonlyMap<string, number>,
  model: ReadonlyMap<string, number>,
  reason: (key: string) => string,
): string {
  const share = (map: ReadonlyMap<string, number>) => {
    const total = [...map.values()].reduce((sum, n) => sum + n, 0);
    return (key: string): string => {
      const percent = (100 * (map.get(key) ?? 0)) / total;
      return percent === 0 ? '' : percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
    };
  };
  const inRecording = share(recorded);
  const inModel = share(model);
  const keys = [...new Set([...recorded.keys(), ...model.keys()])];
  const rows = keys.map(key => {
    return `| ${key} | ${inRecording(key)} | ${inModel(key)} | ${reason(key)} |\n`;
  });
  return `| ${what} | recording | model | |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}
