/** docs/screen.svg: the monitor on the demonstration, drawn from the strings that a terminal would get. */
import { join } from 'node:path';
import { compile } from '../../src/dsl/compile.ts';
import { Monitor } from '../../src/tui/monitor.ts';
import { svgOf } from '../../src/tui/picture.ts';
import { blocksOf } from '../../src/tui/screen.ts';
import { openSimulation } from '../../src/tui/simulation_session.ts';
import { createTheme } from '../../src/tui/theme.ts';
import type { Document } from '../gen_docs.ts';
import { read } from '../imports.ts';

const SCENARIO = 'scenarios/demo.apf';
const SIZE = { columns: 120, rows: 40 } as const;
/** Two tasks wait for pages, and the judgements are half decided. */
const KEYS = [':', ...'21ms', 'enter', '/', ...'kvm_async_pf_* || kvm_entry || kvm_exit || kvm_inj_*', 'enter', 'down'];

export const documents: readonly Document[] = [{ file: 'docs/screen.svg', render }];

function render(): string {
  const load = (path: string) => ({ path, text: read(path.startsWith('std/') ? path : join('scenarios', path)) });
  const monitor = new Monitor(
    {
      file: SCENARIO,
      load: () => {
        const { suite } = compile({ path: SCENARIO, text: read(SCENARIO) }, load);
        const [first] = suite?.cases ?? [];
        const [cell] = first?.cells ?? [];
        const [variant] = first?.variants ?? [];
        const program = first && cell && variant !== undefined ? first.lower(cell, variant).program : null;
        return program
          ? { kind: 'programs', programs: [program] }
          : { kind: 'errors', lines: [`${SCENARIO} does not compile`] };
      },
      open: openSimulation,
      at_ns: 0,
      speed: 0,
      now: () => 0,
    },
    SIZE,
  );
  for (const key of KEYS) monitor.key(key);
  return svgOf(blocksOf(monitor.model, createTheme(3)), SIZE, 'The monitor of apflab on a demonstration scenario');
}
