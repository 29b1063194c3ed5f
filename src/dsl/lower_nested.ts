/** `paging nested(l1: tdp, l2: shadow)`: how each of the two hypervisors maps what it runs. */
import type { Span } from '../base/source.ts';
import type { VmSpec } from '../sim/program.ts';
import type { Report } from './diagnostic.ts';
import type { Frame } from './frame.ts';

/** What a VM says of it; without a word of its own, the hypervisor inside has two-dimensional tables as well. */
export function nestedOf(vm: Frame, span: Span, report: Report): VmSpec['nested'] {
  const value = vm.value('paging');
  if (value?.v !== 'word' || value.value !== 'nested') return 'tdp';
  const said = (name: string): string => {
    const given = value.args.find(arg => arg.name === name)?.value;
    return given?.v === 'word' ? given.value : 'tdp';
  };
  const unknown = value.args.find(({ name }) => name !== 'l1' && name !== 'l2');
  if (unknown) report.error('unknown-word', { span, message: `nested takes l1 and l2, not '${unknown.name}'` });
  if (said('l1') !== 'tdp') {
    const message = 'a hypervisor inside a guest needs a host with two-dimensional tables';
    report.error('range', { span, message, help: 'write l1: tdp' });
  }
  if (vm.word('irqchip', ['kernel', 'split', 'user'], 'kernel') === 'user') {
    const message = 'a hypervisor inside a guest needs a LAPIC in the kernel';
    report.error('range', { span, message, help: 'write irqchip kernel' });
  }
  const l2 = said('l2');
  if (l2 !== 'tdp' && l2 !== 'shadow') report.error('range', { span, message: `l2 is tdp or shadow, not ${l2}` });
  return l2 === 'shadow' ? 'shadow' : 'tdp';
}
