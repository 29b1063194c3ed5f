/**
 * Of which kind the address in a line is, found out from the lines before it.
 *
 * The records hold an address and not the mode of the MMU: with nested paging a guest-physical one, with shadow paging a
 * linear one, and of a nested guest that has tables of its hypervisor's one that only those tables explain. The exit that
 * the line is part of tells which; a completion, which has no exit of its own, has the address of its not-present event.
 */
import { EXIT_CODE } from '../sim/kvm/exit_reason.ts';
import { field, is, type TraceEvent } from '../trace/event.ts';

export type AddressLabel = 'gpa' | 'gva' | 'l2 gpa, uninterpretable' | 'unknown';

/** Lines looked at for the exit, and for what may lie further back. */
const NEAR = 64;
const FAR = 4096;

const ISA_SVM = 2;
const BROADCAST = 0xffff_ffff;

type At = (index: number) => TraceEvent | null;

/** The kind of the address in the line at an index; null where it holds none. */
export function addressLabel(at: At, index: number, first: number): AddressLabel | null {
  const event = at(index);
  if (!event) return null;
  if (is(event, 'kvm_async_pf_ready')) {
    const token = field(event, 'token');
    if (token === BROADCAST) return null;
    return ofNotPresent(at, index, first, each => field(each, 'token') === token && each.pid === event.pid);
  }
  if (is(event, 'kvm_async_pf_completed')) {
    const gva = field(event, 'gva');
    return ofNotPresent(at, index, first, each => field(each, 'gva') === gva);
  }
  const inExit =
    is(event, 'kvm_page_fault') ||
    is(event, 'kvm_try_async_get_page') ||
    is(event, 'kvm_async_pf_not_present') ||
    is(event, 'kvm_async_pf_repeated_fault');
  return inExit ? ofExit(at, index, first, event.pid) : null;
}

type NotPresent = TraceEvent<'kvm_async_pf_not_present'>;

function ofNotPresent(at: At, index: number, first: number, wanted: (event: NotPresent) => boolean): AddressLabel {
  for (let before = index - 1; before >= Math.max(first, index - FAR); before -= 1) {
    const event = at(before);
    if (event && is(event, 'kvm_async_pf_not_present') && wanted(event)) return ofExit(at, before, first, event.pid);
  }
  return 'unknown';
}

function ofExit(at: At, index: number, first: number, pid: number): AddressLabel {
  let nested = false;
  for (let before = index - 1; before >= Math.max(first, index - NEAR); before -= 1) {
    const event = at(before);
    if (event?.pid !== pid) continue;
    if (is(event, 'kvm_nested_vmexit')) nested = true;
    if (!is(event, 'kvm_exit')) continue;
    const codeOf = field(event, 'isa') === ISA_SVM ? 'svm' : 'vmx';
    const reason = field(event, 'exit_reason');
    if (reason === EXIT_CODE.pf[codeOf]) return 'gva';
    if (reason !== EXIT_CODE.npf[codeOf]) return 'unknown';
    return nested ? ofNested(at, before, first, pid) : 'gpa';
  }
  return 'unknown';
}

/** Whether the nested guest was entered on tables of its hypervisor's. */
function ofNested(at: At, index: number, first: number, pid: number): AddressLabel {
  for (let before = index - 1; before >= Math.max(first, index - FAR); before -= 1) {
    const event = at(before);
    if (event?.pid === pid && is(event, 'kvm_nested_vmenter'))
      return field(event, 'tdp_enabled') ? 'l2 gpa, uninterpretable' : 'gpa';
  }
  return 'unknown';
}
