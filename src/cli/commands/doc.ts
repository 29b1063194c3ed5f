/** `apflab doc`: what a name means, whatever it is the name of; and in what the model differs from the kernel. */
import { didYouMean } from '../../dsl/suggest.ts';
import type { Args } from '../args.ts';
import { columns, paragraph } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { GLOSSARY } from '../glossary.ts';
import { type Entry, entries, type ModelledFile, plain } from '../lookup.ts';
import { Refusal } from '../refusal.ts';
import type { Channel, Terminal } from '../terminal.ts';

export async function doc({ operands }: Args, { out }: Terminal): Promise<ExitCode> {
  const { default: model } = await import('../modelled.json', { with: { type: 'json' } });
  const written = operands.join(' ');
  if (written === '') out.write(listText(entries(model), out.paint));
  else
    out.write(
      plain(written) === 'model' ? differencesText(model, out.paint) : lookupText(written, entries(model), out.paint),
    );
  return EXIT.ok;
}

function lookupText(written: string, all: readonly Entry[], paint: Channel['paint']): string {
  const wanted = plain(written);
  const found = all.filter(({ names }) => names.some(name => plain(name) === wanted));
  if (found.length === 0) {
    const names = new Set(['model', ...all.flatMap(each => each.names)]);
    throw new Refusal(`nothing is known about '${written}'`, didYouMean(written, names, 'terms'));
  }
  return found.map(each => entryText(each, paint)).join('\n');
}

function entryText({ kind, name, text, rows }: Entry, { strong, dim }: Channel['paint']): string {
  return [
    `${strong(name)}  ${dim(kind)}\n`,
    ...text.map(each => `${paragraph(each, 2)}\n`),
    ...(rows.length > 0 ? [columns(rows, { indent: 2 })] : []),
  ].join('');
}

function listText(all: readonly Entry[], { strong }: Channel['paint']): string {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const terms = GLOSSARY.map(({ term }) => term).join(', ');
  const counts = kinds.map(kind => [kind, String(all.filter(each => each.kind === kind).length)]);
  return `${strong('terms')}\n${paragraph(terms, 2)}\n\nand by name\n${columns(counts, { indent: 2 })}
apflab doc NAME explains one, apflab doc model lists in what the model differs.\n`;
}

function differencesText(model: readonly ModelledFile[], { strong }: Channel['paint']): string {
  const parts = model.flatMap(({ file, differs, functions }) => {
    const rows = functions.flatMap(each => (each.differs ? [`${each.name}: ${each.differs}.`] : []));
    const all = [...(differs ? [`${differs}.`] : []), ...rows];
    return all.length > 0 ? [`${strong(file)}\n${all.map(each => `${paragraph(each, 2)}\n`).join('')}`] : [];
  });
  return `In what the model differs from the kernel, by file.\n\n${parts.join('\n')}`;
}
