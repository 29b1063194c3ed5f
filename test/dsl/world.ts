/** A scenario in which every example of a statement means something, and where each kind of block takes it. */
import type { Context } from '../../src/dsl/syntax.ts';

export const WORLD = `language 1
param mem = 8GiB
param dirty = 40k pages/s
param wire = 10 Gbit/s
host h0 { cpus 2; ram 512MiB; swap nvme { size 1GiB; read fixed(90us) } }
host src { cpus 2; ram 512MiB; swap none }
host dst { cpus 2; ram 512MiB; swap none }
link lan from src to dst { bandwidth wire }
vm web on h0 {
  ram 128MiB; vcpus 2; backing file
  userfault pager { serves web.heap.pages(100..109) }
  guest {
    task db on vcpu[0] user { loop { read heap uniform; work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
    irq disk on vcpu[1] { work 2us }
  }
}
migration move of web from src to dst over lan { mode precopy }
let cold = web.heap.page(17)
at 9ms save web as snap
always no_halt: not web.vcpu[1] is halted(synthetic)
`;

/** Text around a statement of each kind of block; `%` is where it goes. */
export const AROUND: Readonly<Record<Context, string>> = {
  file: '%',
  case: 'case "x" {\n%\n}',
  suite: 'suite s {\n%\n}',
  host: 'host hx {\n%\n}',
  swap: 'host hx { swap s {\n%\n} }',
  cost: 'host hx { cost {\n%\n} }',
  link: 'link lx from src to dst {\n%\n}',
  vm: 'vm vx on h0 {\n%\n}',
  userfault: 'vm vx on h0 { userfault u {\n%\n} }',
  guest: 'vm vx on h0 { guest {\n%\n} }',
  script: 'vm vx on h0 { guest { task t on vcpu[0] user {\n%\n} } }',
  handler: 'vm vx on h0 { guest { irq i on vcpu[0] {\n%\n} } }',
  variant: 'variant mine extends linux_5_8 {\n%\n}',
  migration: 'migration mx of web from src to dst over lan {\n%\n}',
  snapshot: 'snapshot sx of web {\n%\n}',
  tracepoints: 'tracepoints {\n%\n}',
  matrix: 'case "x" { matrix {\n%\n} }',
  act: 'case "x" { at 5ms {\n%\n} }',
  explore: 'explore {\n%\n}',
  faults: 'explore { faults {\n%\n} }',
  reaction: 'explore { on violation {\n%\n} }',
  sweep: 'sweep "x" {\n%\n}',
  mutate: 'mutate {\n%\n}',
};
