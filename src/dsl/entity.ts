/** Things of a run by how a scenario reaches them: by dots and brackets, through lets, or by their short names. */
import { globMatches } from '../base/glob.ts';
import type { Entity } from '../sim/expr.ts';
import { FIRST_WORKER, MAIN_THREAD } from '../sim/pattern.ts';
import type { HostSpec, VmSpec } from '../sim/program.ts';
import { TABLE_ENTRIES } from '../sim/schema.ts';
import { type Environment, evaluate } from './evaluate.ts';
import type { Expression, KindOf } from './expression.ts';

export interface Things {
  readonly env: Environment;
  readonly hosts: readonly HostSpec[];
  readonly vms: readonly VmSpec[];
  readonly links: readonly { readonly name: string }[];
  readonly migrations: readonly { readonly name: string }[];
  /** Names given by `save … as`, for a VM, and by `get_mpstate … as`, for a vCPU. */
  readonly saved: readonly { readonly name: string; readonly kind: 'saved' | 'saved_vcpu' }[];
  /** Names given by `nmi … to`. */
  readonly nmis: readonly string[];
}

export function entityOf(of: Expression, things: Things): Entity | null {
  switch (of.kind) {
    case 'name':
      return named(of.name, things);
    case 'index': {
      const index = numberAt(of.index, things);
      if (index === null) return null;
      if (of.of.kind === 'member' && of.of.name.text === 'vcpu') {
        const vm = entityOf(of.of.of, things);
        return vm?.kind === 'vm' ? vcpu(of, vm, index, things) : null;
      }
      if (of.of.kind === 'member' && of.of.name.text === 'worker') {
        const host = entityOf(of.of.of, things);
        if (host?.kind === 'host') return worker(of, host, index, things);
      }
      const members = of.of.kind === 'member' ? listed(of.of.of, of.of.name.text, things) : null;
      if (members) return members[index] ?? outside(of, members, things);
      return numbered(of.of, index, things);
    }
    case 'member':
      return member(of.of, of.name.text, things);
    case 'call':
      return page(of, things);
    default:
      return null;
  }
}

/** One that there is not is reported; what stands in for it is never run. */
function vcpu(of: Expression, { id: vm, name }: Entity, id: number, { env, vms }: Things): Entity {
  const count = vms[vm]?.vcpus ?? 0;
  if (!(id >= 0 && id < count))
    env.outOfRange(of, `${name} has ${count} vCPU${count === 1 ? '' : 's'}, numbered from 0`);
  return { kind: 'vcpu', vm, id, name: `${name}.vcpu[${id}]` };
}

/** A kernel worker of a host: known by a VM that runs there. */
function worker(of: Expression, { id: host, name }: Entity, id: number, { env, hosts, vms }: Things): Entity {
  const count = hosts[host]?.workers ?? 0;
  if (!(id >= 0 && id < count)) env.outOfRange(of, `${name} has ${count} workers, numbered from 0`);
  const vm = Math.max(
    0,
    vms.findIndex(each => each.host === host),
  );
  return { kind: 'thread', vm, id: FIRST_WORKER - id, name: `${name}.worker[${id}]` };
}

function named(name: string, things: Things): Entity | null {
  const found = things.env.scope.find(name);
  if (found?.what === 'let' && found.value) return entityOf(found.value, things);
  const vm = things.vms.findIndex(each => each.name === name);
  if (vm >= 0) return { kind: 'vm', vm, id: vm, name };
  const host = things.hosts.findIndex(each => each.name === name);
  if (host >= 0) return { kind: 'host', vm: 0, id: host, name };
  const saved = things.saved.find(each => each.name === name);
  if (saved) return { kind: saved.kind, vm: 0, id: 0, name };
  if (things.nmis.includes(name)) return { kind: 'nmi', vm: 0, id: things.nmis.indexOf(name), name };
  for (const kind of ['link', 'migration'] as const) {
    const id = things[`${kind}s`].findIndex(each => each.name === name);
    if (id >= 0) return { kind, vm: 0, id, name };
  }
  const only = found?.owner ? things.vms.findIndex(each => each.name === found.owner) : -1;
  return only >= 0 ? ofVm(only, name, things) : null;
}

const NAMED = [
  ['task', 'tasks'],
  ['irq', 'irqs'],
  ['timer', 'timers'],
  ['nmi', 'nmis'],
] as const;

/** A task, interrupt or timer of a VM by its name. */
function ofVm(vm: number, name: string, things: Things, wanted: string | null = null): Entity | null {
  const spec = things.vms[vm];
  if (spec?.userfault?.name === name && (wanted === null || wanted === 'handler'))
    return { kind: 'handler', vm, id: 0, name };
  for (const [kind, list] of NAMED) {
    if (wanted !== null && wanted !== kind) continue;
    const id = spec?.guest[list].findIndex(each => each.name === name) ?? -1;
    if (id >= 0) return { kind, vm, id, name };
  }
  return null;
}

