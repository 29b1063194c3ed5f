/** The files that a `suite` names, in the place of the file that names them. */
import type { Source } from '../base/source.ts';
import type { Load } from '../dsl/compile.ts';
import type { Diagnostic } from '../dsl/diagnostic.ts';
import type { Word } from '../dsl/expression.ts';
import type { NamedSuite } from '../dsl/named_suites.ts';
import { didYouMean } from '../dsl/suggest.ts';
import type { Case } from '../dsl/suite.ts';
import type { Loaded } from './plan.ts';

type Read = (source: Source, load: Load, chosen: NamedSuite | null) => Loaded;

/** A file, without what it is not in itself, and what its suites name. */
export function withSuites(file: Loaded, load: Load, read: Read): readonly Loaded[] {
  return expanded(file, load, read, [file.file]);
}

function expanded(file: Loaded, load: Load, read: Read, from: readonly string[]): readonly Loaded[] {
  const source = file.suite?.source;
  if (!source) return [file];
  const complaints: Diagnostic[] = [];
  const complain = ({ span }: Word, message: string, help: string | null): void => {
    complaints.push({ code: 'import', severity: 'error', message, source, span, labels: [], help });
  };
  const members = (file.suite?.suites ?? []).flatMap(chosen => {
    const found = chosen.files.flatMap(path => {
      const member = path.text.endsWith('.apf') ? load(path.text, file.file) : null;
      if (!member) {
        complain(
          path,
          `cannot read '${path.text}'`,
          'paths are relative to this file, stay inside its folder and end in .apf',
        );
        return [];
      }
      if (from.includes(member.path)) {
        complain(path, `'${path.text}' names this file in turn`, null);
        return [];
      }
      return expanded(read(member, load, chosen), load, read, [...from, member.path]);
    });
    const names = found.flatMap(({ suite }) => suite?.cases.map(({ name }) => name) ?? []);
    for (const wanted of chosen.cases)
      if (names.length > 0 && !names.includes(wanted.text))
        complain(wanted, `no case named '${wanted.text}' in these files`, didYouMean(wanted.text, names, 'cases'));
    return found.map(each => ({ ...each, chosen: both(chosen, each.chosen) }));
  });
  return [{ ...file, diagnostics: [...file.diagnostics, ...complaints] }, ...members];
}

/** What a suite takes of what another one takes. */
function both(outer: NamedSuite, inner: NamedSuite | null): NamedSuite {
  if (!inner || inner === outer) return outer;
  return {
    ...outer,
    tags: outer.tags.length > 0 ? outer.tags : inner.tags,
    cases: outer.cases.length > 0 ? outer.cases : inner.cases,
    variants: outer.variants.length > 0 ? outer.variants : inner.variants,
  };
}

/** Whether a suite takes a case of one of its files. */
export function takes(chosen: NamedSuite | null, { name, tags }: Case): boolean {
  if (!chosen) return true;
  const named = chosen.cases.length === 0 || chosen.cases.some(({ text }) => text === name);
  return named && (chosen.tags.length === 0 || chosen.tags.some(tag => tags.includes(tag)));
}
