/** A virtual machine and what its guest is told about asynchronous page faults. */

import { block, expression, name, oneOf, place, word } from '../holes.ts';
import { setting, takesCount, takesSize, takesWords } from '../setting.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { COUNT } from '../units.ts';
import { quantity, words } from '../value_type.ts';
import { IRQCHIPS, PAGINGS } from '../vocabulary.ts';

export const vm = statement({
  id: 'vm',
  keyword: 'vm',
  where: ['file'],
  syntax: seq(word('vm'), name('name'), word('on'), name('host', 'HOST'), block('vm')),
  summary: 'A virtual machine on a host.',
  examples: ['vm web on h0 { ram 128MiB; vcpus 1; protocol linux_6_12; guest { apf on } }'],
  declare: ({ name }, at, scope) => scope.thing(name, 'vm', at),
  check: ({ host }, _at, check) => check.declared(host, 'host'),
  round: 'vms',
  lower: ({ name, host }, at, lowering) => lowering.vm(name.text, host.text, at),
});

export const vmSettings = [
  setting({
    keyword: 'paging',
    where: ['vm'],
    takes: takesWords(...PAGINGS),
    summary: 'How guest memory is mapped: two-dimensional paging, shadow tables, or a guest within.',
    example: 'paging tdp',
  }),
  setting({
    keyword: 'irqchip',
    where: ['vm'],
    takes: takesWords(...IRQCHIPS),
    summary: 'Where the LAPIC is emulated.',
    example: 'irqchip kernel',
  }),
  setting({
    keyword: 'startup',
    where: ['vm'],
    takes: takesWords('all', 'bsp'),
    summary: 'Which vCPUs run from the start: with bsp the others wait for `init` and `sipi`.',
    example: 'startup bsp',
  }),
  setting({
    keyword: 'lvt0',
    where: ['vm'],
    takes: takesWords('extint', 'masked'),
    summary: 'Whether the LAPIC of vCPU 0 lets the line of the PIC through, as while Linux boots.',
    example: 'lvt0 masked',
  }),
  setting({ keyword: 'vcpus', where: ['vm'], takes: takesCount, summary: 'Virtual CPUs.', example: 'vcpus 4' }),
  setting({
    keyword: 'lapic',
    where: ['vm'],
    takes: takesWords('on', 'off'),
    summary: 'Whether the LAPICs start software-enabled.',
    example: 'lapic on',
  }),
  setting({
    keyword: 'huge_pages',
    where: ['vm'],
    takes: takesWords('on', 'off'),
    summary: 'Whether the host maps 2 MiB at once where it can.',
    example: 'huge_pages off',
  }),
  setting({
    keyword: 'backing',
    where: ['vm'],
    takes: takesWords('anonymous', 'file'),
    summary: 'Where guest memory has its contents when it is not in memory: in swap, or in a file on the same device.',
    example: 'backing file',
  }),
  setting({
    keyword: 'hlt_exits',
    where: ['vm'],
    takes: takesWords('on', 'off'),
    summary: 'Whether HLT leaves the guest; off is KVM_CAP_X86_DISABLE_EXITS.',
    example: 'hlt_exits on',
  }),
  setting({
    keyword: 'protected',
    where: ['vm'],
    takes: takesWords('on', 'off'),
    summary: 'Whether its registers are encrypted, so that the host cannot read its privilege level (SEV-ES, SEV-SNP).',
    example: 'protected on',
  }),
  setting({
    keyword: 'host_halt',
    where: ['vm'],
    takes: takesWords('on', 'off'),
    summary:
      'Whether the host may halt its vCPUs for a missing page; off is heard by versions with the knob host_halt opt_out.',
    example: 'host_halt off',
  }),
  setting({
    keyword: 'pin',
    where: ['vm'],
    takes: [{ t: 'list', of: quantity(COUNT) }],
    summary: 'The host CPU of each vCPU thread, in order.',
    example: 'pin [0, 1]',
  }),
  setting({
    keyword: 'tlb',
    where: ['vm'],
    takes: takesWords('on', 'off'),
    summary:
      'Whether the TLBs of its CPUs are modelled. Off, each access walks, and a flush that is left out cannot be seen.',
    example: 'tlb on',
  }),
  setting({
    keyword: 'memslots',
    where: ['vm'],
    takes: takesCount,
    summary: 'Slots that the heap is divided into. Slot 0, besides, is the low memory of the guest’s kernel.',
    example: 'memslots 2',
  }),
];

