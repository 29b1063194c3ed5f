/**
 * What each step costs in virtual time, in ns. Used by timed runs only; the explorer ignores it.
 *
 * Orders of magnitude of a 2 to 3 GHz server: an exit and entry about 1.2 us together (the usual figure of
 * kvm-unit-tests' vmexit_cpuid on such machines), a context switch about 1.5 us, a guest access that hits 200 ns. They
 * are parameters, not measurements: `host { cost ... }` overrides any of them by the name of the step or charge.
 */
import { AT, STEP_NAMES } from './at.ts';
import type { Program } from './program.ts';

/** Charges that are not one step's: by name, as `host { cost context_switch 2us }`. */
export const CHARGES_NS = {
  default: 50,
  context_switch: 1500,
  wake_idle_cpu: 1000,
  ipi: 500,
  guest_access: 200,
  guest_op: 20,
  guest_handler: 200,
  smm_handler: 2000,
  guest_switch: 1000,
  reclaim_page: 400,
  map_page: 300,
  submit_io: 500,
} as const;
export type ChargeName = keyof typeof CHARGES_NS;

const STEP_COST_NS: Partial<Record<(typeof STEP_NAMES)[number], number>> = {
  guest: 10,
  vcpu_run_guest: 500,
  handle_exit: 700,
  kvm_faultin_pfn: 250,
  kvm_setup_async_pf: 300,
  'kvm_setup_async_pf.schedule_work': 150,
  kvm_tdp_mmu_map: 400,
  paging64_page_fault: 300,
  paging64_fetch: 400,
  kvm_mmu_track_write: 1500,
  'get_user_pages.wait': 300,
  kvm_check_and_inject_events: 100,
  kvm_arch_async_page_present: 100,
  'kvm_arch_async_page_present.raise': 150,
  'kvm_vcpu_halt.poll': 1000,
  userspace: 2000,
  async_pf_execute: 400,
  mmu_notifier_invalidate_range_start: 300,
  try_to_unmap: 500,
};

/** All names that `cost` accepts. */
export const COST_NAMES: readonly string[] = [...Object.keys(CHARGES_NS), ...STEP_NAMES];

export interface Costs {
  readonly step_ns: Float64Array;
  readonly charge_ns: Readonly<Record<ChargeName, number>>;
}

/** Costs by host. */
export function costsOf(program: Program): readonly Costs[] {
  return program.hosts.map(host => {
    const charge_ns = { ...CHARGES_NS, ...pick(host.cost_ns, CHARGES_NS) };
    const step_ns = new Float64Array(STEP_NAMES.length);
    for (const name of STEP_NAMES) step_ns[AT[name]] = host.cost_ns[name] ?? STEP_COST_NS[name] ?? charge_ns.default;
    return { step_ns, charge_ns };
  });
}

function pick(
  from: Readonly<Record<string, number>>,
  names: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(names).flatMap(name => (from[name] === undefined ? [] : [[name, from[name]]])));
}
