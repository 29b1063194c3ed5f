/** What a scenario can ask about a VM or a vCPU as its VMM has saved it. */
import { EXCEPTION } from '../kvm/event_state.ts';
import { MP_STATE } from '../schema.ts';
import { count, type Description, truth, words } from './attribute.ts';

export const saved: Description = {
  attributes: {
    taken: truth('It has been read, whole.', (m, row) => m.saveds[row]!.taken === 1, 'saved.taken'),
  },
  collections: {
    vcpus: {
      of: 'saved_vcpu',
      summary: 'The vCPUs as saved.',
      field: null,
      positions: (m, row) => (m.saveds[row]!.taken ? m.places.saved[row]!.vcpus : 0),
      at: (m, row, position) => m.places.saved[row]!.first + position,
    },
    kept: {
      of: 'saved',
      summary: 'Of a plan of snapshots those that are kept, the latest first.',
      field: null,
      positions: (m, row) => {
        const { keep } = m.places.saved[row]!;
        let nr = 0;
        for (let back = 0; back < keep; back += 1) nr += m.saveds[row + back]!.taken;
        return nr;
      },
      at: (_m, row, position) => row + position,
    },
  },
  states: {},
  series: {},
};

export const saved_vcpu: Description = {
  attributes: {
    mp_state: words(
      Object.keys(MP_STATE),
      'The state that KVM_GET_MP_STATE returned.',
      (m, row) => m.saved_vcpus[row]!.mp_state,
      'saved_vcpu.mp_state',
    ),
    taken: truth('It has been read.', (m, row) => m.saved_vcpus[row]!.taken === 1, 'saved_vcpu.taken'),
    apf_halted: truth(
      'The vCPU was halted for a page then, by the flag of its own that is not saved.',
      (m, row) => m.saved_vcpus[row]!.apf_halted === 1,
      'saved_vcpu.apf_halted',
    ),
    exception: words(
      Object.keys(EXCEPTION),
      'The exception as KVM_GET_VCPU_EVENTS reported it.',
      (m, row) => m.saved_vcpus[row]!.exception,
      'saved_vcpu.exception',
    ),
    token: count(
      'The token word of the shared area, as part of guest memory.',
      (m, row) => m.saved_vcpus[row]!.area_token,
      'saved_vcpu.area_token',
    ),
    vector: count(
      'MSR_KVM_ASYNC_PF_INT: the vector of the ready interrupt.',
      (m, row) => m.saved_vcpus[row]!.apf_int_vector,
      'saved_vcpu.apf_int_vector',
    ),
  },
  collections: {},
  states: {
    executing: {
      args: ['HLT'],
      summary: 'What the guest was executing then.',
      holds: (m, row) => m.saved_vcpus[row]!.in_hlt === 1,
    },
  },
  series: {},
};
