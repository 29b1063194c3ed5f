/** docs/tracepoints.md, from the declarations. */
import { type TracepointName, tracepoints } from '../../src/trace/all.ts';
import { formsOf } from '../../src/trace/forms.ts';
import { VERSIONS } from '../../src/trace/tracepoint.ts';
import type { Document } from '../gen_docs.ts';

const INTRODUCTION = `# Tracepoints

Made from the declarations in \`src/trace\` by \`npm run docs\`.

These are the events that apflab prints and reads: as \`cat trace\` of the kernel, as \`trace-cmd report\`, and as \`perf
script\`. Below each are the fields of its record, in the order in which a model emits them, and its text, for the versions
from which on it looks so. What stands in braces is a field: through a printf conversion, a table of names, the names of
0, 1, 2 and so on with semicolons between, some of its bits (\`dm>>8&7\`), or, with \`=\`, the value a record must have to be
printed so.

trace-cmd and perf print as the kernel does, but for \`%#llx\` of zero, which is \`0x0\` in the kernel and \`0\` in both. Where
trace-cmd's plugins or its parser have another spelling it is given, and perf's is then the kernel's.

Events that are not listed are kept as they are when a recording is read.
`;

export const documents: readonly Document[] = [{ file: 'docs/tracepoints.md', render }];

function render(): string {
  const systems = [...new Set(tracepoints.map(({ tracepoint }) => tracepoint.system))];
  const of = (system: string): string =>
    tracepoints
      .filter(({ tracepoint }) => tracepoint.system === system)
      .map(({ name }) => section(name))
      .join('\n');
  return `${INTRODUCTION}\n${systems.map(system => `## ${system}\n\n${of(system)}`).join('\n')}`;
}

function section(name: TracepointName): string {
  const id = tracepoints.findIndex(each => each.name === name);
  const { about, fields } = tracepoints[id]?.tracepoint ?? { about: '', fields: [] };
  const { byStyle } = formsOf(id);
  const lines: string[] = [];
  let last = '';
  for (const version of VERSIONS) {
    const forms = byStyle.ftrace[version];
    const text = forms.map(form => textLine(form.name, form.template)).join('');
    if (text !== last) lines.push(`    # ${version === 'v6' ? 'v6 of the patches' : `${version} and later`}\n`, text);
    last = text;
  }
  const own = byStyle['trace-cmd']['6.12'].map(form => textLine(form.name, form.template)).join('');
  const same = byStyle.perf['6.12'].map(form => textLine(form.name, form.template)).join('');
  if (own !== same) lines.push('    # trace-cmd\n', own);
  const single = lines.length === 2 ? lines.slice(1) : lines;
  return `### ${name}\n\n${about}\n\nFields: ${fields.map(field => `\`${field}\``).join(', ')}\n\n${single.join('')}`;
}

function textLine(name: string, template: string): string {
  return `    ${name}: ${template}\n`;
}
