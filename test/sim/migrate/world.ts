/** Two hosts, a link, and a VM that moves: text to a run of it. */
import { createSimulation, type Simulation } from '../../../src/sim/simulation.ts';
import { lowered } from '../../lowered.ts';

export interface Move {
  /** Settings of the migration. */
  readonly move: string;
  readonly link?: string;
  readonly vm?: string;
  readonly src?: string;
  /** Memory of either host. */
  readonly ram?: string;
  readonly guest: string;
  readonly rest: string;
}

export function simulated(of: Move, variant = 'linux_6_12', paranoid = true): Simulation {
  const { move, guest, rest, vm = 'ram 256KiB; vcpus 1', src = '', ram = '4MiB' } = of;
  const { link = 'bandwidth 1 Gbit/s; latency 20us' } = of;
  const program = lowered(
    `
language 1
title "a move"
host src { cpus 2; ram ${ram}; workers 4; swap disk { size 4MiB; read fixed(100us); depth 8; readahead 8 pages }; ${src} }
host dst { cpus 2; ram ${ram}; workers 4 }
link lan from src to dst { ${link} }
vm web on src { ${vm}; guest { ${guest} } }
migration move of web from src to dst over lan { ${move} }
${rest}
`,
    variant,
  );
  return createSimulation(program, { paranoid });
}

/** Runs it to its end: what is wrong with it, a line for each broken judgement. */
export function complaints(simulation: Simulation): readonly string[] {
  const { program } = simulation.machine;
  simulation.runUntil(program.limit_ns);
  return simulation.outcome().violations.map(({ property, actual }) => `${property}: ${actual}`);
}
