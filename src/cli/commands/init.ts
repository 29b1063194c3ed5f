/** `apflab init`: a scenario to start from. */
import { printable } from '../../base/printable.ts';
import type { Args } from '../args.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { writeWhole } from '../output.ts';
import { STARTER } from '../starter.ts';
import type { Terminal } from '../terminal.ts';

export function init({ operands: [path = 'scenario.apf'] }: Args, terminal: Terminal): ExitCode {
  writeWhole(path, STARTER, terminal, true);
  terminal.out.write(`wrote ${printable(path)}\nnext: apflab run ${printable(path)}\n`);
  return EXIT.ok;
}
