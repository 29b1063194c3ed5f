/** What a scenario can ask about the NMIs of a vCPU: `web.vcpu[0].nmi`. The row is that of the vCPU. */
import { nmi_depth, nmi_overwritten } from '../guest/nmi.ts';
import { nmi_unmasked } from '../kvm/nmi.ts';
import { count, type Description, truth } from './attribute.ts';

export const nmi_state: Description = {
  attributes: {
    depth: count('NMI handlers entered and not left.', (m, row) => nmi_depth(m.vcpus[row]!)),
    pending: count('nmi_pending.', (m, row) => m.vcpus[row]!.nmi_pending, 'vcpu.nmi_pending'),
    queued: count(
      'NMIs that have come in since the vCPU last looked: nmi_queued.',
      (m, row) => m.vcpus[row]!.nmi_queued,
      'vcpu.nmi_queued',
    ),
    injected: truth(
      'An NMI has been written for the next entry.',
      (m, row) => m.vcpus[row]!.nmi_injected === 1,
      'vcpu.nmi_injected',
    ),
    unmasked: truth('NMIs are not blocked.', (m, row) => nmi_unmasked(m.vcpus[row]!), 'vcpu.nmi_masked'),
    overwritten: truth('A handler still runs whose frame on the NMI stack another NMI has written over.', (m, row) =>
      nmi_overwritten(m.vcpus[row]!),
    ),
  },
  collections: {},
  states: {},
  series: {},
};
