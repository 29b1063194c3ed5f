/** Acts on the life of a VM and of the module that runs it. */
import { place, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { seq } from '../syntax.ts';

const WHERE = ['file', 'case', 'act'] as const;

export const destroy = statement({
  id: 'destroy',
  keyword: 'destroy',
  where: WHERE,
  syntax: seq(word('destroy'), place('vm', 'VM')),
  summary: 'Ends a VM: its vCPU threads leave KVM_RUN and end, then its file descriptors are closed.',
  about:
    'The process of the VMM goes on, and with it the memory; `kill VM` ends that too. Whoever drops the last reference to the VM destroys it.',
  examples: ['destroy web'],
  check: ({ vm }, _at, check) => check.thing(vm, 'vm'),
  lower: ({ vm }, at, lowering) => lowering.act({ op: 'end_vm', vm: lowering.entity(vm).id, how: 'destroy' }, at),
});

export const rmmod = statement({
  id: 'rmmod',
  keyword: 'rmmod',
  where: WHERE,
  syntax: seq(word('rmmod'), place('host', 'HOST')),
  summary: 'Unloads the kvm module of a host, as soon as nothing keeps it loaded.',
  examples: ['rmmod h0'],
  check: ({ host }, _at, check) => check.thing(host, 'host'),
  lower: ({ host }, at, lowering) => lowering.act({ op: 'rmmod', host: lowering.entity(host).id }, at),
});

export const reset = statement({
  id: 'reset',
  keyword: 'reset',
  where: WHERE,
  syntax: seq(word('reset'), place('what', 'VCPU | VM')),
  summary: 'Resets a vCPU as INIT does, or all of a VM, whose guest then begins anew.',
  about:
    'The mechanism is off and outstanding faults are dropped. A vCPU that is reset alone forgets its tokens, and its guest does not know.',
  examples: ['reset web.vcpu[0]', 'reset web'],
  check: ({ what }, _at, check) => check.thing(what, 'vcpu', 'vm'),
  lower({ what }, at, lowering) {
    const { kind, vm, id } = lowering.entity(what);
    lowering.act({ op: 'reset', vm, vcpu: kind === 'vm' ? null : id }, at);
  },
});

export const clearQueue = statement({
  id: 'clear_queue',
  keyword: 'clear_queue',
  where: WHERE,
  syntax: seq(word('clear_queue'), place('vcpu', 'VCPU')),
  summary:
    'Clears the queue of a vCPU, kvm_clear_async_pf_completion_queue(), and nothing else: its guest is not told.',
  examples: ['clear_queue web.vcpu[0]'],
  check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
  lower: ({ vcpu }, at, lowering) => lowering.act({ op: 'clear_queue', ...lowering.vcpu(vcpu) }, at),
});

export const kexec = statement({
  id: 'kexec',
  keyword: 'kexec',
  where: WHERE,
  syntax: seq(word('kexec'), place('vm', 'VM')),
  summary: 'The guest crashes and starts another kernel in its place, as kdump does: its tasks are gone.',
  about: 'Whether the old kernel switches asynchronous page faults off before that is the knob crash_disables_apf.',
  examples: ['kexec web'],
  check: ({ vm }, _at, check) => check.thing(vm, 'vm'),
  lower: ({ vm }, at, lowering) => lowering.act({ op: 'kexec', vm: lowering.entity(vm).id }, at),
});

export const unplug = statement({
  id: 'unplug',
  keyword: 'unplug',
  where: WHERE,
  syntax: seq(word('unplug'), place('vcpu', 'VCPU')),
  summary: 'Takes a vCPU away: its guest takes the CPU out of use.',
  about: 'KVM cannot destroy one vCPU of a VM, so its VMM keeps it, and its file descriptor, for the next `hotplug`.',
  examples: ['unplug web.vcpu[1]'],
  check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
  lower: ({ vcpu }, at, lowering) => lowering.act({ op: 'guest_cpu', online: false, ...lowering.vcpu(vcpu) }, at),
});

export const hotplug = statement({
  id: 'hotplug',
  keyword: 'hotplug',
  where: WHERE,
  syntax: seq(word('hotplug'), place('vcpu', 'VCPU')),
  summary: 'Adds a vCPU that was taken away: it is reset, and its guest begins to use the CPU.',
  examples: ['hotplug web.vcpu[1]'],
  check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
  lower: ({ vcpu }, at, lowering) => lowering.act({ op: 'reset', ...lowering.vcpu(vcpu) }, at),
});
