/**
 * The five events of asynchronous page faults.
 *
 * The field called gva holds a guest-physical address under two-dimensional paging (and with guest paging off), a
 * guest-virtual one under shadow paging; nothing in the record tells which.
 */
import { tracepoint } from './tracepoint.ts';

export const kvm_async_pf = {
  kvm_try_async_get_page: tracepoint(
    'kvm',
    'A fault whose page is not there: the host is about to look whether it may be had asynchronously.',
    ['u64 gva', 'u64 gfn', 's64 pfn'],
    { v6: 'pfn {pfn:%#llx}', '2.6.38': 'gva = {gva:%#llx}, gfn = {gfn:%#llx}' },
  ),
  kvm_async_pf_repeated_fault: tracepoint(
    'kvm',
    'The page is asked for again while it is already being fetched.',
    ['u64 gva', 'u64 gfn', 'u64 rip'],
    { v6: 'rip = {rip:%#lx}', '2.6.38': 'gva = {gva:%#llx}, gfn = {gfn:%#llx}' },
    { v6: 'kvm_async_pf_doublefault', '6.1': 'kvm_async_pf_repeated_fault' },
  ),
  kvm_async_pf_not_present: tracepoint('kvm', 'The fault was queued: the guest is told, or its vCPU halted.', ['u64 token', 'u64 gva'], {
    v6: 'gva {gva:%#llx} not present',
    '2.6.38': 'token {token:%#llx} gva {gva:%#llx}',
  }),
  kvm_async_pf_ready: tracepoint(
    'kvm',
    'A page that was waited for is there: printed by the vCPU thread, token 0xffffffff for all.',
    ['u64 token', 'u64 gva'],
    { v6: 'gva {gva:%#llx} ready', '2.6.38': 'token {token:%#llx} gva {gva:%#llx}' },
  ),
  kvm_async_pf_completed: tracepoint(
    'kvm',
    'The worker has fetched the page and put the work item on the list of finished ones.',
    ['u64 address', 'u64 pfn', 'u64 gva'],
    {
      v6: 'gva {gva:%#llx} address {address:%#lx} pfn {pfn:%lx}',
      '2.6.38': 'gva {gva:%#llx} address {address:%#lx} pfn {pfn:%#llx}',
      '4.19': 'gva {gva:%#llx} address {address:%#lx}',
    },
  ),
} as const;
