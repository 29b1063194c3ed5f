/** What a program says of the memory of its VMs. */
import type { Distribution } from '../program.ts';

/** Memory that is missing until a process outside of the kernel brings it, page by page. */
export interface UserfaultSpec {
  readonly name: string;
  readonly latency: Distribution;
  /** Pages that it serves, from the start of the heap. */
  readonly first_page: number;
  readonly pages: number;
  /** Threads of the process, each with one page at a time. */
  readonly threads: number;
}

/** What a scenario does to it. Page numbers count from the start of the heap. */
export type MemoryAct =
  /** Pages of the same contents share one frame, as ksmd has it. */
  | { readonly op: 'merge'; readonly vm: number; readonly pages: readonly number[] }
  /** mlock() and munlock(), done at once. */
  | { readonly op: 'pin'; readonly vm: number; readonly pages: readonly number[]; readonly pinned: boolean }
  /** The guest gives pages back; the VMM's main thread has the host free them. */
  | { readonly op: 'balloon'; readonly vm: number; readonly pages: readonly number[] }
  /** The file behind a VM's memory becomes shorter. */
  | { readonly op: 'truncate'; readonly vm: number; readonly pages: readonly number[] }
  /** The VMM's main thread maps something: it needs the mmap lock for writing. */
  | { readonly op: 'mmap'; readonly vm: number }
  /** SIGKILL to the userfault handler of a VM. */
  | { readonly op: 'kill'; readonly vm: number };
