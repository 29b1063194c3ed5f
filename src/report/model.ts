/** The model of a run in words: what `apflab check --print` shows once everything is resolved. */
import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import type { Distribution, HostSpec, Program, SwapSpec, VmSpec } from '../sim/program.ts';

const PAGE_BYTES = 4096;

export function modelText(program: Program): string {
  const { hosts, vms, actions, judgements, expectations, params, limit_ns, limit_steps, seed, variant } = program;
  const lines = [
    `${program.case_name || program.title} on ${variant}, seed ${seed}`,
    ...Object.entries(params).map(([name, value]) => `  param ${name} = ${value}`),
    ...hosts.flatMap(hostLines),
    ...vms.flatMap(vm => vmLines(vm, hosts)),
    ...section(
      'acts',
      actions.map(({ place }) => `${place.line}: ${place.text}`),
    ),
    ...section(
      'judged',
      judgements.map(({ place }) => `${place.line}: ${place.text}`),
    ),
    ...section(
      'expected',
      expectations.map(({ of, verdict, because }) => `${of} to ${verdict} because ${because}`),
    ),
    `  ends at ${durationText(limit_ns)} or after ${limit_steps} steps`,
  ];
  return lines.map(line => `${printable(line)}\n`).join('');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`  ${title}`, ...lines.map(line => `    ${line}`)];
}

function hostLines({ name, cpus, ram_pages, workers, isa, swap }: HostSpec): readonly string[] {
  const facts = [counted(cpus, 'CPU'), `${sizeText(ram_pages)} RAM`, counted(workers, 'worker'), isa];
  return [`  host ${name}: ${facts.join(', ')}`, ...(swap ? [`    ${swapText(swap)}`] : ['    no swap'])];
}

function swapText({ name, size_pages, read, write, depth, readahead_pages, error_ppm }: SwapSpec): string {
  const facts = [
    sizeText(size_pages),
    `read ${distributionText(read)}`,
    `write ${distributionText(write)}`,
    `depth ${depth}`,
    `read-ahead ${counted(readahead_pages, 'page')}`,
    ...(error_ppm > 0 ? [`errors ${error_ppm / 1e4}%`] : []),
  ];
  return `swap ${name}: ${facts.join(', ')}`;
}

function vmLines(vm: VmSpec, hosts: readonly HostSpec[]): readonly string[] {
  const { guest } = vm;
  const facts = [
    `${sizeText(vm.ram_pages)} RAM`,
    ...(vm.memory_limit_pages === null ? [] : [`limited to ${sizeText(vm.memory_limit_pages)}`]),
    counted(vm.vcpus, 'vCPU'),
    `paging ${vm.paging}`,
    `irqchip ${vm.irqchip}`,
    `protocol ${vm.protocol}`,
    guest.apf ? 'apf on' : 'apf off',
  ];
  return [
    `  vm ${vm.name} on ${hosts[vm.host]?.name ?? ''}: ${facts.join(', ')}`,
    `    heap ${counted(guest.heap_pages, 'page')}`,
    ...guest.tasks.map(
      ({ name, vcpu, mode, ops }) => `    task ${name} on vcpu[${vcpu}], ${mode}, ${counted(ops.length, 'operation')}`,
    ),
    ...guest.timers.map(
      ({ name, vcpu, period_ns }) => `    timer ${name} every ${durationText(period_ns)} on vcpu[${vcpu}]`,
    ),
    ...guest.irqs.map(({ name, vcpu }) => `    irq ${name} on vcpu[${vcpu}]`),
  ];
}

function distributionText(of: Distribution): string {
  switch (of.kind) {
    case 'fixed':
      return `fixed(${durationText(of.ns)})`;
    case 'uniform':
      return `uniform(${durationText(of.min_ns)}, ${durationText(of.max_ns)})`;
    case 'exponential':
      return `exp(${durationText(of.mean_ns)})`;
    case 'pareto':
      return `pareto(${durationText(of.min_ns)}, ${of.shape})`;
    case 'lognormal':
      return `lognormal(p50: ${durationText(of.p50_ns)}, p99: ${durationText(of.p99_ns)})`;
    case 'empirical':
      return `empirical(${counted(of.samples_ns.length, 'sample')})`;
  }
}

function sizeText(pages: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let [size, unit] = [(pages * PAGE_BYTES) / 1024, 0];
  for (; size >= 1024 && size % 1 === 0 && (size / 1024) % 1 === 0 && unit < units.length - 1; unit += 1) size /= 1024;
  return `${size} ${units[unit]}`;
}

/** `1 run`, `2 runs`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