export const protocolOfVm = statement({
  id: 'vm_protocol',
  keyword: 'protocol',
  where: ['vm'],
  once: true,
  syntax: seq(word('protocol'), name('variant', 'VARIANT')),
  summary: 'The version of the protocol, where neither file nor case nor command line says otherwise.',
  examples: ['protocol linux_6_12'],
  check: ({ variant }, _at, check) => check.variant(variant),
});

export const guest = statement({
  id: 'guest',
  keyword: 'guest',
  where: ['vm'],
  once: true,
  syntax: seq(word('guest'), block('guest')),
  summary: 'What runs inside.',
  examples: ['guest { apf on; task db on vcpu[0] user { loop { read heap uniform; work 20us } } }'],
  lower: (_fields, at, lowering) => lowering.guest(lowering.inside(at)),
});

export const guestSettings = [
  setting({
    keyword: 'apf',
    where: ['guest'],
    takes: takesWords('on', 'off'),
    summary: 'Whether the guest registers for asynchronous page faults.',
    example: 'apf on',
  }),
  setting({
    keyword: 'apf_in_nmi',
    where: ['guest'],
    takes: takesWords('on', 'off'),
    summary: 'Whether the guest takes them in its NMI handler, and leaves it without an IRET on the way.',
    example: 'apf_in_nmi off',
  }),
  setting({
    keyword: 'apf_as_vmexit',
    where: ['guest'],
    takes: takesWords('on', 'off'),
    summary: 'Bit 2 of MSR_KVM_ASYNC_PF_EN: a hypervisor takes what its nested guest faults on as a #PF exit.',
    example: 'apf_as_vmexit on',
  }),
  setting({
    keyword: 'send_always',
    where: ['guest'],
    takes: takesWords('on', 'off'),
    summary: 'Bit 1 of MSR_KVM_ASYNC_PF_EN: deliver in kernel mode too.',
    example: 'send_always on',
  }),
  setting({
    keyword: 'on_not_present',
    where: ['guest'],
    takes: takesWords('kernel', 'schedule', 'halt'),
    summary: 'The guest’s answer to not-present: what Linux does, another task, or STI;HLT as kvm-unit-tests does.',
    example: 'on_not_present halt',
  }),
  setting({
    keyword: 'paging',
    where: ['guest'],
    takes: takesWords('on', 'off'),
    summary: 'CR0.PG when the run begins. Off, linear addresses are guest-physical ones.',
    example: 'paging off',
  }),
  setting({
    keyword: 'address_spaces',
    where: ['guest'],
    takes: takesWords('shared', 'per_task'),
    summary: 'Whether tasks share one set of page tables, or each has its own, with the heap at another address.',
    example: 'address_spaces per_task',
  }),
  setting({
    keyword: 'page_tables',
    where: ['guest'],
    takes: takesWords('fixed', 'walked', 'swappable'),
    summary:
      'The guest’s own page tables: as at boot for good, so that nobody looks; walked in each access; or walked and themselves pages that reclaim may take.',
    example: 'page_tables swappable',
  }),
  setting({
    keyword: 'preempt',
    where: ['guest'],
    takes: takesWords('none', 'voluntary', 'full', 'rt'),
    summary:
      'How its kernel is built: the first two keep no preempt count; full may be preempted in kernel mode, and up to 5.7 then sets send_always; rt has an allocator that sleeps.',
    example: 'preempt full',
  }),
  setting({
    keyword: 'heap',
    where: ['guest'],
    takes: takesSize,
    summary: 'The memory that tasks touch; by default all of ram.',
    example: 'heap 64MiB',
  }),
  setting({
    keyword: 'touched',
    where: ['guest'],
    takes: takesWords('all', 'none'),
    summary: 'Whether the guest has written its heap before the run begins: all of it once, ascending, or none.',
    example: 'touched none',
  }),
  setting({
    keyword: 'slot',
    where: ['guest'],
    takes: takesWords('token', 'ring'),
    summary: 'Whether it reads ready tokens from a ring where the host has one (knob slot), or only from the one word.',
    example: 'slot token',
  }),
];

