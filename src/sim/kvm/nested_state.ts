/**
 * What is kept of a guest's guest: L1 is the guest of this host and a hypervisor itself, L2 is what it runs.
 *
 * The newcomer's mistake is to look for L2 among the VMs. It is a mode of L1's vCPU: between VMRUN and #VMEXIT its CPU
 * executes L2, and it depends on the reason whether L1 or this host is told that it stopped.
 */
import { bool, naming, numbered, oneOf, u8, u32, u53 } from '../../base/table.ts';
import { EXIT_REASON } from './exit_reason.ts';

/**
 * Where L1's hypervisor stands with one L2: before VMRUN, in L2, on the way from #VMEXIT to what is done about it.
 * `none` for a task that is no L2.
 */
export const L1_AT = numbered(['none', 'clgi', 'vmrun', 'l2', 'exit', 'stgi', 'sti', 'handle']);

/** Columns of a vCPU. */
export const NESTED = {
  /** HF_GUEST_MASK: the CPU executes L2. */
  guest_mode: bool,
  /** The global interrupt flag is clear: from CLGI to VMRUN, and from #VMEXIT to STGI. */
  gif_masked: bool,
  /** VMRUN has been emulated, and L2 has not been entered since. */
  nested_run_pending: bool,
  /** exception_vmexit.pending: a #PF exit for L1 has been queued, and its payload. */
  exception_vmexit: bool,
  exception_vmexit_token: naming(u32, 'token'),
} as const;

/** Columns of a task that is an L2: what L1's hypervisor keeps for it, and the registers of L2 while L1 runs. */
export const NESTED_OF_TASK = {
  l1_at: oneOf(L1_AT),
  /** Exit code of the last #VMEXIT, its EXITINFO2, a token or an address of L2, and `flags` as L1 has read them. */
  l1_exit: oneOf(EXIT_REASON),
  l1_info: naming(u53, 'address_or_token'),
  l1_apf: u8,
  l2_cpl3: bool,
  l2_if: bool,
} as const;
