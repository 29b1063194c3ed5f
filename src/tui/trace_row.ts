/** A trace event as a row of the tracepoint pane. */
import { printable } from '../base/printable.ts';
import { TP, type TracepointName } from '../trace/all.ts';
import type { TraceEvent } from '../trace/event.ts';
import { formsOf, printPayload, type Style } from '../trace/forms.ts';
import type { AddressLabel } from './address_kind.ts';
import type { Role } from './theme.ts';
import type { TraceRow } from './view_model.ts';

/** What draws the eye; everything else is plain. */
const ROLES: { readonly [N in TracepointName]?: Role } = {
  kvm_entry: 'guest',
  kvm_exit: 'host',
  kvm_page_fault: 'warn',
  kvm_inj_exception: 'warn',
  kvm_try_async_get_page: 'apf',
  kvm_async_pf_repeated_fault: 'apf',
  kvm_async_pf_not_present: 'apf',
  kvm_async_pf_completed: 'apf',
  kvm_async_pf_ready: 'apf',
  kvm_vcpu_wakeup: 'asleep',
  sched_switch: 'dim',
  sched_wakeup: 'dim',
  sched_waking: 'dim',
};

/** The row; `label` says of which kind its address is, `origin_ns` is the time that counts as 0. */
export function traceRow(event: TraceEvent, style: Style, label: AddressLabel | null, origin_ns = 0): TraceRow {
  const { name, text } = printPayload(formsOf(TP[event.name]), style, event.args);
  return {
    time_ns: event.time_ns - origin_ns,
    who: printable(event.host === '' ? event.comm : `${event.host} ${event.comm}`),
    pid: event.pid,
    name: printable(name),
    text: printable(text.trim()),
    label: label ?? '',
    role: ROLES[event.name] ?? 'plain',
  };
}