export const variant = statement({
  id: 'variant',
  keyword: 'variant',
  where: ['file'],
  syntax: seq(word('variant'), name('name'), word('extends'), name('base', 'VARIANT'), opt(block('variant'))),
  summary: 'A protocol of your own: another one with some knobs turned.',
  examples: [
    'variant mine extends linux_5_8 { wake done_list }',
    'variant nmi_naive extends linux_2_6_39 { gate add nmi_allowed; nmi_optin ignore }',
  ],
  declare: ({ name }, at, scope) => scope.variant(name, at),
  check({ name, base }, _at, check) {
    check.variant(base);
    check.freshVariant(name, base);
  },
});

/** The same under its other name. */
export const protocol = statement({
  id: 'protocol',
  keyword: 'protocol',
  where: ['file'],
  syntax: seq(word('protocol'), name('name'), word('extends'), name('base', 'VARIANT'), opt(block('variant'))),
  summary: 'Another word for `variant`.',
  examples: ['protocol mine extends linux_5_8 { wake done_list }'],
  declare: ({ name }, at, scope) => scope.variant(name, at),
  check({ name, base }, _at, check) {
    check.variant(base);
    check.freshVariant(name, base);
  },
});

export const knob = statement({
  id: 'knob',
  keyword: null,
  where: ['variant'],
  syntax: seq(name('knob', 'KNOB'), opt(oneOf('change', ['add', 'remove'])), place('value')),
  summary: 'The value of one knob; `add` and `remove` change a set.',
  examples: ['wake request', 'gate add nmi_allowed', 'gate [irqchip, reinjection]'],
  check({ knob, change, value }, _at, check) {
    check.knob(knob, change, value);
  },
  lower: ({ knob, change, value }, _at, lowering) => lowering.knob(knob.text, change?.text ?? 'set', value),
});

export const tracepoints = statement({
  id: 'tracepoints',
  keyword: 'tracepoints',
  where: ['file', 'case'],
  once: true,
  syntax: seq(word('tracepoints'), block('tracepoints')),
  summary: 'Which tracepoints a run prints, and whether it adds the kind of each address.',
  examples: ['tracepoints { label on }'],
});

export const enable = statement({
  id: 'tracepoints_enable',
  keyword: 'enable',
  where: ['tracepoints'],
  once: true,
  syntax: seq(word('enable'), expression('patterns', '[TRACEPOINT, …]')),
  summary: 'Only these, by name or pattern.',
  examples: ['enable [kvm_async_pf_*, kvm_page_fault]'],
  check({ patterns }, _at, check) {
    for (const each of patterns.kind === 'list' ? patterns.items : [patterns]) {
      if (each.kind === 'name') check.tracepoint({ text: each.name, span: each.span });
      else check.expect(each, words('kvm_async_pf_*'));
    }
  },
});

export const tracepointSettings = [
  setting({
    keyword: 'label',
    where: ['tracepoints'],
    takes: takesWords('on', 'off'),
    summary: 'Whether addresses are printed with their kind.',
    example: 'label on',
  }),
];

export const suite = statement({
  id: 'suite',
  keyword: 'suite',
  where: ['file'],
  syntax: seq(word('suite'), name('name'), block('suite')),
  summary: 'Runs cases of other files: `apflab run` of the file that says so, named itself and not by its folder.',
  about:
    'Of the files it takes all cases, or those with one of its tags, or those that it names; on their own variants, or on its. What the command line says wins. A file of suites needs no machine. A suite may name a file of suites.',
  examples: [
    'suite smoke { files ["gate.apf", "halt.apf"]; tags smoke }',
    'suite gates { files ["gate.apf"]; cases ["the gate"]; variants [v6, linux_6_12] }',
  ],
  lower: () => undefined,
});

export const suiteSettings = [
  setting({
    keyword: 'files',
    where: ['suite'],
    takes: [{ t: 'list', of: { t: 'text' } }],
    summary: 'The files, from the folder of this one.',
    example: 'files ["gate.apf"]',
  }),
  setting({
    keyword: 'cases',
    where: ['suite'],
    takes: [{ t: 'list', of: { t: 'text' } }],
    summary: 'Only cases of these names.',
    example: 'cases ["the gate"]',
  }),
];
