/** `apflab watch`: the monitor, on a scenario, a run file or a recording. */
import { watch as watchFile } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { durationNs } from '../../base/duration.ts';
import { renderDiagnostic } from '../../dsl/diagnostic.ts';
import type { Answerable } from '../../sim/expr.ts';
import type { Contents } from '../../tui/main.tsx';
import type { Args } from '../args.ts';
import { hasErrors } from '../diagnostics.ts';
import { openInput, wholeOf } from '../input.ts';
import { type Plan, planOf, planOfRunFile, type Selection, selectionOf } from '../plan.ts';
import { openRecording } from '../recording.ts';
import { Refusal } from '../refusal.ts';
import { isRunFile, readRunFile } from '../run_file.ts';
import type { Terminal } from '../terminal.ts';
import { AT, SPEED } from '../verbs.ts';

export async function watch(args: Args, terminal: Terminal): Promise<number> {
  const [path = ''] = args.operands;
  if (!terminal.tty.in || !terminal.tty.out || path === '-') {
    throw new Refusal(
      'watch needs a terminal for its input and its output',
      `apflab run ${path} or apflab show ${path} print the same as text`,
    );
  }
  const [at_ns, speed] = [AT, SPEED].map(flag => duration(flag.name, args.get(flag)));
  const selection = selectionOf(args);
  const scenario = path.endsWith('.apf');
  const compiled = () => contentsOf(planOf([path], selection, terminal));
  // What cannot be read is refused before the screen changes; a scenario is read again whenever it is saved.
  const first = scenario ? compiled() : await opened(path, selection, terminal);

  const monitor = await import('../../tui/main.tsx');
  return monitor.watch({
    file: path,
    load: () => (scenario ? compiled() : first),
    onSave: scenario ? saved => onSave(resolve(terminal.cwd, path), saved) : null,
    env: terminal.env,
    ...(at_ns === undefined ? {} : { at_ns }),
    ...(speed === undefined ? {} : { speed }),
  });
}

async function opened(path: string, selection: Selection, terminal: Terminal): Promise<Contents> {
  const input = openInput(path, terminal);
  if (isRunFile(input.head)) return contentsOf(planOfRunFile(await readRunFile(path, wholeOf(input)), selection));
  return { kind: 'recording', recording: await openRecording(input) };
}

function contentsOf({ files }: Plan): Contents {
  const broken = files.filter(({ diagnostics }) => hasErrors(diagnostics));
  const runs = broken.length > 0 ? [] : files.flatMap(each => each.runs);
  const lowered = runs.map(run => run.lower());
  const diagnostics = [...broken, ...lowered.filter(({ program }) => program === null)].flatMap(
    each => each.diagnostics,
  );
  if (diagnostics.length > 0) {
    return { kind: 'errors', lines: diagnostics.flatMap(diagnostic => renderDiagnostic(diagnostic).split('\n')) };
  }
  const enabled = files.flatMap(({ runs }) => runs[0]?.tracepoints ?? []);
  const programs = lowered.flatMap(({ program }) => program ?? []);
  return {
    kind: 'programs',
    programs,
    filter: enabled.join(' || '),
    // Every run has its program by now.
    ask: (program, text, as) => runs[programs.indexOf(program)]?.ask?.({ text, as }) ?? NOBODY,
  };
}

const NOBODY: Answerable = { ok: false, message: 'nobody can be asked here', at: 0 };

/** Watches the folder: editors replace a file rather than write into it. */
function onSave(path: string, saved: () => void): () => void {
  const watcher = watchFile(dirname(path), (_event, name) => {
    if (name === null || name === basename(path)) saved();
  });
  watcher.on('error', () => watcher.close());
  return () => watcher.close();
}

function duration(flag: string, text: string | null): number | undefined {
  if (text === null) return undefined;
  const ns = durationNs(text);
  if (ns === null) throw new Refusal(`--${flag} ${text}: not a time`, `such as --${flag} 3ms`);
  return ns;
}
