/** Small worlds to explore, and a way to. */
import { readFileSync } from 'node:fs';
import { compile } from '../../src/dsl/compile.ts';
import { DEFAULTS, type Exploration, type ExploreOptions, explore } from '../../src/explore/explore.ts';
import type { Program } from '../../src/sim/program.ts';

/** One or two faults on one vCPU, and nothing else. */
export function faults(tasks: string, judged: string, vcpus = 1): string {
  return `
language 1
title "small"
import "std/invariants.apf"
host h { cpus 2; ram 1MiB; page 4KiB; workers 2; swap d { size 256KiB; read fixed(100us); depth 4; readahead 2 pages } }
vm t on h {
  ram 64KiB; paging tdp; irqchip kernel; vcpus ${vcpus}
  guest { apf on; heap 32KiB; ${tasks} }
}
evict t.page(1); evict t.page(4)
case "c" { ${judged} }
`;
}

export function programOf(text: string, variant: string): Program {
  const { suite, diagnostics } = compile({ path: 'small.apf', text }, path => ({
    path,
    text: readFileSync(path, 'utf8'),
  }));
  const [first] = suite?.cases ?? [];
  const [cell] = first?.cells ?? [];
  const program = first && cell ? first.lower(cell, variant).program : null;
  if (!program) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return program;
}

export function explored(text: string, variant: string, options: Partial<ExploreOptions> = {}): Exploration {
  return explore(programOf(text, variant), { ...DEFAULTS, all: true, ...options });
}

/** The verdict, and what failed, as one line. */
export function said({ verdict, judgements }: Exploration): string {
  const failed = judgements.filter(({ holds }) => holds !== 'yes').map(({ name, holds }) => `${name} ${holds}`);
  return [verdict, ...failed].join(', ');
}
