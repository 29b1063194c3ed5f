/**
 * What is known of each preset, and where from; what of it is ours.
 *
 * A knob that no line here covers has its value from the preset below it. "Seen" means that the source itself was read,
 * in public; "from memory" that it was not, and may be wrong.
 */

export interface Card {
  readonly facts: readonly { readonly text: string; readonly source: string }[];
  /** What no source says, and how the gap is filled. Empty where the code itself is what is modelled. */
  readonly reconstructed: readonly string[];
}

const PATCH_V6 = 'linux-mm, 4 Oct 2010, [PATCH v6 02/12], seen';
const MAIL = 'the review of [PATCH v6 02/12], 9 Oct 2010, seen';
const SERIES_V7 = 'linux-mm, 14 Oct 2010, cover letter of v7 and [PATCH v7 02/12] as quoted, seen';
const FIRECRACKER = 'firecracker-microvm/firecracker, resources/hiding_ci/linux_patches/30-async-pf';

const fact = (text: string, source: string) => ({ text, source });
const ALTERNATIVE = 'Everything but the sentence quoted: nobody wrote the patch. The rest is the sixth posting.';

export const CARDS: Readonly<Record<string, Card>> = {
  v6: {
    facts: [
      fact('The vCPU is halted by mp_state = KVM_MP_STATE_HALTED, in the completion check at entry.', PATCH_V6),
      fact('The fault leaves a note in a single slot; a second fault on the gfn leaves the sentinel kvm_double_apf.', PATCH_V6),
      fact('The worker stores the page after it has appended the item, and its GUP may fail with the pointer unset.', PATCH_V6),
      fact(
        'get_user_pages_noio() was refused; 2.6.39 has FOLL_NOWAIT instead, which starts the read.',
        'commits af585b921e5d and 318b275fbca1, seen',
      ),
    ],
    reconstructed: [
      'The read is started by NOWAIT, as from 2.6.39, since with noio nothing would ever be read; the knob resolve has noio.',
    ],
  },
  sync: {
    facts: [
      fact(
        'Without the mechanism the vCPU thread sleeps in the fault, and takes no interrupt meanwhile.',
        'arch/x86/kvm/mmu of 6.12, seen',
      ),
    ],
    reconstructed: ['No kernel has such a switch: the gate is what is taken away.'],
  },
  v6_at_fault: {
    facts: [fact('"Or, when starting the page fault, halt, and un-halt on completion."', MAIL)],
    reconstructed: [ALTERNATIVE],
  },
  v6_request: {
    facts: [fact('"It can raise KVM_REQ_something", and vcpu->requests is tested anyway.', MAIL)],
    reconstructed: [ALTERNATIVE, 'The halt is a request too, as in the seventh posting.'],
  },
  v6_list_move: {
    facts: [fact('An item is always on queue and, when complete, on done as well; a list_move() would save a link.', MAIL)],
    reconstructed: [ALTERNATIVE],
  },
  v6_drain_on_save: {
    facts: [fact('Drain the queue in any save or restore ioctl; the objection: then "info cpu" interferes.', MAIL)],
    reconstructed: [ALTERNATIVE, 'A drain waits for each item and delivers it as at an entry.'],
  },
  v6_nmi_naive: {
    facts: [fact('A CPU that can take an NMI can take a fault; the IRET that ends the handler re-enables NMIs.', MAIL)],
    reconstructed: [ALTERNATIVE],
  },
  v6_nmi_optin: {
    facts: [fact('Safe only if the guest asks for it: "apf-in-nmi".', MAIL)],
    reconstructed: [ALTERNATIVE, 'The flag is a setting of the guest; no bit of EN was ever assigned.'],
  },
  v7: {
    facts: [
      fact('The halt is requested through vcpu->requests and kept in a flag of its own.', SERIES_V7),
      fact('Prefault in direct-map mode only; the memslot cache; patches 6 to 12 are the paravirtual part.', SERIES_V7),
    ],
    reconstructed: [
      'Its run loop: that of 2.6.38, with one completion for each pass and a completion that leaves apf.halted alone (from memory).',
    ],
  },
  linux_2_6_39: {
    facts: [
      fact('Run loop, gates, tokens, clearing.', 'torvalds/linux arch/x86/kvm/x86.c @0004c7c25757, seen'),
      fact('2.6.38 itself never takes an asynchronous fault: its read was never non-blocking.', 'note in commit af585b921e5d, seen'),
      fact('A failed write of the reason gives neither event nor halt.', 'torvalds/linux arch/x86/kvm/x86.c @0004c7c25757, seen'),
      fact(
        'The guest: preempt_count() alone decides whether the handler schedules; RCU is not told.',
        'arch/x86/kernel/kvm.c of 3.11, seen; c5e015d4949a from memory',
      ),
    ],
    reconstructed: ['The multiplier of hash_32() before 4.7 is not modelled.'],
  },
  linux_4_19: {
    facts: [
      fact(
        'completion sets mp_state RUNNABLE; items hold mm_users; finished items are skipped when clearing.',
        'virt/kvm/async_pf.c and arch/x86/kvm/x86.c of 4.19, seen',
      ),
      fact('With a read-ahead window of one page NOWAIT waits.', 'mm/memory.c of 4.19, seen'),
      fact(
        'The guest asks for RCU sections and, where it keeps no count, whether the kernel was interrupted.',
        'commits b862789aa518 and a2b7861bb33b, from memory; arch/x86/kernel/kvm.c of 4.19, seen',
      ),
    ],
    reconstructed: [],
  },
  linux_5_8: {
    facts: [
      fact(
        'Ready is an interrupt with the vector of MSR INT, one token at a time, acknowledged by MSR ACK.',
        'virt/kvm/async_pf.c @039aeb9deb92 and the series of 25 May 2020, seen',
      ),
      fact('Without bit 3 of EN nothing is delivered; the work is scheduled last.', 'the same; commit 7863e346e108, seen'),
      fact('The guest panics at a not-present that comes from kernel mode.', 'arch/x86/kernel/kvm.c of 5.10, seen'),
    ],
    reconstructed: [],
  },
  linux_6_1: {
    facts: [
      fact('Dequeue and re-arming ask for an enabled LAPIC; tokens are never 0; paging is required.', 'arch/x86/kvm/x86.c of 6.1.20, seen'),
      fact('The orders of its trace.', 'recordings of Linux 6.1.192'),
      fact('The guest allocates its notes without the lock.', 'commit 0547758a6de3: text seen, number from memory'),
    ],
    reconstructed: [],
  },
  linux_6_12: {
    facts: [
      fact(
        'Each item is flushed before it is freed; the worker takes mm_users itself; no reference to the VM.',
        'virt/kvm/async_pf.c of 6.12.33 and the series of 10 Jan 2024, seen',
      ),
      fact('NOWAIT never waits for a page.', 'mm/memory.c of 6.12.33, seen'),
      fact('The orders of its trace.', 'recordings of Linux 6.12.100'),
    ],
    reconstructed: [],
  },
  protected_6_15: {
    facts: [
      fact(
        'No #PF for a guest whose register state is protected, unless SEND_ALWAYS: its CPL is unknown.',
        'commit b9595d1ddef8, its text seen',
      ),
    ],
    reconstructed: [
      'What the host reads for such a CPL in older versions: the model says 3, the value with which a wrong delivery shows.',
      'Nothing else of encrypted guests is modelled.',
    ],
  },
  s390_pfault: {
    facts: [
      fact(
        'Not-present is KVM_S390_INT_PFAULT_INIT on the vCPU, ready KVM_S390_INT_PFAULT_DONE on the VM, the token a parameter of each.',
        '__kvm_inject_pfault_token(), arch/s390/kvm/kvm-s390.c, seen in public copies',
      ),
      fact(
        'The gate: handshake made, PSW under the select mask equal to the compare mask, external interrupts enabled, none pending, CR0 service-signal mask, pfault enabled in the gmap. Else the fault is synchronous.',
        'kvm_arch_setup_async_pf(), arch/s390/kvm/kvm-s390.c, seen in public copies',
      ),
      fact('The worker delivers ready itself, before the item goes to done: CONFIG_KVM_ASYNC_PF_SYNC.', 'virt/kvm/async_pf.c, seen'),
      fact("Floating interrupts are a list of the VM's.", 'arch/s390/kvm/interrupt.c, seen in public copies'),
      fact(
        'The guest makes the handshake by DIAG 0x258 with a reference block of select and compare masks.',
        'arch/s390/mm/pfault.c, seen in public copies',
      ),
    ],
    reconstructed: [
      'The machine below is x86: page tables, exits and run loop are those of linux_6_12, the handshake is a write of MSR EN, INIT goes the way of a #PF and DONE that of a LAPIC interrupt.',
      'The masks stand for user mode (deliver cpl), as Linux sets them: from memory.',
      'The token is a counter; there it is the number of the task.',
      'No gfns are remembered, so a second fault on a page gets a token of its own: from memory.',
      'Which CPU takes a floating interrupt, one that idles first: from memory.',
      'That nothing is broadcast on migration: from memory.',
    ],
  },
  arm64_sdei: {
    facts: [
      fact(
        'Not-present by an SDEI event, ready by a PPI, both told apart by reason and token in a shared buffer of each vCPU.',
        'kvmarm, 15 Aug 2021, Documentation/virt/kvm/arm/apf.rst, seen',
      ),
      fact(
        'The event handler marks the task, sends its own CPU a reschedule IPI and completes the event; the task gives way on the way to user mode.',
        'the same, seen',
      ),
      fact('Ready is acknowledged by an SMCCC call, which takes the next item off the completion queue.', 'the same, seen'),
      fact('Only in user mode, unless KVM_ASYNC_PF_SEND_ALWAYS; the event is a critical one.', 'the same, and kvmarm, 22 Apr 2022, seen'),
      fact('Never merged.', 'the archives of kvmarm up to 2022, seen as far as stored'),
    ],
    reconstructed: [
      'The machine below is x86: hypercalls are writes of MSRs, the event goes the way of a #PF, the PPI that of a LAPIC interrupt.',
      'That a fault which cannot be told is synchronous, and that a second event waits for the first to end: from memory of the posted code.',
      'Lists, worker and references are those of linux_6_12, though the series was based on 5.13.',
    ],
  },
  userfault_2026: {
    facts: [
      fact('A fault on missing userfault memory sets up an item but schedules no work.', `${FIRECRACKER}, patches 0087 and 0089, seen`),
      fact(
        'The exit is KVM_EXIT_MEMORY_FAULT with the flag APF; the VMM answers KVM_APF_OP_ACCEPT or KVM_APF_OP_SYNC_COMPLETE, the handler later KVM_APF_OP_READY.',
        `${FIRECRACKER}, patches 0087 and 0088, seen`,
      ),
      fact(
        'Exitless: the address goes into a ring that the handler reads, an eventfd wakes it; a full ring falls back to the exit.',
        `${FIRECRACKER}, patch 0090, seen`,
      ),
      fact(
        'Third posting: a ring of 64, notification suppression, SYNC_COMPLETE on re-entry of KVM_RUN.',
        'firecracker-microvm/firecracker pull request 5979, description seen',
      ),
      fact('A repeated fault on the gfn halts the vCPU.', `${FIRECRACKER}, patch 0089, seen`),
    ],
    reconstructed: [
      'The kernel that it stands on: linux_6_12.',
      'How suppression works: the handler is woken only when it sleeps, since it reads until the ring is empty.',
      'The completion ring: the handler completes the item itself, where a kworker would drain a second ring.',
      'When a VMM says SYNC_COMPLETE: when the page is there by the time it looks.',
    ],
  },
};
