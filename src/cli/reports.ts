/** Which reports were asked for, where they go, and how each is written. */
import { didYouMean } from '../dsl/suggest.ts';
import { github } from '../report/github.ts';
import { json } from '../report/json.ts';
import { junit } from '../report/junit.ts';
import { markdown } from '../report/markdown.ts';
import { PLAIN } from '../report/paint.ts';
import type { Entry } from '../report/result.ts';
import { tap } from '../report/tap.ts';
import { text } from '../report/text.ts';
import { type Destination, openOutput } from './output.ts';
import { Refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';
import { REPORTS, type ReportName } from './verbs.ts';

interface ReportRequest {
  readonly name: ReportName;
  /** `-` is standard output. */
  readonly path: string;
}

export type Print = (entries: readonly Entry[]) => string;

const PRINTERS: Readonly<Record<ReportName, Print>> = {
  pretty: entries => text(entries, PLAIN),
  json,
  junit,
  tap,
  md: markdown,
  github,
};

/** `json`, `junit=results.xml`. Verdicts are printed in any case, so `pretty` alone asks for nothing more. */
export function requestsOf(words: readonly string[]): readonly ReportRequest[] {
  return words.flatMap(word => {
    const [written = '', ...rest] = word.split('=');
    const name = REPORTS.find(each => each === written);
    if (name === undefined) throw new Refusal(`no report '${written}'`, didYouMean(written, REPORTS, 'reports'));
    const path = rest.join('=') || '-';
    return name === 'pretty' && path === '-' ? [] : [{ name, path }];
  });
}

export function destinationsOf(requests: readonly ReportRequest[]): readonly Destination[] {
  return requests.map(({ name, path }) => [`--report ${name}`, path]);
}

/** Opened before anything runs, so that a path that cannot be written is refused at once. */
export function openReports(
  requests: readonly ReportRequest[],
  terminal: Terminal,
  toJson: Print = json,
): (entries: readonly Entry[]) => void {
  const open = requests.map(({ name, path }) => ({
    print: name === 'json' ? toJson : PRINTERS[name],
    output: openOutput(path, terminal),
  }));
  return entries => {
    for (const { print, output } of open) {
      output.write(print(entries));
      output.close();
    }
  };
}