/** `db[2]` or `web.task.db[2]`: one of several tasks of a name. */
function numbered(of: Expression, index: number, things: Things): Entity | null {
  if (of.kind === 'name') {
    const owner = things.env.scope.find(of.name)?.owner;
    const vm = things.vms.findIndex(each => each.name === owner);
    return vm < 0 ? null : ofVm(vm, `${of.name}[${index}]`, things, 'task');
  }
  if (of.kind !== 'member' || of.of.kind !== 'member') return null;
  const vm = entityOf(of.of.of, things);
  return vm?.kind === 'vm' ? ofVm(vm.id, `${of.name.text}[${index}]`, things, 'task') : null;
}

function member(of: Expression, name: string, things: Things): Entity | null {
  if (of.kind === 'member') {
    const vm = entityOf(of.of, things);
    return vm?.kind === 'vm' ? ofVm(vm.id, name, things, of.name.text) : null;
  }
  const owner = entityOf(of, things);
  if (owner?.kind === 'vm' && name === 'vmm')
    return { kind: 'thread', vm: owner.id, id: MAIN_THREAD, name: `${owner.name}.vmm` };
  if (owner?.kind !== 'host') return null;
  const swap = things.hosts[owner.id]?.swap;
  return swap && (name === 'swap' || name === swap.name)
    ? { kind: 'swap', vm: 0, id: owner.id, name: `${owner.name}.${swap.name}` }
    : null;
}

/** `web.heap.page(17)`, `web.page(17)`, and `page(17)` where there is one VM. */
function page(of: Extract<Expression, { readonly kind: 'call' }>, things: Things): Entity | null {
  const callee = of.of.kind === 'member' ? of.of.name.text : of.of.kind === 'name' ? of.of.name : '';
  const [arg] = of.args;
  if ((callee !== 'page' && callee !== 'page_table') || !arg) return null;
  const number = numberAt(arg.value, things);
  const vm = vmOfMemory(of.of, things);
  if (number === null || vm === null) return null;
  const { heap_pages: pages = 0, page_tables } = things.vms[vm]?.guest ?? {};
  if (!(number >= 0 && number < pages))
    things.env.outOfRange(of, `the heap of ${things.vms[vm]?.name} has ${pages} pages, numbered from 0`);
  if (callee === 'page') return { kind: 'page', vm, id: number, name: `page(${number})` };
  if (page_tables !== 'swappable')
    things.env.outOfRange(of, "page tables are pages of their own where the guest says 'page_tables swappable'");
  // Those of the first address space come first behind the heap.
  return { kind: 'page', vm, id: pages + Math.floor(number / TABLE_ENTRIES), name: `page_table(${number})` };
}

/** The VM whose memory `web.heap.page`, `web.page` or `page` names. */
export function vmOfMemory(callee: Expression, things: Things): number | null {
  if (callee.kind !== 'member') return things.vms.length === 1 ? 0 : null;
  const owner = callee.of.kind === 'member' && callee.of.name.text === 'heap' ? callee.of.of : callee.of;
  if (owner.kind === 'name' && owner.name === 'heap') return things.vms.length === 1 ? 0 : null;
  const vm = entityOf(owner, things);
  return vm?.kind === 'vm' ? vm.id : null;
}

function numberAt(of: Expression, things: Things): number | null {
  const value = evaluate(of, things.env, false);
  return value?.v === 'number' ? value.value : null;
}

function listed(owner: Expression, name: string, things: Things): readonly Entity[] | null {
  const of = entityOf(owner, things);
  return of && membersOf(of, name, things);
}

function outside(of: KindOf<'index'>, members: readonly Entity[], { env }: Things): Entity | null {
  env.outOfRange(of, `there are ${members.length} of them, numbered from 0`);
  return members[0] ?? null;
}

/** All vCPUs or tasks of a VM: `web.vcpus`, `web.vcpu*`. */
export function membersOf(of: Entity, list: string, { vms }: Things): readonly Entity[] | null {
  const spec = of.kind === 'vm' ? vms[of.id] : undefined;
  if (!spec) return null;
  const name = list.replace(/\*$/, 's');
  if (name === 'vcpus')
    return Array.from({ length: spec.vcpus }, (_, id) => ({
      kind: 'vcpu',
      vm: of.id,
      id,
      name: `${spec.name}.vcpu[${id}]`,
    }));
  const [kind, all] = NAMED.find(each => each[1] === name) ?? [];
  return kind && all ? spec.guest[all].map((each, id) => ({ kind, vm: of.id, id, name: each.name })) : null;
}

/** `web.task.crew*`: those of a kind whose names fit. */
export function fitting(of: Entity, kind: string, glob: string, things: Things): readonly Entity[] | null {
  return membersOf(of, `${kind}s`, things)?.filter(({ name }) => globMatches(glob, name)) ?? null;
}
