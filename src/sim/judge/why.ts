/** `why(web.vcpu[0])`: the terms of the very predicate that decides, as a text for reports. */
import { whereIsVcpu, whyNotRunning } from '../why.ts';
import { type Context, type EntityNode, EVERY_STEP, type Node, unjudgeable } from './node.ts';

export function whyNode(of: EntityNode, text: string, { m }: Context): Node {
  if (of.kind !== 'vcpu') return unjudgeable(`'${text}'`);
  const show = () => {
    const vcpu = m.vcpus[of.get()];
    if (!vcpu) return 'nothing';
    const holding = whyNotRunning(m, vcpu).flatMap(term => (term.value && term.counts ? [term.text] : []));
    return `${whereIsVcpu(m, vcpu)}; runnable: ${holding.length > 0 ? holding.join(', ') : 'no term holds'}`;
  };
  return { t: 'text', text, depends: EVERY_STEP, show };
}
