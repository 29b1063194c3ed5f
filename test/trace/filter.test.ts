import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../src/trace/event.ts';
import { filterOf } from '../../src/trace/filter.ts';
import { importTrace } from '../../src/trace/import.ts';

const LINES = `\
       CPU 0/KVM-4711    [002] d..1.     1.000001: kvm_exit: vcpu 0 reason npf rip 0x401136 info1 0x0000000000000006 info2 0x0000000000005000 intr_info 0x00000000 error_code 0x00000000
       CPU 0/KVM-4711    [002] .....     1.000002: kvm_page_fault: vcpu 0 rip 0x401136 address 0x0000000000005000 error_code 0x6
       CPU 0/KVM-4711    [002] .....     1.000003: kvm_async_pf_not_present: token 0x1001 gva 0x5000
     kworker/0:1-9       [000] .....     1.005000: kvm_async_pf_completed: gva 0x5000 address 0x7f0000005000
       CPU 0/KVM-4711    [000] .....     1.006000: kvm_async_pf_ready: token 0x1001 gva 0x5000
       CPU 1/KVM-4712    [001] d..2.     1.007000: sched_switch: prev_comm=CPU 1/KVM prev_pid=4712 prev_prio=120 prev_state=S ==> next_comm=swapper/1 next_pid=0 next_prio=120
       CPU 1/KVM-4712    [001] .....     1.008000: kvm_apic_accept_irq: apicid 1 vec 0 (NMI|edge)
`;
const recording = importTrace(Buffer.from(LINES, 'latin1'));
const events: readonly TraceEvent[] = Array.from({ length: recording.length }, (_, row) => recording.event(row)).filter(
  event => event !== null,
);

/** Which of the lines are shown, from 1, or where the mistake is. */
function check(text: string, expected: string): void {
  const result = filterOf(text);
  const vcpu = (event: TraceEvent): number | undefined => [4711, 4712].indexOf(event.pid);
  const found =
    'error' in result
      ? `${' '.repeat(result.error.column - 1)}${'^'.repeat(result.error.length)} ${result.error.message}`
      : events.flatMap((event, index) => (result.filter.accepts(event, vcpu(event)) ? [index + 1] : [])).join(' ');
  assert.is(found, expected, text);
}

test('names, whole with stars and in part without', () => {
  check('', '1 2 3 4 5 6 7');
  check('kvm_async_pf_*', '3 4 5');
  check('async', '3 4 5');
  check('kvm_async', '3 4 5');
  check('async*', '');
  check('*switch', '6');
  check('!kvm', '6');
});

test('fields', () => {
  check('token == 0x1001 && cpu == 0', '5');
  check('token == 4097', '3 5');
  check('token != 0x1001', '');
  check('gpa == 0x5000', '2 3 4 5');
  check('rip == 0x401136', '1 2');
  check('vcpu == 1', '6 7');
  check('comm == "CPU 1/KVM"', '6 7');
  check('comm ~ "CPU *"', '1 2 3 5 6 7');
  check('next_comm ~ swapper/*', '6');
  check('time >= 1.005 time < 1.007', '4 5');
  check('time < 1005ms', '1 2 3');
  check('error_code & 4', '2');
});

test('values by the names of the trace', () => {
  check('exit_reason == npf', '1');
  check('exit_reason == EPT_VIOLATION', '');
  check('dm == NMI', '7');
  check('prev_state == S', '6');
  check('tm == edge', '7');
});

test('together', () => {
  check('ready || completed', '4 5');
  check('(ready || completed) && cpu == 0 && !comm ~ kworker*', '5');
  check('kvm_async !ready', '3 4');
});

test('mistakes are shown where they are', () => {
  const mistakes = [
    ['tokem == 1', "^^^^^ no event has a field 'tokem'"],
    ['token ==', '        ^ expected what token is compared with'],
    ['token == == 1', "         ^^ expected what token is compared with, found '=='"],
    ['(ready || completed', '^ this bracket is not closed'],
    ['ready )', "      ^ ')' has nothing to belong to"],
    ['comm == "x', '        ^ the " is not closed'],
    ['token = 1', "      ^ '=' means nothing here"],
    ['token > npf', '        ^^^ > needs a number'],
    ['time > soon', '       ^^^^ a time is seconds, as in 1817.46, or has a unit, as in 5ms'],
    ['ready && ', '         ^ expected a name or a field'],
  ] as const;
  for (const [text, mark] of mistakes) check(text, mark);
});

test.run();
